#pragma once

#include <optional>
#include <string_view>

namespace equinox::handlers {

/// What a request path below a static route means on disk.
struct StaticPath {
  std::string_view relative;  ///< without slashes at its ends; empty: the root itself
  bool names_folder{false};   ///< it ended with a slash, or is the root
};

/// Maps the rest of a decoded path to a relative name, or to nothing when no file may answer: a segment that is empty,
/// begins with a dot (so neither "." nor ".." nor hidden files; ".well-known" is the exception, RFC 8615) or holds NUL,
/// or a name longer than the kernel takes. The result is a view of `rest`.
std::optional<StaticPath> map_static_path(std::string_view rest) noexcept;

}  // namespace equinox::handlers
