#include "http/http1_guard.hpp"

#include <cstring>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

constexpr std::size_t kMethodMaxBytes = 32;

Result<void> check_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return {};
  // name "/" digit "." digit of another protocol or version is understood and refused; anything else is garbage.
  const std::size_t slash = version.find('/');
  if (slash == std::string_view::npos || version.size() != slash + 4 || version[slash + 2] != '.') {
    return Errc::bad_request_line;
  }
  for (const char c : version.substr(0, slash)) {
    if (c < 'A' || c > 'Z') return Errc::bad_request_line;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (slash == 0 || !is_digit(version[slash + 1]) || !is_digit(version[slash + 3])) return Errc::bad_request_line;
  return Errc::version_unsupported;
}

/// Bounds of a request line of which `line` is known. They grow with the line, so a cut line is refused exactly when
/// the whole one would be.
Result<void> check_growing_request_line(std::string_view line, const Limits& limits) {
  const std::size_t space = line.substr(0, kMethodMaxBytes + 1).find(' ');
  if (space == std::string_view::npos) {
    if (line.size() > kMethodMaxBytes) return Errc::bad_request_line;
    return {};
  }
  const std::string_view rest = line.substr(space + 1);
  if (rest.size() <= limits.target_max_bytes) return {};
  if (rest.substr(0, limits.target_max_bytes + 1).find(' ') == std::string_view::npos) return Errc::target_too_long;
  return {};
}

Result<void> check_line(std::string_view input, std::size_t end, const GuardState& state, const Limits& limits) {
  const std::string_view line = input.substr(state.line_start, end - state.line_start);
  const Errc kind = state.line_start == 0 ? Errc::bad_request_line : Errc::bad_field;
  if (line.empty() || line.back() != '\r') return kind;  // LF alone
  if (state.line_start == 0) {
    const auto parts = split_request_line(line.substr(0, line.size() - 1), limits);
    return parts ? Result<void>{} : Result<void>{parts.error()};
  }
  if (line.front() == ' ' || line.front() == '\t' || line.front() == ':') return Errc::bad_field;
  if (state.fields >= limits.fields_max_count && line.size() > 1) return Errc::head_too_large;
  return {};
}

}  // namespace

Result<RequestLine> split_request_line(std::string_view line, const Limits& limits) {
  std::size_t method_end = 0;  // a loop: methods are too short for a call of memchr
  while (method_end < line.size() && is_octet(line[method_end], kToken)) ++method_end;
  if (method_end == 0 || method_end > kMethodMaxBytes) return Errc::bad_request_line;
  if (method_end == line.size() || line[method_end] != ' ') return Errc::bad_request_line;
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return Errc::bad_request_line;
  const RequestLine parts{.method = line.substr(0, method_end),
                          .target = line.substr(method_end + 1, target_end - method_end - 1),
                          .version = line.substr(target_end + 1)};
  if (parts.target.empty()) return Errc::bad_request_line;
  if (parts.target.size() > limits.target_max_bytes) return Errc::target_too_long;
  // A version with a space in it is a second space, or a target with one: both can be read in two ways.
  if (auto version = check_version(parts.version); !version) return version.error();
  return parts;
}

Result<std::size_t> scan_head(std::string_view input, GuardState& state, const Limits& limits) {
  while (state.scanned < input.size()) {
    const void* found = std::memchr(input.data() + state.scanned, '\n', input.size() - state.scanned);
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    if (state.line_start == 0 && end > limits.target_max_bytes) {
      // The same question that is asked of a cut line comes first, so that the answer is the same. A line shorter than
      // the longest target can only have a method that is too long, which split_request_line() refuses alike.
      if (auto bounds = check_growing_request_line(input.substr(0, end), limits); !bounds) return bounds.error();
    }
    if (end >= limits.head_max_bytes) return Errc::head_too_large;
    if (auto checked = check_line(input, end, state, limits); !checked) return checked.error();
    const bool is_empty_line = end - state.line_start == 1;
    if (state.line_start != 0 && !is_empty_line) ++state.fields;
    state.scanned = static_cast<std::uint32_t>(end + 1);
    state.line_start = state.scanned;
    if (is_empty_line) return end + 1;
  }
  if (state.line_start == 0) {
    if (auto bounds = check_growing_request_line(input, limits); !bounds) return bounds.error();
  }
  if (input.size() > limits.head_max_bytes) return Errc::head_too_large;
  state.scanned = static_cast<std::uint32_t>(input.size());
  return std::size_t{0};
}

}  // namespace equinox::http
