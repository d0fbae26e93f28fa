#pragma once

#include <cstdint>
#include <equinox/request.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace equinox::handlers {

/// What identifies the representation that would be sent.
struct Validators {
  std::string_view etag;        ///< with quotes, "W/" in front of a weak one; empty: none
  std::int64_t modified_s{-1};  ///< Last-Modified, seconds since 1970; -1: none
};

enum class Precondition : std::uint8_t {
  proceed,
  not_modified,  ///< 304, RFC 9110 §15.4.5
  failed,        ///< 412, RFC 9110 §15.5.13
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 §13.2.2.
Precondition evaluate_preconditions(const Request& request, const Validators& validators) noexcept;

/// Whether Range may be used: no If-Range, or one that matches strongly (RFC 9110 §13.1.5).
bool if_range_holds(const Request& request, const Validators& validators) noexcept;

/// Bytes first..last, both included.
struct ByteRange {
  std::uint64_t first{0};
  std::uint64_t last{0};
  [[nodiscard]] std::uint64_t length() const noexcept { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

enum class RangeStatus : std::uint8_t {
  whole,          ///< no Range, one that is not understood, or one asking for too much: send everything
  partial,        ///< 206 with `ranges`
  unsatisfiable,  ///< 416
};
struct RangeSelection {
  RangeStatus status{RangeStatus::whole};
  std::vector<ByteRange> ranges;  ///< disjoint, so that together they are never more than the file
};

inline constexpr std::size_t kRangesMax = 16;

/// Reads a Range field (RFC 9110 §14.2). Ranges that touch or overlap are joined; more than kRangesMax are ignored, as
/// is a unit other than bytes.
RangeSelection select_ranges(std::optional<std::string_view> field, std::uint64_t size_bytes);

}  // namespace equinox::handlers
