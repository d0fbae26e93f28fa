#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "core/base/unique_fd.hpp"
#include "deploy/appliance/commands.hpp"
#include "net/tls_certificate.hpp"
#include "server/server_fixture.hpp"

namespace equinox::appliance {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Completes connections in the kernel and never says a word.
class SilentListener {
 public:
  SilentListener() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(socket_.get(), address, size) != 0 || ::listen(socket_.get(), 8) != 0 ||
        ::getsockname(socket_.get(), address, &size) != 0) {
      throw std::runtime_error{"cannot listen"};
    }
  }
  [[nodiscard]] std::uint16_t port() const { return ntohs(address_.sin_port); }
  [[nodiscard]] UniqueFd accept() const { return UniqueFd{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)}; }

 private:
  UniqueFd socket_;
  sockaddr_in address_{};
};

/// `equinox probe` against a server of ours: cleartext on the first listener, TLS on the second.
class ProbeTest : public equinox::testing::ServerTest {
 protected:
  void SetUp() override {
    config.listeners.push_back({.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}});
    options.probe_timeout_s = 5;
  }
  void serve() {
    make().get("/", [](const Request&) { return Response::text("equinox_ready 1\n"); });
    server().get("/failing", [](const Request&) { return Response{503}; });
    server().get("/large", [](const Request&) { return Response::text(std::string(300'000, 'x') + "end"); });
    start();
  }
  std::string plain(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port()) + path; }
  std::string secure(const std::string& path) {
    return "https://127.0.0.1:" + std::to_string(server().listeners()[1].port) + path;
  }
  int probe(const std::string& url) {
    options.url = url;
    ::testing::internal::CaptureStderr();
    const int status = run_probe(options);
    said = ::testing::internal::GetCapturedStderr();
    return status;
  }

  Options options;
  std::string said;
};

TEST_F(ProbeTest, SpeaksEachProtocolItIsToldTo) {
  serve();
  EXPECT_EQ(probe(plain("/")), 0) << said;
  EXPECT_EQ(probe(secure("/")), 0) << said;
  options.probe_http2 = true;
  EXPECT_EQ(probe(plain("/")), 0) << said;
  EXPECT_EQ(probe(secure("/")), 0) << said;
  EXPECT_EQ(probe(secure("/large")), 0) << said;
  EXPECT_TRUE(equinox::testing::eventually([&] { return snapshot().closed() == 5; }));
  int over_http2 = 0;
  server().view().closed([&](const ClosedRecord& record) {
    over_http2 += record.protocol == Protocol::h2 || record.protocol == Protocol::h2c ? 1 : 0;
    return true;
  });
  EXPECT_EQ(over_http2, 3);
}

TEST_F(ProbeTest, AStatusOutside2xxIsNamed) {
  serve();
  for (const bool http2 : {false, true}) {
    options.probe_http2 = http2;
    EXPECT_EQ(probe(plain("/failing")), 1);
    EXPECT_THAT(said, HasSubstr("/failing: status 503"));
    EXPECT_EQ(probe(plain("/missing")), 1);
    EXPECT_THAT(said, HasSubstr("status 404"));
  }
}

TEST_F(ProbeTest, TheBodyMustHoldWhatIsExpected) {
  serve();
  for (const bool http2 : {false, true}) {
    options.probe_http2 = http2;
    options.probe_expect = "equinox_ready 1";
    EXPECT_EQ(probe(plain("/")), 0) << said;
    EXPECT_EQ(probe(plain("/large")), 1);
    EXPECT_THAT(said, HasSubstr("the body lacks \"equinox_ready 1\""));
    options.probe_expect = "xxend";
    EXPECT_EQ(probe(plain("/large")), 0) << said;
  }
}

TEST_F(ProbeTest, HttpTwoIsRefusedWhereItIsNotSpoken) {
  config.listeners[0].h2c = H2c::off;
  config.listeners[1].tls->http2 = false;
  serve();
  options.probe_http2 = true;
  EXPECT_EQ(probe(plain("/")), 1);
  EXPECT_FALSE(said.empty());
  EXPECT_EQ(probe(secure("/")), 1);
  EXPECT_THAT(said, HasSubstr("equinox: https://"));
}

TEST_F(ProbeTest, SaysWhyItCannotConnect) {
  for (const bool http2 : {false, true}) {
    options.probe_http2 = http2;
    EXPECT_EQ(probe("http://127.0.0.1:1/"), 1);
    EXPECT_THAT(said, HasSubstr("cannot connect: Connection refused"));
  }
  EXPECT_EQ(probe("http://[::1/"), 1);
  serve();
  EXPECT_EQ(probe("https://127.0.0.1:" + std::to_string(port()) + "/"), 1);
  EXPECT_THAT(said, HasSubstr("TLS"));
}

TEST_F(ProbeTest, WaitsNoLongerThanItMay) {
  const SilentListener silent;
  for (const bool http2 : {false, true}) {
    options.probe_http2 = http2;
    options.probe_timeout_s = 0.2;
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(probe("http://127.0.0.1:" + std::to_string(silent.port()) + "/"), 1);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(took, 150ms);
    EXPECT_LT(took, 4s);
    EXPECT_THAT(said, HasSubstr("127.0.0.1"));
  }
}

/// Each byte is in time for whoever counts from the last one.
TEST_F(ProbeTest, ADripOfBytesDoesNotRenewItsTime) {
  for (const std::string start :
       {"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    const SilentListener listener;
    std::atomic<bool> is_over{false};
    std::thread dripping{[&] {
      const UniqueFd peer = listener.accept();
      std::string bytes = start + (start.empty() ? "HTTP/1.1 200 OK\r\nX-A: " : "");
      while (!is_over && ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
        bytes = "1";
        std::this_thread::sleep_for(50ms);
      }
    }};
    options.probe_timeout_s = 0.4;
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(probe("http://127.0.0.1:" + std::to_string(listener.port()) + "/"), 1);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
    EXPECT_THAT(said, HasSubstr("timed out"));
    is_over = true;
    dripping.join();
  }
}

/// What another server may answer, up to where it ends.
TEST_F(ProbeTest, ReadsAnAnswerInWhateverFormItComes) {
  const auto ask = [this](const std::string& answer) {
    const SilentListener listener;
    std::thread answering{[&] {
      const UniqueFd peer = listener.accept();
      char request[4096];
      if (::recv(peer.get(), request, sizeof request, 0) > 0)
        ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(peer.get(), SHUT_WR);
    }};
    const int status = probe("http://127.0.0.1:" + std::to_string(listener.port()) + "/");
    answering.join();
    return status == 0 ? "good" : said;
  };
  options.probe_expect = "ready";
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"), "good");
  EXPECT_EQ(ask("HTTP/1.0 200 OK\r\n\r\nready"), "good");
  EXPECT_EQ(ask("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"), "good");
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nre\r\n3;a=b\r\nady\r\n0\r\nX: y\r\n\r\n"),
            "good");
  EXPECT_THAT(ask("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nready"), HasSubstr("ended before the answer did"));
  EXPECT_THAT(ask("HTTP/1.1 200 OK\r\nContent-Le"), HasSubstr("ended before the answer did"));
  EXPECT_THAT(ask(""), HasSubstr("ended before the answer did"));
  EXPECT_THAT(ask("220 mail.example\r\n"), HasSubstr("not HTTP/1"));
  EXPECT_THAT(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), HasSubstr("no size"));
  EXPECT_THAT(ask("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), HasSubstr("status 503"));
}

/// A server's first flight of TLS 1.3: whoever has it believes the connection open, and sends two things before it
/// reads.
std::string tls_answer(std::string_view client_hello) {
  const net::SelfSigned own = net::make_self_signed();
  const net::SslContextPointer context{SSL_CTX_new(TLS_server_method())};
  SSL_CTX_use_certificate(context.get(), own.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), own.key.get());
  const std::unique_ptr<SSL, decltype(&SSL_free)> session{SSL_new(context.get()), &SSL_free};
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(session.get(), BIO_new_mem_buf(client_hello.data(), static_cast<int>(client_hello.size())), out);
  SSL_accept(session.get());
  std::string flight(BIO_ctrl_pending(out), '\0');
  BIO_read(out, flight.data(), static_cast<int>(flight.size()));
  return flight;
}

/// OpenSSL writes by write(2), which raises SIGPIPE: a process of its own, since that would end it.
TEST_F(ProbeTest, APeerThatIsGoneOverTlsIsNamed) {
  const SilentListener listener;
  std::thread answering{[&] {
    const UniqueFd peer = listener.accept();
    std::array<char, 4096> hello{};
    const ssize_t got = ::recv(peer.get(), hello.data(), hello.size(), 0);
    if (got <= 0) return;
    const std::string flight = tls_answer({hello.data(), static_cast<std::size_t>(got)});
    const int yes = 1;
    ::setsockopt(peer.get(), IPPROTO_TCP, TCP_CORK, &yes, sizeof yes);  // the end comes with it, in one segment
    ::send(peer.get(), flight.data(), flight.size(), MSG_NOSIGNAL);
  }};
  options.url = "https://127.0.0.1:" + std::to_string(listener.port()) + "/";
  const auto run = [this] {
    std::signal(SIGPIPE, SIG_DFL);
    ::_exit(run_probe(options));
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(1), "the peer takes nothing more");
  answering.join();
}

TEST_F(ProbeTest, AsksAgainWhileItMayWait) {
  std::atomic<int> asked{0};
  make().get("/late", [&](const Request&) { return ++asked < 3 ? Response{503} : Response::text("here"); });
  start();
  options.probe_wait_s = 30;
  EXPECT_EQ(probe(plain("/late")), 0) << said;
  EXPECT_EQ(asked, 3);
  options.probe_wait_s = 0.7;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(probe(plain("/missing")), 1);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 700ms);
}

}  // namespace
}  // namespace equinox::appliance
