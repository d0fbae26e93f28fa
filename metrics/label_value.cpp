#include "metrics/label_value.hpp"

#include <algorithm>
#include <cstddef>

namespace equinox::metrics {
namespace {

/// Octets of the character that `text` begins with (RFC 3629 §4); 0 when it begins with none.
std::size_t character_size(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                           : first >= 0xE0 && first <= 0xEF ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
  }
  // What is longer than it need be, a half of a pair of UTF-16, or beyond the last character.
  const unsigned char second = at(1);
  const bool is_none = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                       (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return is_none ? 0 : size;
}

}  // namespace

std::string label_value(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string{text};
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) {
      const auto octet = static_cast<unsigned char>(text.front());
      out.append({'%', kHexDigits[octet >> 4U], kHexDigits[octet & 15U]});
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace equinox::metrics
