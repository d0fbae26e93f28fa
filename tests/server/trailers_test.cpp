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

}  // namespace
}  // namespace equinox::testing
