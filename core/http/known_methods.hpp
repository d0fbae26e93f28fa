#pragma once

#include <algorithm>
#include <equinox/method.hpp>
#include <iterator>
#include <string_view>

namespace equinox::http {

/// Registered methods without a meaning here, in order. They reach a handler as Method::other, the same ones by
/// whichever protocol they come; llhttp knows no others.
inline constexpr std::string_view kOtherMethods[] = {
    "ACL",        "BIND",   "CHECKOUT",  "COPY",   "LINK",     "LOCK",      "M-SEARCH",   "MERGE",  "MKACTIVITY",
    "MKCALENDAR", "MKCOL",  "MOVE",      "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE",      "REBIND", "REPORT",
    "SEARCH",     "SOURCE", "SUBSCRIBE", "UNBIND", "UNLINK",   "UNLOCK",    "UNSUBSCRIBE"};

/// Whether a request with this method reaches a handler; all others are answered 501.
inline bool is_known(Method method, std::string_view name) noexcept {
  return method != Method::other || std::binary_search(std::begin(kOtherMethods), std::end(kOtherMethods), name);
}

}  // namespace equinox::http
