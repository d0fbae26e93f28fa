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

/// Whether split_request_line() would surely take this line (complete with its CRLF): a method, a space, a target with
/// no further space, and the usual version. Quicker to see than to take the line apart.
bool is_usual(std::string_view line, const Limits& limits) noexcept {
  constexpr std::string_view kEnd = " HTTP/1.1\r\n";
  if (line.size() < kEnd.size() + 2 || line.size() > limits.target_max_bytes || line.size() > limits.head_max_bytes) {
    return false;
  }
  const std::size_t target_end = line.size() - kEnd.size();
  if (std::memcmp(line.data() + target_end, kEnd.data(), kEnd.size()) != 0) return false;
  std::size_t at = 0;
  while (is_octet(line[at], kToken)) ++at;  // ends at a space at the latest
  if (at == 0 || at > kMethodMaxBytes || line[at] != ' ' || ++at >= target_end) return false;
  return std::memchr(line.data() + at, ' ', target_end - at) == nullptr;
}

/// The complete first line, from its first octet to its LF.
Result<void> check_request_line(std::string_view line, const Limits& limits) {
  if (is_usual(line, limits)) return {};
  if (line.size() - 1 > limits.target_max_bytes) {
    // The same question that is asked of a cut line comes first, so that the answer is the same. A line shorter than
    // the longest target can only have a method that is too long, which split_request_line() refuses alike.
    if (auto bounds = check_growing_request_line(line.substr(0, line.size() - 1), limits); !bounds) return bounds;
  }
  if (line.size() - 1 >= limits.head_max_bytes) return Errc::head_too_large;
  if (line.size() < 2 || line[line.size() - 2] != '\r') return Errc::bad_request_line;  // LF alone
  const auto parts = split_request_line(line.substr(0, line.size() - 2), limits);
  return parts ? Result<void>{} : Result<void>{parts.error()};
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
  const char* const first = input.data();
  const char* const last = first + input.size();
  const char* at = first + state.scanned;
  if (state.line_start == 0) {
    const auto* const end = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(last - at)));
    if (end == nullptr) {
      if (auto bounds = check_growing_request_line(input, limits); !bounds) return bounds.error();
      if (input.size() > limits.head_max_bytes) return Errc::head_too_large;
      state.scanned = static_cast<std::uint32_t>(input.size());
      return std::size_t{0};
    }
    at = end + 1;
    const std::string_view line{first, static_cast<std::size_t>(at - first)};
    if (auto checked = check_request_line(line, limits); !checked) return checked.error();
    state.line_start = static_cast<std::uint32_t>(line.size());
  }
  const char* line = first + state.line_start;
  while (at < last) {
    const auto* const end = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(last - at)));
    if (end == nullptr) break;
    const auto position = static_cast<std::size_t>(end - first);
    if (position >= limits.head_max_bytes) return Errc::head_too_large;
    if (end[-1] != '\r') return Errc::bad_field;  // LF alone; there is always an octet in front
    if (end - line == 1) return position + 1;
    if (*line == ' ' || *line == '\t' || *line == ':') return Errc::bad_field;
    if (state.fields >= limits.fields_max_count) return Errc::head_too_large;
    ++state.fields;
    at = line = end + 1;
  }
  if (input.size() > limits.head_max_bytes) return Errc::head_too_large;
  state.scanned = static_cast<std::uint32_t>(input.size());
  state.line_start = static_cast<std::uint32_t>(line - first);
  return std::size_t{0};
}

}  // namespace equinox::http
