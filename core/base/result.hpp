#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace equinox {

/// What went wrong, as a value. One list for every layer, so that an error keeps its identity on its way up:
/// `server/` maps each to a status, a close reason and a counter.
enum class Errc : std::uint8_t {
  // system
  system,                 ///< any system call; `os_errno` says which error
  address_invalid,        ///< not an address, or a port out of range
  descriptors_exhausted,  ///< EMFILE or ENFILE
  peer_closed,            ///< orderly end of the peer's bytes
  peer_reset,             ///< ECONNRESET, EPIPE
  timed_out,              ///< ETIMEDOUT from the kernel
  // TLS
  tls_handshake,  ///< handshake failed; `detail` is the alert sent or received, 0 when none
  tls_alert,      ///< fatal alert of the peer; `detail` is the alert
  tls_record,     ///< broken record after the handshake; `detail` is the alert that was sent for it, 0 when none
  tls_flood,      ///< handshake messages without end on an established connection
  tls_plaintext,  ///< cleartext HTTP on a TLS listener
  tls_no_shared_cipher,
  tls_version,
  tls_sni_unknown,
  tls_configuration,  ///< certificate, key or cipher list cannot be used
  // HTTP/1 (RFC 9112), refused with a status
  bad_request_line,         ///< 400
  bad_field,                ///< 400: name, value, obs-fold, bare LF or CR
  bad_host,                 ///< 400: RFC 9112 §3.2
  bad_target,               ///< 400
  bad_chunk,                ///< 400: RFC 9112 §7.1
  conflicting_framing,      ///< 400: RFC 9112 §6.3, could be read two ways
  transfer_coding_unknown,  ///< 501: RFC 9112 §6.1
  method_unknown,           ///< 501: RFC 9110 §15.6.2
  version_unsupported,      ///< 505
  target_too_long,          ///< 414
  head_too_large,           ///< 431: bytes or number of fields
  trailers_too_large,       ///< 431
  content_too_large,        ///< 413
  memory_limit,             ///< 503: no more of the body may be held
  chunk_overhead,           ///< 413: extensions or chunks too small for what they carry
  expectation_failed,       ///< 417
  misdirected,              ///< 421
  wrong_protocol,           ///< neither HTTP/1 nor the HTTP/2 preface: closed without text
  // HTTP/2 (RFC 9113), connection errors
  h2_preface,
  h2_protocol,
  h2_flow_control,
  h2_compression,
  h2_frame_size,
  h2_rapid_reset,
  h2_own_resets,
  h2_flood_settings,
  h2_flood_ping,
  h2_flood_continuation,
  h2_flood_empty,
  h2_flood_priority,
  h2_flood_window_update,
  h2_flood_data_tiny,
  h2_header_bomb,
  h2_internal,
  // anything a file body can do
  file_changed,  ///< the file ended before the announced length
  body_failed,   ///< a generator gave up after the response had started
  out_of_memory,
  invalid_argument,
};

/// Short lower-case name, as in logs: "conflicting_framing".
std::string_view to_string(Errc code) noexcept;

struct Error {
  Errc code{Errc::system};
  int os_errno{0};          ///< errno, 0 when none
  std::uint32_t detail{0};  ///< TLS alert, HTTP/2 error code, or byte offset: the code says which

  bool operator==(const Error&) const = default;
};

/// A value or an Error. A thin class over tl::expected only to be [[nodiscard]] as a type.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_{std::move(value)} {}                  // NOLINT(google-explicit-constructor)
  Result(Error error) : state_{tl::unexpected<Error>{error}} {}  // NOLINT(google-explicit-constructor)
  Result(Errc code) : Result{Error{code}} {}                     // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return state_.has_value(); }
  explicit operator bool() const noexcept { return state_.has_value(); }
  T& operator*() & noexcept { return *state_; }
  const T& operator*() const& noexcept { return *state_; }
  T&& operator*() && noexcept { return *std::move(state_); }
  T* operator->() noexcept { return &*state_; }
  const T* operator->() const noexcept { return &*state_; }
  [[nodiscard]] const Error& error() const noexcept { return state_.error(); }

 private:
  tl::expected<T, Error> state_;
};

/// Nothing or an Error, in one register: what is put together from pieces in memory and then loaded as words has to
/// wait until it has reached the cache, and several of these are returned for every request.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) noexcept  // NOLINT(google-explicit-constructor)
      : packed_{(static_cast<std::uint64_t>(error.code) + 1U) |
                static_cast<std::uint64_t>(error.os_errno & 0xff'ffff) << 8U | std::uint64_t{error.detail} << 32U} {}
  Result(Errc code) noexcept : Result{Error{code}} {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return packed_ == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// Only without a value.
  [[nodiscard]] Error error() const noexcept {
    return {static_cast<Errc>((packed_ & 255U) - 1U), static_cast<int>((packed_ >> 8U) & 0xff'ffffU),
            static_cast<std::uint32_t>(packed_ >> 32U)};
  }

 private:
  static_assert(static_cast<unsigned>(Errc::invalid_argument) + 1U < 256U, "each code and one is an octet");
  /// From the lowest octet: the code and one, the errno, the detail.
  std::uint64_t packed_{0};
};

}  // namespace equinox
