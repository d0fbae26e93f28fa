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

void append_number(std::string& text, std::uint32_t number, int base) {
  std::array<char, 10> digits;
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr);
}

}  // namespace

std::string to_string(ConnectionId id) {
  std::string text;
  append_number(text, id.reactor(), 10);
  text.push_back('-');
  append_number(text, id.index(), 16);
  text.push_back('-');
  append_number(text, id.generation, 10);
  return text;
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
