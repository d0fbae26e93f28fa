#pragma once

#include <algorithm>
#include <cstdint>
#include <equinox/response.hpp>
#include <limits>
#include <variant>

#include "http/headers.hpp"

namespace equinox::http {

/// What the server itself may do to a response and a handler may not.
struct ResponseAccess {
  static bool append(Response& response, std::string_view name, std::string_view value) noexcept {
    if (response.count_ == Response::kInlineFields) return false;
    new (response.fields() + response.count_) Response::OutField{name, value};
    ++response.count_;
    return true;
  }
};

/// Whether a response has a field of that name, an empty one included.
inline bool has_field(const Response& response, std::string_view name) noexcept {
  for (std::size_t i = 0; i < response.inline_field_count(); ++i) {
    if (equals_ignoring_case(response.inline_field(i).name, name)) return true;
  }
  return response.has_more() && std::any_of(response.more_fields().begin(), response.more_fields().end(),
                                            [&](const auto& field) { return equals_ignoring_case(field.first, name); });
}

/// Whether there can be such a part of a file: its last octet is one that can be asked for.
inline bool is_possible(const FileBody& part) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return part.offset <= kMost && part.length <= kMost - part.offset;
}

/// Whether this can be sent as it is. Fields are checked as they are set; a content type can be set without passing
/// there, and an interim status (RFC 9110 §15.2) would make the client take the next answer for this one.
inline bool is_sound(const Response& response) noexcept {
  if (const auto* file = std::get_if<FileBody>(&response.body()); file != nullptr && !is_possible(*file)) return false;
  return response.status().code() >= 200 && is_safe_value(response.content_type());
}

/// Outer blanks go from fields as those are set, and from a content type here.
inline void trim_content_type(Response& response) {
  const std::string_view type = response.content_type();
  if (has_outer_blank(type)) response.content_type(std::string{trim(type)});
}

/// Appends a field that is known to be sound and none of the codec's, without looking at it again. Both views outlive
/// the response.
inline void append_sound(Response& response, std::string_view name, std::string_view value) {
  if (!ResponseAccess::append(response, name, value)) response.with(name, value);
}

}  // namespace equinox::http
