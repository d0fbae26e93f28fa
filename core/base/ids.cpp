#include <array>
#include <charconv>
#include <equinox/ids.hpp>

namespace equinox {
namespace {

// Reads one number that fills `text` from its start to `stop` (or to the end when `stop` is 0) and steps over it.
bool take_number(std::string_view& text, char stop, int base, std::uint32_t highest, std::uint32_t& value) noexcept {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || value > highest) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (stop == '\0') return text.empty();
  if (text.empty() || text.front() != stop) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string to_string(ConnectionId id) {
  std::array<char, 32> text;
  char* const end = text.data() + text.size();
  char* cursor = std::to_chars(text.data(), end, static_cast<unsigned>(id.reactor())).ptr;
  *cursor++ = '-';
  cursor = std::to_chars(cursor, end, id.index(), 16).ptr;
  *cursor++ = '-';
  cursor = std::to_chars(cursor, end, id.generation).ptr;
  return {text.data(), cursor};
}

ConnectionId parse_connection_id(std::string_view text) noexcept {
  std::uint32_t reactor = 0;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  if (!take_number(text, '-', 10, 255, reactor)) return {};
  if (!take_number(text, '-', 16, (1U << ConnectionId::kSlotBits) - 1U, index)) return {};
  if (!take_number(text, '\0', 10, UINT32_MAX, generation)) return {};
  return generation == 0 ? ConnectionId{} : ConnectionId::make(static_cast<ReactorIndex>(reactor), index, generation);
}

}  // namespace equinox
