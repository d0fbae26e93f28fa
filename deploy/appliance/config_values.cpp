#include "config_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/network.hpp"

namespace equinox::appliance {
namespace {

const Endpoint kAnyOfBoth;
const Endpoint kAnyOfV4 = Endpoint::v4({}, 0);

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array kTimeUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array kSizeUnits{Unit{"", 1}, Unit{"k", 1024}, Unit{"M", 1024.0 * 1024},
                                Unit{"G", 1024.0 * 1024 * 1024}};

/// Digits with at most one point in front of a unit; nothing else, no sign, no exponent.
std::optional<double> parse_scaled(std::string_view text, const auto& units) {
  const auto end = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, end);
  const std::string_view unit = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  if (number.empty() || number.size() > 18 || number.front() == '.' || number.back() == '.') return std::nullopt;
  if (std::count(number.begin(), number.end(), '.') > 1) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  if (read.ec != std::errc{} || read.ptr != number.data() + number.size()) return std::nullopt;
  for (const Unit& candidate : units) {
    if (candidate.name == unit) return value * candidate.factor;
  }
  return std::nullopt;
}

template <typename T>
bool parse_whole(std::string_view text, T& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  const auto value = parse_scaled(text, kTimeUnits);
  constexpr double kTenYears = 10.0 * 366 * 24 * 3'600'000;
  if (!value || *value > kTenYears) return std::nullopt;
  return std::chrono::milliseconds{std::llround(*value)};
}

std::string format_duration(std::chrono::milliseconds value) {
  const auto count = value.count();
  if (count == 0) return "0s";
  if (count % 3'600'000 == 0) return fmt::format("{}h", count / 3'600'000);
  if (count % 60'000 == 0 && count > 60'000) return fmt::format("{}m", count / 60'000);
  if (count % 1000 == 0) return fmt::format("{}s", count / 1000);
  return fmt::format("{}ms", count);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t whole = 0;
  if (parse_whole(text, whole)) return whole;
  const auto value = parse_scaled(text, kSizeUnits);
  if (!value || *value > 1e18) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  if (bytes % (1ULL << 30U) == 0) return fmt::format("{}G", bytes >> 30U);
  if (bytes % (1ULL << 20U) == 0) return fmt::format("{}M", bytes >> 20U);
  if (bytes % (1ULL << 10U) == 0) return fmt::format("{}k", bytes >> 10U);
  return fmt::format("{}", bytes);
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  ListenAddress out;
  if (colon == std::string_view::npos || !parse_whole(text.substr(colon + 1), out.port)) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  out.host = std::string{host};
  out.is_any = host.empty();
  if (host.empty()) return is_bracketed ? std::nullopt : std::optional{out};
  const bool is_v6_text = host.find(':') != std::string_view::npos;
  const auto parsed = parse_host(host);
  if (!parsed || is_v6_text != is_bracketed) return std::nullopt;
  out.is_loopback = out.host.starts_with("127.") || out.host == "::1";
  out.is_any = parsed->address == kAnyOfBoth.address || parsed->address == kAnyOfV4.address;
  return out;
}

bool overlap(const ListenAddress& one, const ListenAddress& other) {
  if (one.port == 0 || one.port != other.port) return false;
  const auto host_of = [](const ListenAddress& address) {
    return parse_host(address.host.empty() ? "::" : address.host).value_or(Endpoint{});
  };
  const Endpoint first = host_of(one);
  const Endpoint second = host_of(other);
  const auto holds = [](const Endpoint& wide, const Endpoint& narrow) {
    return wide.address == kAnyOfBoth.address || (narrow.is_v4() && wide.address == kAnyOfV4.address);
  };
  return first.address == second.address || holds(first, second) || holds(second, first);
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return false;
    text = text.substr(1, text.size() - 2);
    return text.find(':') != std::string_view::npos && parse_host(text).has_value();
  }
  // A name may end in a dot; "." alone would be compared as nothing.
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    const bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_alphanumeric || c == '-' || c == '.' || c == '_' || c == '~';
  });
}

bool is_network(std::string_view text) { return Network::parse(text).has_value(); }

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = 1 + std::max<std::size_t>(2, word.size() / 3);
  std::vector<std::size_t> row;
  for (const std::string_view candidate : candidates) {
    // Levenshtein, one row at a time.
    row.resize(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i] == candidate[j] ? 0U : 1U);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
      }
    }
    if (row.back() < best_distance && row.back() < candidate.size()) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

}  // namespace equinox::appliance
