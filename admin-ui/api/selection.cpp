#include "admin-ui/api/selection.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "admin-ui/api/waiting.hpp"

namespace equinox::admin {
namespace {

/// A value as two words that compare like it. 24 bytes for each match, however long its text is.
struct Key {
  std::uint64_t high{0};
  std::uint64_t low{0};
  std::uint64_t id{0};
};

/// Doubles in the order of unsigned integers; never 0 or all ones for a finite value.
std::uint64_t ordered(double value) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

std::uint64_t big_endian(const std::uint8_t* bytes) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = (out << 8U) | bytes[i];
  return out;
}

void set_address(Key& key, const Endpoint& end) noexcept {
  if (end.is_v4()) {
    key.low = ((big_endian(end.address.data() + 8) & 0xffffffffU) << 16U) | end.port;
    return;
  }
  key.high = big_endian(end.address.data());
  key.low = big_endian(end.address.data() + 8);
}

Key key_of(const Subject& subject, Sorting sorting, const Moment& now) noexcept {
  const ConnectionRecord& record = *subject.live;
  Key key;
  key.id = record.id.packed();
  bool is_known = true;
  if (sorting.field == QueryField::id) return key;
  if (sorting.field == QueryField::peer) {
    set_address(key, record.peer());
  } else if (sorting.field == QueryField::client) {
    set_address(key, record.client());
  } else if (const auto number = number_value(sorting.field, subject, now)) {
    key.high = ordered(*number);
  } else if (const auto word = word_value(sorting.field, subject)) {
    key.high = *word + 1;
  } else {
    is_known = false;
  }
  if (sorting.is_descending) {
    key.high = ~key.high;
    key.low = ~key.low;
  }
  if (!is_known) key.high = key.low = ~std::uint64_t{0};
  return key;
}

bool before(const Key& a, const Key& b) noexcept {
  if (a.high != b.high) return a.high < b.high;
  if (a.low != b.low) return a.low < b.low;
  return a.id < b.id;
}

void sort_first(std::vector<Key>& keys, std::size_t most) {
  if (most < keys.size()) {
    std::partial_sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(most), keys.end(), before);
    keys.resize(most);
  } else {
    std::sort(keys.begin(), keys.end(), before);
  }
}

bool is_rate(QueryField field) noexcept { return field == QueryField::in_rate || field == QueryField::out_rate; }

}  // namespace

Sorting sorting_of(std::string_view field, std::string_view order) {
  constexpr std::array kSortable{
      QueryField::id,       QueryField::peer,        QueryField::client,  QueryField::listener, QueryField::protocol,
      QueryField::state,    QueryField::reactor,     QueryField::age,     QueryField::idle,     QueryField::requests,
      QueryField::received, QueryField::sent,        QueryField::in_rate, QueryField::out_rate, QueryField::streams,
      QueryField::rtt,      QueryField::retransmits, QueryField::pending, QueryField::memory,   QueryField::deadline};
  if (!order.empty() && order != "asc" && order != "desc") {
    throw bad_request("order is asc or desc");
  }
  if (field.empty()) return {QueryField::id, order == "desc"};
  std::string all;
  for (const QueryField candidate : kSortable) {
    const std::string_view name = kQueryFields[static_cast<std::size_t>(candidate)];
    if (name == field) return {candidate, order == "desc"};
    all.append(all.empty() ? "" : ", ").append(name);
  }
  throw bad_request("sort is one of " + all);
}

Selection select(const ServerView& view, const Query& query, Sorting sorting, const Rates& rates, Moment now,
                 std::size_t most) {
  Selection out;
  out.total_without.resize(query.terms().size());
  const bool needs_rate = query.needs_rate() || is_rate(sorting.field);
  std::vector<Key> keys;
  view.for_each_record([&](const ConnectionRecord& record) {
    const auto rate = needs_rate ? rates.of(record) : std::nullopt;
    const Subject subject{&record, nullptr, rate ? &*rate : nullptr};
    if (!query.matches(subject)) {
      if (keys.empty()) {  // only an empty answer is explained
        if (const auto term = query.only_failure(subject)) ++out.total_without[*term];
      }
      return true;
    }
    keys.push_back(key_of(subject, sorting, now));
    ++out.by_state[index_of(record.hot.state)];
    ++out.by_protocol[index_of(record.hot.protocol)];
    out.mid_request += is_mid_request(record) ? 1 : 0;
    return true;
  });
  out.total = keys.size();
  if (sorting.field == QueryField::id && sorting.is_descending) {
    std::reverse(keys.begin(), keys.end());
    for (Key& key : keys) key.high = ~key.id;
  }
  sort_first(keys, most);
  out.ids.reserve(keys.size());
  for (const Key& key : keys) out.ids.push_back(key.id);
  return out;
}

std::vector<std::uint64_t> matching_ids(const ServerView& view, const Query& query, const Rates& rates) {
  std::vector<std::uint64_t> ids;
  const bool needs_rate = query.needs_rate();
  view.for_each_record([&](const ConnectionRecord& record) {
    const auto rate = needs_rate ? rates.of(record) : std::nullopt;
    if (query.matches({&record, nullptr, rate ? &*rate : nullptr})) ids.push_back(record.id.packed());
    return true;
  });
  return ids;
}

Json by_state_json(const std::array<std::uint64_t, kCount<ConnectionState>>& counts) {
  Json out = Json::object();
  for_each_word<ConnectionState>(
      [&](ConnectionState state) { out[std::string{to_string(state)}] = counts[index_of(state)]; });
  return out;
}

Json by_protocol_json(const std::array<std::uint64_t, kCount<Protocol>>& counts) {
  Json out = Json::object();
  for_each_word<Protocol>([&](Protocol p) { out[std::string{to_string(p)}] = counts[index_of(p)]; });
  return out;
}

}  // namespace equinox::admin
