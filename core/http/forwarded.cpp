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

/// A port that hides which one it is (RFC 7239 §6.3).
bool is_obfuscated(std::string_view port) noexcept {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return port.size() > 1 && port.front() == '_' && port.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// Members of X-Forwarded-For: it knows no quoted strings, so a quote of the client's must not swallow what comes
/// after.
std::optional<std::string_view> next_plain_member(std::string_view& list) noexcept {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view member = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

/// Whether each quoted string in it ends (RFC 9110 §5.6.4); a backslash outside of one is no escape.
bool has_whole_strings(std::string_view list) noexcept {
  bool is_quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') is_quoted = !is_quoted;
    if (is_quoted && list[i] == '\\') ++i;
  }
  return !is_quoted;
}

/// The value of "for" in one element of Forwarded; empty when absent. Quotes are taken off.
std::string_view for_of(std::string_view element) noexcept {
  while (!element.empty()) {
    std::size_t end = 0;
    bool is_quoted = false;
    while (end < element.size() && (is_quoted || element[end] != ';')) {
      if (element[end] == '"') is_quoted = !is_quoted;
      if (is_quoted && element[end] == '\\') ++end;
      ++end;
    }
    end = std::min(end, element.size());
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
  bool has_port = false;
  if (!node.empty() && node.front() == '[') {
    const std::size_t close = node.find(']');
    if (close == std::string_view::npos) return {};
    const std::string_view behind = node.substr(close + 1);
    if (!behind.empty() && behind.front() != ':') return {};
    has_port = !behind.empty();
    port = has_port ? behind.substr(1) : behind;
    node = node.substr(1, close - 1);
  } else if (const std::size_t colon = node.find(':'); colon != std::string_view::npos && colon == node.rfind(':')) {
    has_port = true;
    port = node.substr(colon + 1);
    node = node.substr(0, colon);
  }
  auto endpoint = parse_host(node);
  if (!endpoint) return {};
  unsigned number = 0;
  if (has_port && !is_obfuscated(port) && !parse_number(port, 65535, number)) return {};
  endpoint->port = static_cast<std::uint16_t>(number);
  return *endpoint;
}

namespace {

/// The last node that is not trusted.
Endpoint last_stranger(const Nodes& nodes, const Endpoint& peer, std::span<const Network> trusted) noexcept {
  Endpoint client = peer;
  for (std::size_t i = 0; i < nodes.kept(); ++i) {
    const Endpoint node = parse_node(nodes.from_end(i));
    if (!node.is_known) return client;
    client = node;
    if (!any_contains(trusted, node)) return client;
  }
  return client;
}

Endpoint by_forwarded(std::span<const Field> fields, const Endpoint& peer, std::span<const Network> trusted) noexcept {
  Nodes nodes;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "forwarded")) continue;
    if (!has_whole_strings(field.value)) return peer;
    std::string_view list = field.value;
    while (const auto member = next_member(list)) nodes.add(for_of(*member));
  }
  return last_stranger(nodes, peer, trusted);
}

Endpoint by_x_forwarded_for(std::span<const Field> fields, const Endpoint& peer,
                            std::span<const Network> trusted) noexcept {
  Nodes nodes;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "x-forwarded-for")) continue;
    std::string_view list = field.value;
    while (const auto member = next_plain_member(list)) nodes.add(*member);
  }
  return last_stranger(nodes, peer, trusted);
}

}  // namespace

Endpoint client_of(std::span<const Field> fields, const Endpoint& peer, std::span<const Network> trusted) noexcept {
  if (trusted.empty() || !any_contains(trusted, peer)) return peer;
  const bool has_standard = find_field(fields, "forwarded").has_value();
  const bool has_usual = find_field(fields, "x-forwarded-for").has_value();
  if (!has_standard) return has_usual ? by_x_forwarded_for(fields, peer, trusted) : peer;
  const Endpoint client = by_forwarded(fields, peer, trusted);
  if (!has_usual) return client;
  const Endpoint other = by_x_forwarded_for(fields, peer, trusted);
  return client.address == other.address ? client : peer;
}

}  // namespace equinox::http
