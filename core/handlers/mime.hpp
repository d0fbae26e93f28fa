#pragma once

#include <string_view>

namespace equinox::handlers {

/// Content-Type for a file name, by its extension without case; "application/octet-stream" when it is not known.
/// Text types carry charset=utf-8. A literal.
std::string_view content_type_of(std::string_view file_name) noexcept;

/// True for types that shrink when compressed: text, JSON, JavaScript, SVG, WebAssembly, fonts without own compression.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace equinox::handlers
