#include "wire.hpp"

#include <netdb.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace equinox::appliance {
namespace {

struct Authority {
  std::string host;
  std::string port;
};

/// "[::1]:80", "name:80", "name"; `origin` starts with its scheme.
Authority split_authority(const std::string& origin, const char* default_port) {
  std::string text = origin.substr(origin.find("://") + 3);
  std::string port = default_port;
  const auto bracket = text.find(']');
  const auto colon = text.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    port = text.substr(colon + 1);
    text.resize(colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return {text, port};
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string reason(int error) { return error == EAGAIN || error == EINPROGRESS ? "timed out" : std::strerror(error); }

}  // namespace

Wire::Wire(const std::string& origin, std::chrono::milliseconds allowed)
    : deadline_{std::chrono::steady_clock::now() + allowed} {
  const bool is_secure = origin.starts_with("https://");
  const Authority authority = split_authority(origin, is_secure ? "443" : "80");
  connect(authority.host, authority.port);
  if (is_secure) start_tls(authority.host);
}

void Wire::connect(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int status = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); status != 0) {
    fail(host + ": " + ::gai_strerror(status));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
  int error = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    socket_.reset(::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol));
    if (!socket_) {
      error = errno;
      continue;
    }
    limit_waiting();
    if (::connect(socket_.get(), each->ai_addr, each->ai_addrlen) == 0) return;
    error = errno;
  }
  fail("cannot connect: " + reason(error));
}

void Wire::start_tls(const std::string& host) {
  static constexpr std::array<unsigned char, 3> kOffer{2, 'h', '2'};
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ != nullptr) session_.reset(SSL_new(context_.get()));
  if (session_ == nullptr) fail("no TLS session can be made");
  SSL_set_verify(session_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_set_alpn_protos(session_.get(), kOffer.data(), kOffer.size());
  SSL_set_tlsext_host_name(session_.get(), host.c_str());
  SSL_set_fd(session_.get(), socket_.get());
  limit_waiting();
  if (SSL_connect(session_.get()) == 1) return;
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) fail("the TLS handshake ended early");
  ERR_error_string_n(code, text.data(), text.size());
  fail(std::string{"TLS: "} + text.data());
}

void Wire::limit_waiting() const {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - std::chrono::steady_clock::now());
  if (left.count() <= 0) fail("timed out");
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(left.count() / 1'000'000);
  limit.tv_usec = static_cast<suseconds_t>(left.count() % 1'000'000);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void Wire::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    limit_waiting();
    std::size_t count = 0;
    if (session_ != nullptr) {
      if (SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count) != 1) fail("the peer takes nothing more");
    } else {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) fail("cannot send: " + reason(errno));
      count = static_cast<std::size_t>(sent);
    }
    bytes = bytes.subspan(count);
  }
}

std::size_t Wire::read(std::span<std::byte> into) {
  limit_waiting();
  if (session_ != nullptr) {
    std::size_t count = 0;
    if (SSL_read_ex(session_.get(), into.data(), into.size(), &count) == 1) return count;
    if (SSL_get_error(session_.get(), 0) == SSL_ERROR_WANT_READ) fail("timed out");
    return 0;
  }
  const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
  if (got < 0) fail(reason(errno));
  return static_cast<std::size_t>(got);
}

std::string Wire::application_protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  if (session_ != nullptr) SSL_get0_alpn_selected(session_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace equinox::appliance
