#pragma once

#include <string>
#include <string_view>

namespace equinox::metrics {

/// A label's value is UTF-8 in every format, and a scraper takes nothing of a page in which one is not. Names of routes
/// and listeners are what the program made them: octets that are no UTF-8 are written as "%E9", as in a target.
std::string label_value(std::string_view text);

}  // namespace equinox::metrics
