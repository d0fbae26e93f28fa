#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/unique_fd.hpp"

namespace equinox::appliance {

/// "[::1]:80", "name:80", "name", taken apart.
struct Authority {
  std::string_view host;  ///< without brackets
  std::string_view port;  ///< empty: none is named
};
Authority split_authority(std::string_view text) noexcept;

/// A connection of a command to a server, with or without TLS. What goes wrong is a std::runtime_error that says it in
/// words. The time allowed is for the whole: a peer that sends a byte now and then does not renew it.
class Wire {
 public:
  /// @param origin  "http://host[:port]" or "https://host[:port]"; over TLS no certificate is checked
  /// @param protocol  what is offered by ALPN over TLS
  Wire(const std::string& origin, std::chrono::milliseconds allowed, std::string_view protocol);

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
  void start_tls(const std::string& host, std::string_view protocol);
  /// Waits until the socket is ready for `events` of poll(2). @return false when the time is over first
  [[nodiscard]] bool is_ready_in_time(short events) const;
  void wait(short events) const;
  /// After a call of OpenSSL that did not succeed. @return whether to repeat it; false when the session is over
  [[nodiscard]] bool wait_for_tls(int result) const;

  std::chrono::steady_clock::time_point deadline_;
  UniqueFd socket_;
  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::unique_ptr<SSL, SslFree> session_;
};

}  // namespace equinox::appliance
