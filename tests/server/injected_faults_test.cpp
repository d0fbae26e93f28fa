// A server whose system calls fail, and OpenSSL's with them: one after the other in every way they have, then all of
// them at random under ten thousand requests of all three protocols. Every octet a client receives is the right one,
// what ends has a reason that blames nobody who did nothing, and afterwards the books add up.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <equinox/server.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/egress_batch.hpp"
#include "handlers/temporary_folder.hpp"
#include "server/checked_client.hpp"
#include "support/fault_injector.hpp"
#include "support/raw_client.hpp"

namespace equinox::testing {
namespace {

std::string pattern(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1'664'525U + 1'013'904'223U;
    out[i] = static_cast<char>('!' + (seed >> 16U) % 90U);
  }
  return out;
}

const std::string kFileText = pattern(50'000, 1);
const std::string kSourceText = pattern(9'000, 2);
const std::string kSmallText = R"({"status":"ok"})";

/// One answer of each kind: small and copied, large and shared, a file, a source, an echo.
std::vector<Asked> some_requests(std::size_t first, std::size_t count) {
  std::vector<Asked> out;
  for (std::size_t i = first; i < first + count; ++i) {
    switch (i % 8) {
      case 1: out.push_back({"GET", "/file", {}, kFileText}); break;
      case 3: out.push_back({"GET", "/source", {}, kSourceText}); break;
      case 5: {
        const std::string body = pattern(1 + i * 37 % 3000, static_cast<unsigned>(i));
        out.push_back({"POST", "/echo", body, body});
        break;
      }
      case 7: out.push_back({"GET", "/shared", {}, kFileText}); break;
      default: out.push_back({"GET", "/small", {}, kSmallText});
    }
  }
  return out;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) ++count;
  return count;
}

class InjectedFaults : public ::testing::Test {
 protected:
  enum class Speaks { http1, h2c, tls_http1, tls_h2 };

  void serve(std::vector<FaultRule> rules, std::uint64_t seed, std::uint32_t connections = 0) {
    injector_ = std::make_unique<FaultInjector>(std::move(rules), seed);
    ServerConfig config;
    config.listeners = {{.name = "http", .address = "127.0.0.1:0"},
                        {.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}}};
    config.reactors = 1;
    config.limits.connections = connections;
    config.timeouts.header = std::chrono::minutes{1};  // the clients are never late, however slow the machine is
    config.log.target = "off";
    server_ = std::make_unique<Server>(config);
    add_routes();
    server_->start();
    injector_->arm(true);
  }

  ~InjectedFaults() override {
    if (server_ != nullptr) server_->stop();  // its thread uses the seam
    server_.reset();
    injector_.reset();
  }

  /// Asks in batches, on new connections where old ones broke, until `wanted` requests are answered.
  void ask(Speaks speaks, std::size_t wanted) {
    // OpenSSL's client writes to broken sockets without MSG_NOSIGNAL. Only here: the server must need no such help.
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    std::size_t answered = 0;
    std::size_t next = 0;
    for (int attempts = 0; answered < wanted && !has_failed_; ++attempts) {
      if (attempts > 20'000) return fail("no progress");
      const auto stream = connect(speaks);
      if (stream == nullptr) {
        ++broken_;
        continue;
      }
      const bool is_http2 = speaks == Speaks::h2c || speaks == Speaks::tls_h2;
      for (int batch = 0; batch < 8 && answered < wanted; ++batch) {
        const auto asked = some_requests(next, is_http2 ? 16 : 1 + next % 12);
        next += asked.size();
        const Checked checked = is_http2 ? check_http2(*stream, asked) : check_http1(*stream, asked);
        answered += checked.answered;
        if (!checked.wrong.empty()) return fail(checked.wrong);
        if (checked.was_stuck) return fail("an answer did not come, and nothing was wrong");
        if (checked.was_cut) ++broken_;
        // An HTTP/2 client of this test begins with a preface: one batch for each connection.
        if (checked.was_cut || is_http2) break;
      }
    }
    answered_ += answered;
  }

  /// The four kinds of clients at the same time.
  void ask_all(std::size_t http1, std::size_t h2c, std::size_t tls) {
    std::vector<std::thread> clients;
    clients.emplace_back([&] { ask(Speaks::http1, http1); });
    clients.emplace_back([&] { ask(Speaks::h2c, h2c); });
    clients.emplace_back([&] { ask(Speaks::tls_http1, tls); });
    clients.emplace_back([&] { ask(Speaks::tls_h2, tls); });
    for (std::thread& client : clients) client.join();
  }

  /// After the last client has gone, nothing is left of any of them.
  void expect_books_add_up() {
    injector_->arm(false);
    ASSERT_TRUE(eventually([&] { return snapshot().connections() == 0; }, std::chrono::seconds{20}));
    const ServerSnapshot books = snapshot();
    EXPECT_EQ(books.accepted(), books.closed());
    EXPECT_EQ(books.requests_in_flight(), 0U);
    EXPECT_EQ(books.output_pending_bytes(), 0U);
    EXPECT_EQ(books.h2_streams_open(), 0U);
    EXPECT_EQ(books.totals.tls_handshakes_started, books.totals.tls_handshakes_ended);
    for (const RouteTotals& route : books.routes) EXPECT_EQ(route.in_flight(), 0U);
    EXPECT_GE(books.requests_finished(), answered_);
    // These clients do nothing wrong and are never late: only the network may be blamed, or the client that has gone.
    std::uint64_t explained = 0;
    for (const CloseReason reason :
         {CloseReason::client_fin_idle, CloseReason::client_fin_mid_request, CloseReason::client_reset_idle,
          CloseReason::client_reset_mid_request, CloseReason::client_goaway, CloseReason::network_error,
          CloseReason::network_timeout, CloseReason::tls_handshake_failed, CloseReason::handler_abort}) {
      explained += books.closed(reason);
    }
    EXPECT_EQ(books.closed(), explained);
    server_->view().closed([&](const ClosedRecord& record) {
      if (record.reason == CloseReason::network_error) {
        EXPECT_NE(record.os_errno, 0) << sentence(record);
      }
      return true;
    });
  }

  void expect_no_failure() const { EXPECT_FALSE(has_failed_) << failure_; }
  [[nodiscard]] ServerSnapshot snapshot() const { return server_->view().snapshot(); }
  FaultInjector& injector() { return *injector_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] bool has_struck_with_each() const {
    for (std::size_t i = 0; i < injector_->rules().size(); ++i) {
      if (injector_->count(i) == 0) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t answered() const { return answered_; }
  [[nodiscard]] std::size_t broken() const { return broken_; }

 private:
  void add_routes() {
    auto open = std::make_shared<OpenFile>();
    open->fd = UniqueFd{::open(folder_.write("f", kFileText).c_str(), O_RDONLY | O_CLOEXEC)};
    open->size_bytes = kFileText.size();
    server_->get("/small", [](const Request&) { return Response::literal(kSmallText, "application/json"); });
    server_->get("/file", [open](const Request&) { return Response::file({open, 0, open->size_bytes}, "text/plain"); });
    server_->get("/shared", [shared = std::make_shared<const std::string>(kFileText)](const Request&) {
      return Response::shared(shared, "text/plain");
    });
    server_->post("/echo", [](const Request& request) { return Response::text(std::string{request.body()}); });
    server_->get("/source", [](const Request&) {
      return Response::generate(
          [at = std::size_t{0}](std::span<char> into, const Resumer&) mutable -> PullResult {
            const std::size_t count = std::min({into.size(), kSourceText.size() - at, std::size_t{1000}});
            std::copy_n(kSourceText.data() + at, count, into.data());
            at += count;
            return {at == kSourceText.size() ? PullStatus::end : PullStatus::bytes, count};
          },
          "text/plain");
    });
  }

  std::unique_ptr<ClientStream> connect(Speaks speaks) const {
    switch (speaks) {
      case Speaks::tls_http1: return connect_tls(server_->listeners()[1].port, "http/1.1");
      case Speaks::tls_h2: return connect_tls(server_->listeners()[1].port, "h2");
      default: return connect_plain(server_->port());
    }
  }

  void fail(const std::string& what) {
    if (!has_failed_.exchange(true)) failure_ = what;  // read after the threads have ended
  }

  TemporaryFolder folder_;
  std::unique_ptr<FaultInjector> injector_;
  std::unique_ptr<Server> server_;
  std::atomic<std::size_t> answered_{0};
  std::atomic<std::size_t> broken_{0};
  std::atomic<bool> has_failed_{false};
  std::string failure_;
};

struct FaultCase {
  const char* name;
  FaultRule rule;
  bool breaks;  ///< connections cannot survive it
};

class EachFault : public InjectedFaults, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(EachFault, CostsAtMostItsConnection) {
  serve({GetParam().rule}, 7);
  // Of some calls there are few, and the dice may spare them all: then once more.
  for (int round = 0; round < 10 && injector().count(0) == 0; ++round) ask_all(120, 96, 64);
  expect_no_failure();
  EXPECT_GE(answered(), 344U);
  EXPECT_GT(injector().count(0), 0U) << "the fault never struck";
  if (!GetParam().breaks) {
    EXPECT_EQ(broken(), 0U);
  }
  expect_books_add_up();
}

INSTANTIATE_TEST_SUITE_P(OneByOne, EachFault,
                         ::testing::Values(FaultCase{"AcceptInterrupted", {Call::accept4, {EINTR}, 400}, false},
                                           FaultCase{"AcceptAgain", {Call::accept4, {EAGAIN}, 400}, false},
                                           FaultCase{"AcceptAborted", {Call::accept4, {ECONNABORTED}, 400}, false},
                                           FaultCase{"AcceptNoDescriptors", {Call::accept4, {EMFILE}, 200}, false},
                                           FaultCase{"AcceptNoBuffers", {Call::accept4, {ENOBUFS}, 200}, false},
                                           FaultCase{"AcceptNoMemory", {Call::accept4, {ENOMEM}, 200}, false},
                                           FaultCase{"ReadInterrupted", {Call::recv, {EINTR}, 500}, false},
                                           FaultCase{"ReadAgain", {Call::recv, {EAGAIN}, 300}, false},
                                           FaultCase{"ReadOneByte", {Call::recv, kOneByte, 700}, false},
                                           FaultCase{"ReadNoMemory", {Call::recv, {ENOMEM}, 80}, true},
                                           FaultCase{"ReadReset", {Call::recv, {ECONNRESET}, 80}, true},
                                           FaultCase{"WriteInterrupted", {Call::send, {EINTR}, 500}, false},
                                           FaultCase{"WriteAgain", {Call::send, {EAGAIN}, 300}, false},
                                           FaultCase{"WriteOneByte", {Call::send, kOneByte, 700}, false},
                                           FaultCase{"WriteNoBuffers", {Call::send, {ENOBUFS}, 80}, true},
                                           FaultCase{"WriteBrokenPipe", {Call::send, {EPIPE}, 80}, true},
                                           FaultCase{"GatheredInterrupted", {Call::sendmsg, {EINTR}, 500}, false},
                                           FaultCase{"GatheredAgain", {Call::sendmsg, {EAGAIN}, 300}, false},
                                           FaultCase{"GatheredOneByte", {Call::sendmsg, kOneByte, 700}, false},
                                           FaultCase{"GatheredNoMemory", {Call::sendmsg, {ENOMEM}, 100}, true},
                                           FaultCase{"FileInterrupted", {Call::sendfile, {EINTR}, 500}, false},
                                           FaultCase{"FileAgain", {Call::sendfile, {EAGAIN}, 300}, false},
                                           FaultCase{"FileOneByte", {Call::sendfile, kOneByte, 500}, false},
                                           FaultCase{"FileNoMemory", {Call::sendfile, {ENOMEM}, 100}, true},
                                           FaultCase{"FileReadInterrupted", {Call::pread, {EINTR}, 500}, false},
                                           FaultCase{"FileReadOneByte", {Call::pread, kOneByte, 300}, false},
                                           FaultCase{"FileReadFails", {Call::pread, {EIO}, 100}, true},
                                           FaultCase{"RegisterInterrupted", {Call::epoll_ctl, {EINTR}, 500}, false},
                                           FaultCase{"RegisterNoMemory", {Call::epoll_ctl, {ENOMEM}, 500}, true},
                                           FaultCase{"RegisterNoSpace", {Call::epoll_ctl, {ENOSPC}, 500}, true},
                                           FaultCase{"WaitInterrupted", {Call::epoll_wait, {EINTR}, 500}, false},
                                           FaultCase{"WaitOneEvent", {Call::epoll_wait, kOneByte, 700}, false},
                                           FaultCase{"ShutdownNotConnected", {Call::shutdown, {ENOTCONN}, 1000}, false},
                                           FaultCase{"TlsNoMemory", {Call::ssl_new, kSslError, 300}, true},
                                           FaultCase{"HandshakeFails", {Call::ssl_do_handshake, kSslError, 200}, true},
                                           FaultCase{
                                               "HandshakeSystemFails", {Call::ssl_do_handshake, {EIO}, 200}, true},
                                           FaultCase{"TlsReadFails", {Call::ssl_read_ex, kSslError, 80}, true},
                                           FaultCase{"TlsReadSystemFails", {Call::ssl_read_ex, {EIO}, 80}, true},
                                           FaultCase{"TlsWriteFails", {Call::ssl_write_ex, kSslError, 80}, true},
                                           FaultCase{"TlsWriteSystemFails", {Call::ssl_write_ex, {EIO}, 80}, true}),
                         [](const auto& test) { return std::string{test.param.name}; });

// Accepting pauses for want of descriptors, and when it is to go on there is no memory to watch the listener with.
TEST_F(InjectedFaults, AcceptingIsResumedWhenTheFirstTriesFail) {
  serve({{Call::accept4, {EMFILE}, 300}, {Call::epoll_ctl, {ENOMEM}, 500}}, 3);
  for (int round = 0; round < 10 && (injector().count(0) == 0 || injector().count(1) == 0); ++round)
    ask_all(60, 48, 32);
  expect_no_failure();
  EXPECT_GT(injector().count(0), 0U);
  EXPECT_GT(injector().count(1), 0U);
  expect_books_add_up();
}

// Who is refused has no connection and no reason, but a counter and a descriptor.
TEST_F(InjectedFaults, ARefusalEndsWhicheverOfItsCallsFails) {
  serve({{Call::recv, {EINTR}, 400},
         {Call::recv, {EAGAIN}, 200},
         {Call::recv, {ECONNRESET}, 20},
         {Call::send, {EINTR}, 200},
         {Call::send, {EPIPE}, 20},
         {Call::send, kOneByte, 20},
         {Call::epoll_ctl, {ENOMEM}, 10},
         {Call::shutdown, {ENOTCONN}, 10}},
        5, 1);
  injector().arm(false);
  RawClient holder{port()};
  holder.send("GET /small HTTP/1.1\r\n");  // not idle: nothing makes room
  ASSERT_TRUE(eventually([&] { return snapshot().accepted() == 1; }));
  const std::size_t descriptors_before = open_descriptors();
  injector().arm(true);
  std::uint64_t refused = 0;
  std::uint64_t told = 0;
  for (; refused < 1000 && !(refused >= 100 && has_struck_with_each()); ++refused) {
    RawClient client{port()};
    client.send("GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(client.read_to_end());
    if (client.received().size() <= 1) continue;
    EXPECT_TRUE(client.received().starts_with("HTTP/1.1 503 ") && client.received().ends_with("Unavailable\n"));
    ++told;
  }
  EXPECT_TRUE(has_struck_with_each());
  EXPECT_GT(told * 4, refused * 3) << "only some of these faults cost the answer";
  EXPECT_EQ(snapshot().listeners[0].rejected[index_of(ConnectionRejectReason::max_connections)], refused);
  EXPECT_EQ(snapshot().accepted(), 1U);
  injector().arm(false);
  EXPECT_TRUE(eventually([&] { return open_descriptors() == descriptors_before; }));
  holder.close();
  expect_books_add_up();
}

TEST_F(InjectedFaults, TenThousandRequestsUnderAllOfThem) {
  const std::size_t descriptors_before = open_descriptors();
  serve({{Call::accept4, {EINTR}, 50},        {Call::accept4, {EAGAIN}, 50},
         {Call::accept4, {ECONNABORTED}, 50}, {Call::accept4, {EMFILE}, 20},
         {Call::accept4, {ENOBUFS}, 20},      {Call::accept4, {ENOMEM}, 20},
         {Call::recv, {EINTR}, 50},           {Call::recv, {EAGAIN}, 50},
         {Call::recv, kOneByte, 100},         {Call::recv, {ENOBUFS}, 2},
         {Call::recv, {ENOMEM}, 2},           {Call::recv, {ECONNRESET}, 2},
         {Call::send, {EINTR}, 50},           {Call::send, {EAGAIN}, 50},
         {Call::send, kOneByte, 100},         {Call::send, {ENOBUFS}, 2},
         {Call::send, {ENOMEM}, 2},           {Call::send, {EPIPE}, 2},
         {Call::sendmsg, {EINTR}, 50},        {Call::sendmsg, {EAGAIN}, 50},
         {Call::sendmsg, kOneByte, 100},      {Call::sendmsg, {ENOBUFS}, 15},
         {Call::sendmsg, {ENOMEM}, 15},       {Call::sendfile, {EINTR}, 50},
         {Call::sendfile, {EAGAIN}, 50},      {Call::sendfile, kOneByte, 100},
         {Call::sendfile, {ENOMEM}, 20},      {Call::pread, {EINTR}, 50},
         {Call::pread, kOneByte, 50},         {Call::pread, {EIO}, 20},
         {Call::epoll_ctl, {EINTR}, 50},      {Call::epoll_ctl, {ENOMEM}, 30},
         {Call::epoll_ctl, {ENOSPC}, 30},     {Call::epoll_wait, {EINTR}, 50},
         {Call::epoll_wait, kOneByte, 200},   {Call::shutdown, {ENOTCONN}, 200},
         {Call::ssl_new, kSslError, 30},      {Call::ssl_do_handshake, kSslError, 15},
         {Call::ssl_do_handshake, {EIO}, 15}, {Call::ssl_read_ex, kSslError, 5},
         {Call::ssl_read_ex, {EIO}, 5},       {Call::ssl_write_ex, kSslError, 5},
         {Call::ssl_write_ex, {EIO}, 5}},
        20'261'128);
  ask_all(4000, 3500, 1300);
  // How many calls a client costs depends on how its bytes arrive: the dice may have spared the rarest.
  for (int round = 0; round < 20 && !has_struck_with_each(); ++round) ask_all(120, 96, 256);
  expect_no_failure();
  EXPECT_GE(answered(), 10'000U);
  EXPECT_GT(broken(), 0U);
  for (std::size_t i = 0; i < injector().rules().size(); ++i) {
    const FaultRule& rule = injector().rules()[i];
    EXPECT_GT(injector().count(i), 0U) << kCallNames[static_cast<std::size_t>(rule.call)] << " errno "
                                       << rule.fault.os_errno << " never struck";
  }
  expect_books_add_up();
  // The server itself holds some: two listeners, epoll, eventfd, the file.
  EXPECT_LE(open_descriptors(), descriptors_before + 10);
}

}  // namespace
}  // namespace equinox::testing
