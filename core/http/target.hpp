#pragma once

#include <cstdint>
#include <equinox/method.hpp>
#include <equinox/request.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace equinox::http {

/// A request target taken apart (RFC 9112 §3.2). Views point into the target, or into `scratch` where decoding changed
/// something.
struct Target {
  std::string_view path;       ///< see RequestHead::path; empty for the authority-form
  std::string_view query;      ///< without '?', undecoded
  std::string_view authority;  ///< absolute-form and authority-form; else empty
};

/// Takes a target apart. origin-form, absolute-form (http and https), asterisk-form for OPTIONS only, authority-form
/// for CONNECT only. `scratch` is used only when the path holds percent signs or dot segments; its storage must live
/// as long as the views.
/// @error bad_target: a character that needs encoding, '#', a broken percent-encoding, %00, userinfo, a path that
///        climbs above the root
Result<Target> parse_target(Method method, std::string_view target, std::string& scratch);

/// Decodes a path and removes its dot segments (RFC 3986 §5.2.4): "%2e%2e/" is "../". %2F stays encoded, because it
/// is data and not a separator, and so does a %25 in front of "2F", "252F" and so on, so that the result can still be
/// read one way only.
/// Same errors as parse_target, which uses it.
/// @return a view of `path` itself when nothing changed, else of `scratch`
Result<std::string_view> normalize_path(std::string_view path, std::string& scratch);

/// Decodes what normalize_path has left: "%2F" to "/", "%252F" to "%2F".
/// @return `segment` itself when there was nothing to decode, else a view of what was appended to `scratch`, whose
///         capacity must suffice (segment.size() bytes)
std::string_view decode_rest(std::string_view segment, std::string& scratch);

/// Decodes every valid percent-encoding; others stay as they are. `plus_is_space` for form data (WHATWG URL §5.1).
std::string percent_decode(std::string_view text, bool plus_is_space = false);
/// What an encoding leaves as it is.
enum class Kept : std::uint8_t {
  unreserved,  ///< RFC 3986 §2.3: fits a path, a query and HTML
  of_paths,    ///< all of pchar, RFC 3986 §3.3: an encoded ';' is not the ';' that was asked for. In a path only: in a
               ///< host ':' and '@' name another one, in a query '&', '=' and '+' part it
};
/// Encodes all octets but unreserved ones (RFC 3986 §2.3) and '/', so that the result is a path in any field value.
std::string encode_path(std::string_view path);
/// The same, '/' too: one segment of a path, such as a parameter's value.
std::string encode_segment(std::string_view text, Kept kept = Kept::unreserved);
/// The same as encode_path for what normalize_path gave: sent again it names the same path, since the encodings that
/// were kept stay.
std::string encode_normalized(std::string_view path, Kept kept = Kept::unreserved);
/// The value of the first query parameter of that name, decoded; empty when absent.
std::string query_parameter(std::string_view query, std::string_view name);

}  // namespace equinox::http
