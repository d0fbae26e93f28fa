#include "metrics/accept.hpp"

#include <algorithm>

#include "http/headers.hpp"

namespace equinox::metrics {

namespace {

/// Separators in a quoted string separate nothing (RFC 9110 §5.6.4).
std::string_view take_until(std::string_view& text, char separator) noexcept {
  bool is_quoted = false;
  std::size_t at = 0;
  for (; at < text.size() && (is_quoted || text[at] != separator); ++at) {
    if (text[at] == '"') is_quoted = !is_quoted;
    if (is_quoted && text[at] == '\\' && at + 1 < text.size()) ++at;
  }
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return http::trim(part);
}

/// A parameter's value may be written as a token or as a quoted string.
std::string_view unquoted(std::string_view value) noexcept {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return value;
  return value.substr(1, value.size() - 2);
}

struct Item {
  std::string_view name;
  std::string_view version;
  int weight{1000};
};

/// One element of the list with the parameters that matter.
Item parse_item(std::string_view element) noexcept {
  Item item;
  item.name = take_until(element, ';');
  while (!element.empty()) {
    auto parameter = take_until(element, ';');
    const auto name = take_until(parameter, '=');
    if (http::equals_ignoring_case(name, "q")) item.weight = http::weight_of(parameter);
    if (http::equals_ignoring_case(name, "version")) item.version = unquoted(parameter);
  }
  return item;
}

}  // namespace

Format preferred_format(std::string_view accept) noexcept {
  int open_metrics = 0;
  int text = 0;
  while (!accept.empty()) {
    const auto item = parse_item(take_until(accept, ','));
    const bool is_known_version = item.version.empty() || item.version == "1.0.0" || item.version == "0.0.1";
    if (http::equals_ignoring_case(item.name, "application/openmetrics-text") && is_known_version) {
      open_metrics = std::max(open_metrics, item.weight);
    }
    if (http::equals_ignoring_case(item.name, "text/plain")) text = std::max(text, item.weight);
  }
  return open_metrics > 0 && open_metrics >= text ? Format::open_metrics : Format::text;
}

}  // namespace equinox::metrics
