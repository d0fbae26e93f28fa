#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace equinox::handlers {

inline constexpr std::size_t kListingMax = 2000;

/// An HTML page with the names in a folder, folders first, at most kListingMax of them; hidden ones are left out.
/// @param folder  open for reading
/// @param path    as requested, decoded; shown and escaped
std::string list_folder(int folder, std::string_view path, bool is_root);

/// Text that is safe in HTML content and in quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace equinox::handlers
