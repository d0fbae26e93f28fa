#pragma once

#include <cstdint>
#include <string_view>

namespace equinox {

/// A status code, 100–599 (RFC 9110 §15); any other number becomes 500. A plain integer inside: codes without a name
/// here are allowed. A response of a handler is final, 200–599: an interim one becomes 500, too.
class Status {
 public:
  constexpr Status(int code = 200) noexcept  // NOLINT(google-explicit-constructor)
      : code_{static_cast<std::uint16_t>(code >= 100 && code <= 599 ? code : 500)} {}
  [[nodiscard]] constexpr int code() const noexcept { return code_; }
  /// "Not Found"; empty for a code without a registered phrase.
  [[nodiscard]] std::string_view reason() const noexcept;
  /// 1xx, 204, 205 and 304 never carry content (RFC 9110 §6.4.1).
  [[nodiscard]] constexpr bool forbids_body() const noexcept {
    return code_ < 200 || code_ == 204 || code_ == 205 || code_ == 304;
  }
  constexpr bool operator==(const Status&) const = default;

 private:
  std::uint16_t code_;
};

}  // namespace equinox
