#include "handlers/conditional.hpp"

#include <algorithm>
#include <charconv>

#include "http/date.hpp"
#include "http/headers.hpp"

namespace equinox::handlers {
namespace {

std::string_view opaque(std::string_view etag) noexcept { return etag.starts_with("W/") ? etag.substr(2) : etag; }
bool is_weak(std::string_view etag) noexcept { return etag.starts_with("W/"); }

/// Any of the field's lines lists the tag. `strong`: weak tags never match (RFC 9110 §8.8.3.2).
bool any_tag_matches(const Request& request, std::string_view name, std::string_view etag, bool strong) noexcept {
  for (const Field& field : request.fields()) {
    if (!http::equals_ignoring_case(field.name, name)) continue;
    std::string_view list = field.value;
    while (const auto tag = http::next_member(list)) {
      if (*tag == "*") return true;
      if (etag.empty() || opaque(*tag) != opaque(etag)) continue;
      if (!strong || (!is_weak(*tag) && !is_weak(etag))) return true;
    }
  }
  return false;
}

/// Any number of digits, as RFC 9110 §14.1.1 has it: what no file reaches is the largest number there is.
bool parse_position(std::string_view text, std::uint64_t& value) noexcept {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) value = UINT64_MAX;
  return !text.empty() && read.ec != std::errc::invalid_argument && read.ptr == text.data() + text.size();
}

enum class Spec : std::uint8_t { malformed, outside, inside };

/// "0-499", "500-", "-200".
Spec read_spec(std::string_view text, std::uint64_t size, ByteRange& range) noexcept {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return Spec::malformed;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (dash == 0) {
    if (!parse_position(text.substr(1), last)) return Spec::malformed;
    if (last == 0 || size == 0) return Spec::outside;
    range = {last >= size ? 0 : size - last, size - 1};
    return Spec::inside;
  }
  if (!parse_position(text.substr(0, dash), first)) return Spec::malformed;
  const std::string_view end = text.substr(dash + 1);
  if (end.empty()) {
    last = size == 0 ? 0 : size - 1;
  } else if (!parse_position(end, last) || last < first) {
    return Spec::malformed;
  }
  if (first >= size) return Spec::outside;
  range = {first, std::min(last, size - 1)};
  return Spec::inside;
}

/// Joins ranges that touch or overlap; leaves the client's order alone when none do (RFC 9110 §15.3.7.2).
void join(std::vector<ByteRange>& ranges) {
  std::vector<ByteRange> sorted = ranges;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ByteRange> joined;
  for (const ByteRange& range : sorted) {
    if (!joined.empty() && range.first <= joined.back().last + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  if (joined.size() != ranges.size()) ranges = std::move(joined);
}

}  // namespace

Precondition evaluate_preconditions(const Request& request, const Validators& validators) noexcept {
  const bool is_read = request.method() == Method::get || request.method() == Method::head;
  if (request.field("if-match")) {
    if (!any_tag_matches(request, "if-match", validators.etag, true)) return Precondition::failed;
  } else if (const auto unmodified = request.field("if-unmodified-since"); unmodified && validators.modified_s >= 0) {
    const std::int64_t since = http::parse_http_date(*unmodified);
    if (since >= 0 && validators.modified_s > since) return Precondition::failed;
  }
  if (request.field("if-none-match")) {
    if (any_tag_matches(request, "if-none-match", validators.etag, false)) {
      return is_read ? Precondition::not_modified : Precondition::failed;
    }
  } else if (const auto modified = request.field("if-modified-since");
             is_read && modified && validators.modified_s >= 0) {
    const std::int64_t since = http::parse_http_date(*modified);
    if (since >= 0 && validators.modified_s <= since) return Precondition::not_modified;
  }
  return Precondition::proceed;
}

bool if_range_holds(const Request& request, const Validators& validators) noexcept {
  const auto field = request.field("if-range");
  if (!field) return true;
  const std::string_view value = http::trim(*field);
  if (value.starts_with('"')) return !is_weak(validators.etag) && value == validators.etag;
  if (value.starts_with("W/")) return false;
  const std::int64_t date = http::parse_http_date(value);
  return date >= 0 && date == validators.modified_s;
}

RangeSelection select_ranges(std::optional<std::string_view> field, std::uint64_t size_bytes) {
  RangeSelection out;
  if (!field) return out;
  const auto equals = field->find('=');
  if (equals == std::string_view::npos || !http::equals_ignoring_case(field->substr(0, equals), "bytes")) return out;
  std::string_view list = field->substr(equals + 1);
  bool any_outside = false;
  while (const auto spec = http::next_member(list)) {
    ByteRange range;
    const Spec kind = read_spec(*spec, size_bytes, range);
    if (kind == Spec::malformed || out.ranges.size() == kRangesMax) return {};
    any_outside = any_outside || kind == Spec::outside;
    if (kind == Spec::inside) out.ranges.push_back(range);
  }
  if (out.ranges.empty()) {
    out.status = any_outside ? RangeStatus::unsatisfiable : RangeStatus::whole;
    return out;
  }
  join(out.ranges);
  out.status = RangeStatus::partial;
  return out;
}

}  // namespace equinox::handlers
