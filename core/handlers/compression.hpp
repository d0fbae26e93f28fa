#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <equinox/request.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace equinox::handlers {

/// Content codings (RFC 9110 §8.4.1), in the order we prefer them.
enum class Encoding : std::uint8_t { br, zstd, gzip };
inline constexpr std::size_t kEncodings = 3;

/// "br", "zstd", "gzip": the content-coding.
std::string_view to_string(Encoding encoding) noexcept;
/// ".br", ".zst", ".gz": the suffix of a file compressed beforehand.
std::string_view suffix_of(Encoding encoding) noexcept;

/// What a request accepts besides the plain representation: at most three, the most wanted first.
struct AcceptedEncodings {
  std::array<Encoding, kEncodings> items{};
  std::size_t count{0};
  [[nodiscard]] const Encoding* begin() const noexcept { return items.data(); }
  [[nodiscard]] const Encoding* end() const noexcept { return items.data() + count; }
  [[nodiscard]] bool empty() const noexcept { return count == 0; }
};
/// See http::weigh_codings().
AcceptedEncodings accepted_encodings(const Request& request) noexcept;

/// Compresses in one go; nothing when the library fails or the coding is not made here (zstd). Takes time: never on a
/// reactor's thread.
std::optional<std::string> compress(Encoding encoding, std::string_view bytes);

}  // namespace equinox::handlers
