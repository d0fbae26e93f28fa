#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/request.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace equinox::http {

/// Answered before the connection preface of the server when an upgrade is taken (RFC 7540 §3.2).
inline constexpr std::string_view kSwitchingToH2c =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

/// The SETTINGS payload a request asks to be upgraded with, or nothing when the request must stay on HTTP/1.1: not
/// HTTP/1.1, has a body, `h2c` not in Upgrade, `Upgrade` or `HTTP2-Settings` not in Connection, not exactly one
/// HTTP2-Settings, not strict base64url, a length that is no multiple of 6, a value out of range (RFC 9113 §6.5.2).
/// An empty payload is a valid one (no settings).
std::optional<std::string> h2c_settings(const RequestHead& head);

/// Strict base64url without padding (RFC 4648 §5): no other character, no bits left over.
std::optional<std::string> decode_base64url(std::string_view text);

/// True when `payload` is a sequence of settings with values in range.
bool is_valid_settings_payload(std::string_view payload) noexcept;

}  // namespace equinox::http
