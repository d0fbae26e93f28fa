#pragma once

#include <cstdint>
#include <string_view>

namespace equinox {

/// A status code, 100–599 (RFC 9110 §15). A plain integer inside: codes without a name here are allowed.
class Status {
 public:
  constexpr Status(int code = 200) noexcept
      : code_{static_cast<std::uint16_t>(code)} {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr int code() const noexcept { return code_; }
  /// "Not Found"; empty for a code without a registered phrase.
  [[nodiscard]] std::string_view reason() const noexcept;
  [[nodiscard]] constexpr bool is_error() const noexcept { return code_ >= 400; }
  /// 1xx, 204, 205 and 304 never carry content (RFC 9110 §6.4.1).
  [[nodiscard]] constexpr bool forbids_body() const noexcept {
    return code_ < 200 || code_ == 204 || code_ == 205 || code_ == 304;
  }
  constexpr bool operator==(const Status&) const = default;

 private:
  std::uint16_t code_;
};

}  // namespace equinox
