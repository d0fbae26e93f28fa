#include "wire.hpp"

#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace equinox::appliance {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

}  // namespace

Authority split_authority(std::string_view text) noexcept {
  Authority out{text, {}};
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    out = {text.substr(0, colon), text.substr(colon + 1)};
  }
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

Wire::Wire(const std::string& origin, std::chrono::milliseconds allowed, std::string_view protocol)
    : deadline_{std::chrono::steady_clock::now() + allowed} {
  const bool is_secure = origin.starts_with("https://");
  const Authority authority = split_authority(std::string_view{origin}.substr(origin.find("://") + 3));
  const std::string host{authority.host};
  const std::string usual = is_secure ? "443" : "80";
  connect(host, authority.port.empty() ? usual : std::string{authority.port});
  if (is_secure) start_tls(host, protocol);
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
    socket_.reset(::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol));
    if (!socket_) {
      error = errno;
      continue;
    }
    if (::connect(socket_.get(), each->ai_addr, each->ai_addrlen) == 0) return;
    error = errno;
    if (error != EINPROGRESS) continue;
    if (!is_ready_in_time(POLLOUT)) fail("cannot connect: timed out");
    socklen_t size = sizeof error;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == 0) return;
  }
  fail(std::string{"cannot connect: "} + std::strerror(error));
}

void Wire::start_tls(const std::string& host, std::string_view protocol) {
  const std::string offer = static_cast<char>(protocol.size()) + std::string{protocol};
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ != nullptr) session_.reset(SSL_new(context_.get()));
  if (session_ == nullptr) fail("no TLS session can be made");
  SSL_set_verify(session_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(offer.data()),
                      static_cast<unsigned>(offer.size()));
  SSL_set_tlsext_host_name(session_.get(), host.c_str());
  SSL_set_fd(session_.get(), socket_.get());
  int result = 0;
  do {
    ERR_clear_error();
    result = SSL_connect(session_.get());
    if (result == 1) return;
  } while (wait_for_tls(result));
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) fail("the TLS handshake ended early");
  ERR_error_string_n(code, text.data(), text.size());
  fail(std::string{"TLS: "} + text.data());
}

bool Wire::is_ready_in_time(short events) const {
  pollfd question{socket_.get(), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(&question, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) fail(std::strerror(errno));
  }
}

void Wire::wait(short events) const {
  if (!is_ready_in_time(events)) fail("timed out");
}

bool Wire::wait_for_tls(int result) const {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ: wait(POLLIN); return true;
    case SSL_ERROR_WANT_WRITE: wait(POLLOUT); return true;
    default: return false;
  }
}

void Wire::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    if (session_ != nullptr) {
      ERR_clear_error();
      const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count);
      if (result != 1 && !wait_for_tls(result)) fail("the peer takes nothing more");
    } else {
      wait(POLLOUT);
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) fail(std::string{"cannot send: "} + std::strerror(errno));
      count = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    bytes = bytes.subspan(count);
  }
}

std::size_t Wire::read(std::span<std::byte> into) {
  for (;;) {
    if (session_ != nullptr) {
      std::size_t count = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(session_.get(), into.data(), into.size(), &count);
      if (result == 1) return count;
      if (!wait_for_tls(result)) return 0;
    } else {
      wait(POLLIN);
      const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EAGAIN) fail(std::strerror(errno));
    }
  }
}

std::string Wire::application_protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  if (session_ != nullptr) SSL_get0_alpn_selected(session_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace equinox::appliance
