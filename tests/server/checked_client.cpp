#include "server/checked_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/unique_fd.hpp"
#include "http/http2_client.hpp"

namespace equinox::testing {

namespace {

constexpr int kPatienceSeconds = 30;

UniqueFd connect_socket(std::uint16_t port) {
  UniqueFd out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) out.reset();
  return out;
}

class PlainStream final : public ClientStream {
 public:
  explicit PlainStream(UniqueFd socket) noexcept : socket_{std::move(socket)} {}
  bool write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool read(std::string& into) override {
    std::array<char, 16384> room;
    const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
    is_stuck = got < 0 && errno == EAGAIN;
    if (got <= 0) return false;
    into.append(room.data(), static_cast<std::size_t>(got));
    return true;
  }

 private:
  UniqueFd socket_;
};

class TlsStream final : public ClientStream {
 public:
  TlsStream(UniqueFd socket, SSL* ssl) noexcept : socket_{std::move(socket)}, ssl_{ssl} {}
  ~TlsStream() override {
    ERR_clear_error();
    SSL_free(ssl_);
  }
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  bool write(std::string_view bytes) override {
    ERR_clear_error();
    return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  bool read(std::string& into) override {
    ERR_clear_error();
    std::array<char, 16384> room;
    const int got = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
    is_stuck = got <= 0 && SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ;
    if (got <= 0) return false;
    into.append(room.data(), static_cast<std::size_t>(got));
    return true;
  }

 private:
  UniqueFd socket_;
  SSL* ssl_;
};

/// A client's context; made once, shared by the threads.
SSL_CTX* client_context() {
  static SSL_CTX* const kContext = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(made, SSL_MODE_AUTO_RETRY);
    return made;
  }();
  return kContext;
}

/// Reads answers off the front of a stream of octets.
class Http1Reader {
 public:
  enum class Outcome : std::uint8_t { complete, incomplete, wrong };

  /// Takes one answer off `bytes` when it is there completely and as expected.
  static Outcome take(std::string& bytes, const std::string& expected) {
    constexpr std::string_view kStatus = "HTTP/1.1 200 OK\r\n";
    const auto common = std::min(bytes.size(), kStatus.size());
    if (bytes.compare(0, common, kStatus, 0, common) != 0) return Outcome::wrong;
    const auto head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string::npos) return Outcome::incomplete;
    const std::string_view head{bytes.data(), head_end + 2};
    std::string_view rest{bytes};
    rest.remove_prefix(head_end + 4);
    Outcome outcome = Outcome::wrong;
    if (head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string_view::npos) {
      outcome = take_chunks(rest, expected);
    } else if (head.find("\r\nContent-Length: " + std::to_string(expected.size()) + "\r\n") != std::string_view::npos) {
      outcome = take_body(rest, expected);
    }
    if (outcome == Outcome::complete) bytes.erase(0, bytes.size() - rest.size());
    return outcome;
  }

 private:
  static Outcome take_body(std::string_view& rest, std::string_view expected) {
    const auto common = std::min(rest.size(), expected.size());
    if (rest.substr(0, common) != expected.substr(0, common)) return Outcome::wrong;
    if (rest.size() < expected.size()) return Outcome::incomplete;
    rest.remove_prefix(expected.size());
    return Outcome::complete;
  }

  static Outcome take_chunks(std::string_view& rest, std::string_view expected) {
    while (true) {
      const auto line_end = rest.find("\r\n");
      if (line_end == std::string_view::npos) return Outcome::incomplete;
      std::size_t size = 0;
      const auto read = std::from_chars(rest.data(), rest.data() + line_end, size, 16);
      if (read.ec != std::errc{} || read.ptr != rest.data() + line_end || size > expected.size()) return Outcome::wrong;
      rest.remove_prefix(line_end + 2);
      if (const Outcome part = take_body(rest, expected.substr(0, size)); part != Outcome::complete) return part;
      expected.remove_prefix(size);
      if (const Outcome end = take_body(rest, "\r\n"); end != Outcome::complete) return end;
      if (size == 0) return expected.empty() ? Outcome::complete : Outcome::wrong;
    }
  }
};

std::string excerpt(std::string_view what, const Asked& asked, std::string_view bytes) {
  return std::string{what} + " for " + asked.path + ": " + std::string{bytes.substr(0, 300)};
}

std::string http1_request(const Asked& asked) {
  std::string out = asked.method + " " + asked.path + " HTTP/1.1\r\nHost: a\r\n";
  if (!asked.body.empty()) out += "Content-Length: " + std::to_string(asked.body.size()) + "\r\n";
  return out + "\r\n" + asked.body;
}

}  // namespace

std::unique_ptr<ClientStream> connect_plain(std::uint16_t port) {
  UniqueFd socket = connect_socket(port);
  if (!socket) return nullptr;
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ClientStream> connect_tls(std::uint16_t port, std::string_view alpn) {
  UniqueFd socket = connect_socket(port);
  if (!socket) return nullptr;
  SSL* ssl = SSL_new(client_context());
  SSL_set_fd(ssl, socket.get());
  std::string wire{static_cast<char>(alpn.size())};
  wire += alpn;
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()), static_cast<unsigned>(wire.size()));
  auto out = std::make_unique<TlsStream>(std::move(socket), ssl);
  ERR_clear_error();
  if (SSL_connect(ssl) != 1) return nullptr;
  return out;
}

Checked check_http1(ClientStream& stream, const std::vector<Asked>& asked) {
  Checked out;
  std::string requests;
  for (const Asked& each : asked) requests += http1_request(each);
  bool goes_on = stream.write(requests);
  std::string received;
  while (out.answered < asked.size()) {
    const Asked& next = asked[out.answered];
    switch (Http1Reader::take(received, next.expected)) {
      case Http1Reader::Outcome::complete: ++out.answered; continue;
      case Http1Reader::Outcome::wrong: out.wrong = excerpt("wrong octets", next, received); return out;
      case Http1Reader::Outcome::incomplete: break;
    }
    // What was sent before the connection broke may still be read.
    const bool came = stream.read(received);
    if (!came) {
      out.was_cut = true;
      out.was_stuck = stream.is_stuck && goes_on;
      return out;
    }
  }
  if (!received.empty()) out.wrong = "octets behind the last answer: " + received.substr(0, 300);
  return out;
}

Checked check_http2(ClientStream& stream, const std::vector<Asked>& asked) {
  Checked out;
  http::test::Http2Client client;
  std::vector<std::int32_t> streams;
  for (const Asked& each : asked) {
    const http::test::FieldList head{
        {":method", each.method}, {":scheme", "http"}, {":authority", "a"}, {":path", each.path}};
    streams.push_back(each.body.empty() ? client.request(head) : client.request(head, &each.body));
  }
  const auto all_closed = [&] {
    for (const std::int32_t id : streams) {
      if (!client.answer(id).is_closed) return false;
    }
    return true;
  };
  std::string received;
  while (!all_closed()) {
    const std::string to_send = client.output();
    const bool is_sent = to_send.empty() || stream.write(to_send);
    received.clear();
    if (!is_sent || !stream.read(received)) {
      out.was_cut = true;
      out.was_stuck = stream.is_stuck;
      break;
    }
    if (!client.input(received)) {
      out.wrong = "frames that break the protocol";
      return out;
    }
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const http::test::Answer& answer = client.answer(streams[i]);
    const std::string_view body{answer.body};
    const bool is_prefix = std::string_view{asked[i].expected}.substr(0, body.size()) == body;
    if ((answer.status != 0 && answer.status != 200) || !is_prefix) {
      out.wrong = excerpt("status " + std::to_string(answer.status) + ", body", asked[i], body);
    } else if (answer.is_closed && answer.error_code == 0 && body.size() == asked[i].expected.size()) {
      ++out.answered;
    } else if (answer.is_closed && answer.error_code != 0) {
      out.was_cut = true;  // given up by the server, and said so: what had come was right
    } else if (answer.is_closed && !out.was_cut) {
      out.wrong = excerpt("stream ended with code " + std::to_string(answer.error_code), asked[i], body);
    }
  }
  return out;
}

}  // namespace equinox::testing
