#include "http/forwarded.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

constexpr std::size_t kNodesMax = 32;

/// The last nodes of a list; earlier ones can only be hearsay behind 32 proxies.
struct Nodes {
  std::array<std::string_view, kNodesMax> items;
  std::size_t count{0};
  void add(std::string_view node) noexcept { items[count++ % kNodesMax] = node; }
  [[nodiscard]] std::size_t kept() const noexcept { return std::min(count, kNodesMax); }
  [[nodiscard]] std::string_view from_end(std::size_t i) const noexcept { return items[(count - 1 - i) % kNodesMax]; }
};

bool parse_number(std::string_view text, unsigned max, unsigned& into) noexcept {
  if (text.empty() || text.size() > 5) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && into <= max;
}

/// The value of "for" in one element of Forwarded; empty when absent. Quotes are taken off.
std::string_view for_of(std::string_view element) noexcept {
  while (!element.empty()) {
    std::size_t end = 0;
    bool is_quoted = false;
    while (end < element.size() && (is_quoted || element[end] != ';')) {
      if (element[end] == '"') is_quoted = !is_quoted;
      ++end;
    }
    const std::string_view pair = trim(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(pair.substr(0, equals), "for")) continue;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace

Endpoint parse_node(std::string_view node) noexcept {
  std::string_view port;
  if (!node.empty() && node.front() == '[') {
    const std::size_t close = node.find(']');
    if (close == std::string_view::npos) return {};
    const std::string_view behind = node.substr(close + 1);
    if (!behind.empty() && behind.front() != ':') return {};
    port = behind.empty() ? behind : behind.substr(1);
    node = node.substr(1, close - 1);
  } else if (const std::size_t colon = node.find(':'); colon != std::string_view::npos && colon == node.rfind(':')) {
    port = node.substr(colon + 1);
    node = node.substr(0, colon);
  }
  auto endpoint = parse_host(node);
  if (!endpoint) return {};
  unsigned number = 0;
  if (!port.empty() && parse_number(port, 65535, number)) endpoint->port = static_cast<std::uint16_t>(number);
  return *endpoint;
}

Endpoint client_of(std::span<const Field> fields, const Endpoint& peer, std::span<const Network> trusted) noexcept {
  if (trusted.empty() || !any_contains(trusted, peer)) return peer;
  const bool has_standard = find_field(fields, "forwarded").has_value();
  const std::string_view name = has_standard ? "forwarded" : "x-forwarded-for";
  Nodes nodes;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    std::string_view list = field.value;
    while (const auto member = next_member(list)) nodes.add(has_standard ? for_of(*member) : *member);
  }
  Endpoint client = peer;
  for (std::size_t i = 0; i < nodes.kept(); ++i) {
    const Endpoint node = parse_node(nodes.from_end(i));
    if (!node.is_known) return client;
    client = node;
    if (!any_contains(trusted, node)) return client;
  }
  return client;
}

}  // namespace equinox::http
