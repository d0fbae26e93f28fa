#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/base/unique_fd.hpp"

namespace equinox::appliance {

/// A blocking connection of a command to a server, with or without TLS. What goes wrong is a std::runtime_error that
/// says it in words; nothing waits longer than the time allowed for the whole.
class Wire {
 public:
  /// @param origin  "http://host[:port]" or "https://host[:port]"; over TLS "h2" is offered, and no certificate checked
  Wire(const std::string& origin, std::chrono::milliseconds allowed);

  void write(std::span<const std::byte> bytes);
  /// @returns how many bytes came; 0 when the peer is done
  std::size_t read(std::span<std::byte> into);

  /// What the peer chose by ALPN; empty without TLS or without a choice.
  [[nodiscard]] std::string application_protocol() const;

 private:
  struct SslFree {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    void operator()(SSL* session) const noexcept { SSL_free(session); }
  };

  void connect(const std::string& host, const std::string& port);
  void start_tls(const std::string& host);
  /// Gives the next system call what is left of the time.
  void limit_waiting() const;

  std::chrono::steady_clock::time_point deadline_;
  UniqueFd socket_;
  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::unique_ptr<SSL, SslFree> session_;
};

}  // namespace equinox::appliance
