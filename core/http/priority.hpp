#pragma once

#include <cstdint>
#include <string_view>

namespace equinox::http {

/// How urgent a response is, and whether it is useful in pieces (RFC 9218 §4).
struct Priority {
  static constexpr std::uint8_t kDefaultUrgency = 3;
  static constexpr std::uint8_t kLowestUrgency = 7;
  std::uint8_t urgency{kDefaultUrgency};  ///< 0 (first) – 7 (last)
  bool incremental{false};                ///< shares its turn with others of the same urgency
  bool operator==(const Priority&) const = default;
};

/// Reads a Priority field value or the value in a PRIORITY_UPDATE frame: a Structured Fields dictionary (RFC 8941
/// §3.2). What is not a dictionary gives the defaults as a whole; unknown members and values of the wrong type or range
/// are ignored alone (RFC 9218 §4). A later member of the same key replaces an earlier one.
/// Several field lines are one list: join them with ", ".
/// @param defaults  what absent members mean: the client's wish when a response's field is read (RFC 9218 §8)
Priority parse_priority(std::string_view value, Priority defaults = {}) noexcept;

}  // namespace equinox::http
