#pragma once

#include <equinox/response.hpp>

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

/// Appends a field that is known to be sound and none of the codec's, without looking at it again. Both views outlive
/// the response.
inline void append_sound(Response& response, std::string_view name, std::string_view value) {
  if (!ResponseAccess::append(response, name, value)) response.with(name, value);
}

}  // namespace equinox::http
