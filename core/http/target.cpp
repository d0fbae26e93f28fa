#include "http/target.hpp"

#include <algorithm>
#include <cstring>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

/// The octet that "%XY" at `text` stands for, or -1.
int decoded_octet(std::string_view text) noexcept {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Takes the next octet off a path, decoded; -1 at its end.
int take_decoded(std::string_view& path) noexcept {
  if (path.empty()) return -1;
  const int encoded = path.front() == '%' ? decoded_octet(path) : -1;
  const int octet = encoded >= 0 ? encoded : static_cast<unsigned char>(path.front());
  path.remove_prefix(encoded >= 0 ? 3 : 1);
  return octet;
}

/// Whether a percent sign in front of this would, once decoded, begin an encoding of the slash: "2F" follows, or
/// "252F", and so on. However those are written: "%32%46" is "2F" as well.
bool stands_for_encoded_slash(std::string_view behind) noexcept {
  while (take_decoded(behind) == '2') {
    const int next = take_decoded(behind);
    if (next == 'F' || next == 'f') return true;
    if (next != '5') return false;
  }
  return false;
}

/// Decodes into `out`; false for a broken encoding or NUL.
bool decode_path(std::string_view path, std::string& out) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out.push_back(path[i]);
      continue;
    }
    const int octet = decoded_octet(path.substr(i));
    if (octet <= 0) return false;
    const bool stays = octet == '/' || (octet == '%' && stands_for_encoded_slash(path.substr(i + 3)));
    if (stays) {
      out.append(octet == '/' ? "%2F" : "%25");
    } else {
      out.push_back(static_cast<char>(octet));
    }
    i += 2;
  }
  return true;
}

/// RFC 3986 §5.2.4 in place, on a path that starts with '/'. False when it climbs above the root.
bool remove_dot_segments(std::string& path) {
  std::size_t out = 0;
  std::size_t in = 0;
  while (in < path.size()) {
    const std::size_t end = std::min(path.find('/', in + 1), path.size());
    const std::string_view segment = std::string_view{path}.substr(in + 1, end - in - 1);
    const bool is_last = end == path.size();
    if (segment == "..") {
      if (out == 0) return false;
      out = path.rfind('/', out - 1);
      if (is_last) path[out++] = '/';
    } else if (segment == ".") {
      if (is_last) path[out++] = '/';
    } else {
      std::memmove(path.data() + out, path.data() + in, end - in);
      out += end - in;
    }
    in = end;
  }
  path.resize(out == 0 ? 1 : out);
  path[0] = '/';
  return true;
}

bool needs_work(std::string_view path) noexcept {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%') return true;
    if (path[i] == '.' && path[i - 1] == '/') return true;  // perhaps a dot segment; the first octet is '/'
  }
  return false;
}

Result<Target> parse_path_and_query(std::string_view text, std::string& scratch) {
  std::size_t path_end = 0;
  while (path_end < text.size() && is_octet(text[path_end], kPlainPath)) ++path_end;
  const bool is_plain = path_end == text.size() || !is_octet(text[path_end], kTargetPath);
  while (path_end < text.size() && is_octet(text[path_end], kTargetPath)) ++path_end;
  Target target;
  target.path = text.substr(0, path_end);
  if (path_end != text.size()) {
    if (text[path_end] != '?') return Errc::bad_target;
    target.query = text.substr(path_end + 1);
    if (!all_octets(target.query, kTargetQuery)) return Errc::bad_target;
  }
  if (!is_plain) {
    auto normalized = normalize_path(target.path, scratch);
    if (!normalized) return normalized.error();
    target.path = *normalized;
  }
  return target;
}

Result<Target> parse_absolute(Method method, std::string_view text, std::string& scratch) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return Errc::bad_target;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return Errc::bad_target;
  const std::string_view rest = text.substr(scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (!is_valid_authority(authority)) return Errc::bad_target;
  const std::string_view behind = rest.substr(authority_end);
  Target target;
  if (behind.empty()) {
    target.path = method == Method::options ? "*" : "/";  // RFC 9112 §3.2.4
  } else if (behind.front() == '?') {
    if (!all_octets(behind.substr(1), kTargetQuery)) return Errc::bad_target;
    target.path = "/";
    target.query = behind.substr(1);
  } else {
    auto parsed = parse_path_and_query(behind, scratch);
    if (!parsed) return parsed.error();
    target = *parsed;
  }
  target.authority = authority;
  return target;
}

Result<Target> parse_authority_form(std::string_view text) {
  // RFC 9112 §3.2.3: host and port, both required.
  const std::string_view host = host_of(text);
  if (!is_valid_authority(text) || text.size() < host.size() + 2) return Errc::bad_target;
  Target target;
  target.authority = text;
  return target;
}

void append_encoded(char c, Kept kept, std::string& out) {
  constexpr std::string_view kUnreserved = "-._~/";
  constexpr std::string_view kOfPaths = "!$&'()*+,;=:@";
  const bool is_alphanumeric = (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
  if (is_alphanumeric || kUnreserved.find(c) != std::string_view::npos ||
      (kept == Kept::of_paths && kOfPaths.find(c) != std::string_view::npos)) {
    out.push_back(c);
    return;
  }
  const auto octet = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kHexDigits[octet >> 4U]);
  out.push_back(kHexDigits[octet & 15U]);
}

}  // namespace

Result<Target> parse_target(Method method, std::string_view target, std::string& scratch) {
  if (target.empty()) return Errc::bad_target;
  if (method == Method::connect) return parse_authority_form(target);
  if (target.front() == '/') return parse_path_and_query(target, scratch);
  if (target == "*") {
    if (method != Method::options) return Errc::bad_target;
    return Target{.path = "*", .query = {}, .authority = {}};
  }
  return parse_absolute(method, target, scratch);
}

Result<std::string_view> normalize_path(std::string_view path, std::string& scratch) {
  if (path.empty() || path.front() != '/') return Errc::bad_target;
  if (!needs_work(path)) return path;
  scratch.clear();
  scratch.reserve(path.size() * 3);
  if (!decode_path(path, scratch) || !remove_dot_segments(scratch)) return Errc::bad_target;
  return std::string_view{scratch};
}

std::string_view decode_rest(std::string_view segment, std::string& scratch) {
  if (segment.find('%') == std::string_view::npos) return segment;
  const std::size_t start = scratch.size();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const std::string_view rest = segment.substr(i);
    if (rest.starts_with("%2F")) {
      scratch.push_back('/');
      i += 2;
    } else if (rest.starts_with("%25") && stands_for_encoded_slash(rest.substr(3))) {
      scratch.push_back('%');
      i += 2;
    } else {
      scratch.push_back(segment[i]);
    }
  }
  return std::string_view{scratch}.substr(start);
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int octet = text[i] == '%' ? decoded_octet(text.substr(i)) : -1;
    if (octet >= 0) {
      out.push_back(static_cast<char>(octet));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string encode_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path) append_encoded(c, Kept::unreserved, out);
  return out;
}

std::string encode_segment(std::string_view text, Kept kept) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '/') {
      out.append("%2F");
    } else {
      append_encoded(c, kept, out);
    }
  }
  return out;
}

std::string encode_normalized(std::string_view path, Kept kept) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::string_view rest = path.substr(i);
    if (rest.starts_with("%2F") || (rest.starts_with("%25") && stands_for_encoded_slash(rest.substr(3)))) {
      out.append(rest.substr(0, 3));  // as it came
      i += 2;
    } else {
      append_encoded(path[i], kept, out);
    }
  }
  return out;
}

std::string query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) == name) {
      return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

}  // namespace equinox::http
