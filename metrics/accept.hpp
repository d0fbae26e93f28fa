#pragma once

#include <cstdint>
#include <string_view>

namespace equinox::metrics {

enum class Format : std::uint8_t { text, open_metrics };

/// What an Accept field (RFC 9110 §12.5.1) prefers. Without one, or when neither is named: text 0.0.4. At equal
/// weight OpenMetrics wins, because it says more.
Format preferred_format(std::string_view accept) noexcept;

constexpr std::string_view content_type(Format format) noexcept {
  return format == Format::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                        : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace equinox::metrics
