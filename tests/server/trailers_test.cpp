#include <string>
#include <thread>

#include "http/http2_client.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using http::test::FieldList;
using http::test::Http2Client;

std::string listed(std::span<const Field> fields) {
  std::string all;
  for (const Field& field : fields) {
    all += all.empty() ? "" : ",";
    all += std::string{field.name} + "=" + std::string{field.value};
  }
  return all;
}

class Trailers : public ServerTest {
 protected:
  /// The body of the answer to one POST over HTTP/2 (prior knowledge).
  std::string post_http2(const std::string& path, const std::string& body, const FieldList& trailers) {
    Http2Client client;
    const auto stream = client.request({{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}},
                                       &body, trailers);
    RawClient socket{port()};
    while (!client.answer(stream).is_closed) {
      socket.send(client.output());
      socket.read_until([](const std::string& all) { return !all.empty(); });
      if (socket.received().empty() || !client.input(socket.received())) return "broken off";
      socket.forget();
    }
    return client.answer(stream).body;
  }
  std::string post_http1(const std::string& path, const std::string& body, const FieldList& trailers) {
    std::string request = "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const char octet : body) request += std::string{"1\r\n"} + octet + "\r\n";
    request += "0\r\n";
    for (const auto& [name, value] : trailers) request += name + ": " + value + "\r\n";
    const std::string answer = exchange(request + "\r\n");
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
};

const FieldList kSent{{"x-sum", "7"}, {"authorization", "no"}, {"x-more", "8"}};

TEST_F(Trailers, ReachAHandlerOnBothProtocols) {
  make().post("/now", [](const Request& request) {
    return Response::text(std::string{request.body()} + " " + listed(request.trailers()));
  });
  std::vector<std::thread> workers;
  server().post("/later", [&workers](Request request, Responder responder) {
    workers.emplace_back([request = std::move(request), responder = std::move(responder)]() mutable {
      responder.send(Response::text(std::string{request.body()} + " " + listed(request.trailers())));
    });
  });
  start();
  for (const char* const path : {"/now", "/later"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(post_http2(path, "body", kSent), "body x-sum=7,x-more=8");
    EXPECT_EQ(post_http2(path, "", kSent), " x-sum=7,x-more=8");
    EXPECT_EQ(post_http2(path, "body", {}), "body ");
    EXPECT_EQ(post_http1(path, "body", kSent), "body x-sum=7,x-more=8");
  }
  for (std::thread& worker : workers) worker.join();
}

/// Says in its answer what it was told, and in which order.
class Recorder final : public BodySink {
 public:
  Recorder(Server& server, bool waits) : server_{server}, waits_{waits} {}
  void attach(Resumer resumer) override { resumer_ = std::move(resumer); }
  SinkStatus receive(std::span<const std::byte> bytes) override {
    told_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!waits_) return SinkStatus::more;
    told_ += ".";
    EXPECT_TRUE(server_.offload([resumer = resumer_] { resumer.resume(); }));
    return SinkStatus::wait;
  }
  void trailers(std::span<const Field> fields) override {
    if (!fields.empty() && fields.front().name == "x-throw") throw std::runtime_error{"no"};
    told_ += " " + listed(fields);
  }
  Response finish() override { return Response::text(told_ + " end"); }

 private:
  Server& server_;
  bool waits_;
  Resumer resumer_;
  std::string told_;
};

TEST_F(Trailers, ReachASinkOnceBeforeItsEnd) {
  Server& made = make();
  made.post("/", [&made](const Request&) { return std::make_unique<Recorder>(made, false); });
  start();
  for (const bool is_http2 : {false, true}) {
    SCOPED_TRACE(is_http2);
    const auto post = [&](const std::string& body, const FieldList& trailers) {
      return is_http2 ? post_http2("/", body, trailers) : post_http1("/", body, trailers);
    };
    EXPECT_EQ(post("body", kSent), "body x-sum=7,x-more=8 end");
    EXPECT_EQ(post("", kSent), " x-sum=7,x-more=8 end");
    EXPECT_EQ(post("body", {}), "body end");
    EXPECT_EQ(post("body", {{"authorization", "no"}}), "body end");
    EXPECT_EQ(post("body", {{"x-throw", "1"}}), "500 Internal Server Error\n");
  }
}

TEST_F(Trailers, WaitWithTheirSink) {
  Server& made = make();
  made.post("/", [&made](const Request&) { return std::make_unique<Recorder>(made, true); });
  made.after([](const Request& request, Response& response) { response.with("X-Seen", listed(request.trailers())); });
  start();
  EXPECT_EQ(post_http1("/", "body", kSent), "b.ody. x-sum=7,x-more=8 end");
  EXPECT_EQ(post_http1("/", "b", kSent), "b. x-sum=7,x-more=8 end");
  EXPECT_EQ(post_http2("/", "body", kSent), "body. x-sum=7,x-more=8 end");
  EXPECT_EQ(post_http2("/", "", kSent), " x-sum=7,x-more=8 end");
}

}  // namespace
}  // namespace equinox::testing
