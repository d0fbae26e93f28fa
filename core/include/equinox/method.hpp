#pragma once

#include <cstdint>
#include <string_view>

namespace equinox {

/// Request methods with a meaning here (RFC 9110 §9, RFC 5789). Every other registered method llhttp knows arrives as
/// `other`, with its name in Request::method_name(); a token nobody knows is answered 501 before any handler.
enum class Method : std::uint8_t { get, head, post, put, del, connect, options, trace, patch, other };
inline constexpr std::size_t kMethodCount = 10;

/// As to_string() says them. One object, so that nobody builds the table on his stack.
inline constexpr std::string_view kMethodNames[kMethodCount] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                                "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"};

/// "GET"; "_OTHER" for `other` (the metric label of OpenTelemetry's HTTP conventions).
constexpr std::string_view to_string(Method method) noexcept { return kMethodNames[static_cast<std::size_t>(method)]; }

/// Methods are case-sensitive (RFC 9110 §9.1); anything not listed is `other`.
constexpr Method parse_method(std::string_view name) noexcept {
  for (std::size_t i = 0; i + 1 < kMethodCount; ++i) {
    if (name == to_string(static_cast<Method>(i))) return static_cast<Method>(i);
  }
  return Method::other;
}

}  // namespace equinox
