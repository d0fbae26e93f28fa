// Order and paging of the connection list while connections come, change and go at random: many rounds, each from a
// seed that a failure names. EQUINOX_TEST_SEED runs that one round again.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "admin-ui/fake_view.hpp"

namespace equinox::admin {
namespace {

constexpr std::uint32_t kRounds = 30;
constexpr std::int64_t kMillisecond = 1'000'000;

/// What a record is sorted by, as the documentation says it and not as the list computes it; none: unknown.
using SortValue = std::optional<std::tuple<std::uint64_t, std::uint64_t>>;
struct SortField {
  const char* name;
  std::function<SortValue(const ConnectionRecord&)> value;
};

SortValue just(std::uint64_t value) { return std::tuple{value, std::uint64_t{0}}; }
/// Old moments have high values.
SortValue since(std::int64_t moment_ns) { return just(static_cast<std::uint64_t>(INT64_MAX - moment_ns)); }

const std::vector<SortField>& sort_fields() {
  using Record = const ConnectionRecord&;
  static const std::vector<SortField> kAll{
      {"id", [](Record r) { return just(r.id.packed()); }},
      {"peer",
       [](Record r) {
         const auto& a = r.cold.peer_address;
         const std::uint64_t host = (a[12] * 256ULL + a[13]) * 65536ULL + a[14] * 256ULL + a[15];
         return SortValue{std::tuple{host, std::uint64_t{r.cold.peer_port}}};
       }},
      {"client",
       [](Record r) {
         const Endpoint client = r.client();
         const auto& a = client.address;
         const std::uint64_t own = (a[12] * 256ULL + a[13]) * 65536ULL + a[14] * 256ULL + a[15];
         return SortValue{std::tuple{own, std::uint64_t{client.port}}};
       }},
      {"listener", [](Record r) { return just(r.cold.listener); }},
      {"protocol", [](Record r) { return just(index_of(r.hot.protocol)); }},
      {"state", [](Record r) { return just(index_of(r.hot.state)); }},
      {"reactor", [](Record r) { return just(r.id.reactor()); }},
      {"age", [](Record r) { return since(r.cold.opened_ns); }},
      {"idle", [](Record r) { return since(r.hot.last_active_ns); }},
      {"requests", [](Record r) { return just(r.hot.requests); }},
      {"received", [](Record r) { return just(r.hot.received_bytes); }},
      {"sent", [](Record r) { return just(r.hot.sent_bytes); }},
      {"streams",
       [](Record r) {
         const bool has_streams = r.hot.protocol == Protocol::h2 || r.hot.protocol == Protocol::h2c;
         return has_streams ? just(r.hot.streams) : std::nullopt;
       }},
      {"rtt", [](Record r) { return r.cold.sampled_ns != 0 ? just(r.cold.rtt_us) : std::nullopt; }},
      {"retransmits", [](Record r) { return r.cold.sampled_ns != 0 ? just(r.cold.retransmits) : std::nullopt; }},
      {"pending", [](Record r) { return just(r.hot.pending_bytes); }},
      {"deadline",
       [](Record r) {
         return r.hot.deadline != DeadlineKind::none ? just(static_cast<std::uint64_t>(r.hot.deadline_due_ns))
                                                     : std::nullopt;
       }},
  };
  return kAll;
}

/// In either order the unknown ones are last and equal ones stand by id; ids themselves turn round.
bool stands_before(const ConnectionRecord& a, const ConnectionRecord& b, const SortField& field, bool is_descending) {
  const SortValue left = field.value(a);
  const SortValue right = field.value(b);
  if (left.has_value() != right.has_value()) return left.has_value();
  if (left != right) return is_descending ? *left > *right : *left < *right;
  return a.id.packed() < b.id.packed();
}

struct Filter {
  const char* query;
  std::function<bool(const ConnectionRecord&)> matches;
};
const std::vector<Filter>& filters() {
  static const std::vector<Filter> kAll{
      {"", [](const ConnectionRecord&) { return true; }},
      {"state:idle", [](const ConnectionRecord& r) { return r.hot.state == ConnectionState::idle; }},
      {"listener:https requests>1",
       [](const ConnectionRecord& r) { return r.cold.listener == 1 && r.hot.requests > 1; }},
  };
  return kAll;
}

/// Connections that come and go by chance, and what they were.
class Crowd {
 public:
  Crowd(FakeView& view, std::uint32_t seed) : view_{view}, random_{seed} {}

  std::uint32_t upto(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>{0, most}(random_); }
  void open_one() {
    const std::uint32_t place = upto(799);
    if (taken_.contains(place)) return;
    const Moment now = Moment::now();
    ConnectionRecord kept;
    view_.add(place, [&](ConnectionRecord& record) {
      // A slot is used again with the next generation: an old id must never show the newcomer.
      record.id.generation = record.hot.generation = ++generations_[place];
      vary(record);
      record.cold.opened_ns = now.steady_ns - std::int64_t{upto(40)} * 250 * kMillisecond;
      record.cold.listener = static_cast<std::uint16_t>(upto(1));
      record.cold.peer_address[15] = static_cast<std::uint8_t>(upto(3));
      record.cold.peer_address[14] = record.cold.peer_address[13] = 0;
      record.cold.peer_port = static_cast<std::uint16_t>(1024 + upto(5));
      record.cold.client_known = upto(1) == 0;
      record.cold.client_address = record.cold.peer_address;
      record.cold.client_address[15] = static_cast<std::uint8_t>(upto(3));
      record.cold.sampled_ns = upto(2) == 0 ? 0 : now.steady_ns;
      record.cold.rtt_us = upto(6) * 100;
      record.cold.retransmits = upto(3);
      kept = record;
    });
    taken_.emplace(place, kept.id);
    live.emplace(kept.id.packed(), kept);
  }
  void change_one() {
    if (taken_.empty()) return;
    const ConnectionId id = any()->second;
    view_.change(id, [&](ConnectionRecord& record) {
      vary(record);
      live[id.packed()] = record;
    });
  }
  void close_one() {
    if (taken_.empty()) return;
    const auto which = any();
    ASSERT_TRUE(view_.close(which->second, CloseReason::write_stall));
    live.erase(which->second.packed());
    taken_.erase(which);
  }
  void churn() {
    for (std::uint32_t n = upto(40); n != 0; --n) {
      switch (upto(2)) {
        case 0: open_one(); break;
        case 1: change_one(); break;
        default: close_one(); break;
      }
    }
  }

  std::map<std::uint64_t, ConnectionRecord> live;  ///< by id

 private:
  void vary(ConnectionRecord& record) {
    const Moment now = Moment::now();
    // Few different values: most rows are somebody's equal.
    record.hot.state = static_cast<ConnectionState>(upto(kCount<ConnectionState> - 1));
    record.hot.protocol = static_cast<Protocol>(upto(kCount<Protocol> - 1));
    record.hot.requests = upto(4);
    record.hot.received_bytes = upto(5) * 1000ULL;
    record.hot.sent_bytes = upto(1) == 0 ? upto(5) : (1ULL << 40U) + upto(3);
    record.hot.streams = static_cast<std::uint16_t>(upto(3));
    record.hot.pending_bytes = upto(2) * 4096;
    record.hot.last_active_ns = now.steady_ns - std::int64_t{upto(20)} * 500 * kMillisecond;
    record.hot.deadline = upto(3) == 0 ? DeadlineKind::none : DeadlineKind::idle;
    record.hot.deadline_due_ns = now.steady_ns + std::int64_t{upto(20)} * 500 * kMillisecond;
  }
  std::map<std::uint32_t, ConnectionId>::iterator any() {
    return std::next(taken_.begin(), upto(static_cast<std::uint32_t>(taken_.size()) - 1));
  }

  FakeView& view_;
  std::mt19937 random_;
  std::map<std::uint32_t, ConnectionId> taken_;
  std::map<std::uint32_t, std::uint32_t> generations_;
};

/// A list that was asked for, and what it must show for ever.
struct Asked {
  std::string handle;
  std::vector<std::string> ids;
};

Asked ask(Surface& surface, Crowd& crowd, const SortField& field, bool is_descending, const Filter& filter) {
  std::vector<ConnectionRecord> wanted;
  for (const auto& [packed, record] : crowd.live) {
    if (filter.matches(record)) wanted.push_back(record);
  }
  std::sort(wanted.begin(), wanted.end(), [&](const ConnectionRecord& a, const ConnectionRecord& b) {
    return stands_before(a, b, field, is_descending);
  });
  const Got got =
      surface.act(Method::post, "/connections/query",
                  {{"query", filter.query}, {"sort", field.name}, {"order", is_descending ? "desc" : "asc"}});
  EXPECT_EQ(got.status, 200) << got.text;
  Asked asked{got.json()["handle"], {}};
  for (const ConnectionRecord& record : wanted) asked.ids.push_back(to_string(record.id));
  EXPECT_EQ(got.json()["total"], wanted.size());
  return asked;
}

/// One page while others come and go; every row is the one that stood there when the list was asked for.
void check_page(Surface& surface, Crowd& crowd, const Asked& asked, std::size_t offset, std::size_t limit) {
  const Got got = surface.get("/connections/" + asked.handle,
                              "offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit));
  ASSERT_EQ(got.status, 200) << got.text;
  const Json page = got.json();
  ASSERT_EQ(page["total"], asked.ids.size());
  const std::size_t end = std::min(asked.ids.size(), offset + limit);
  ASSERT_EQ(page["rows"].size(), end - std::min(offset, end));
  for (std::size_t i = offset; i < end; ++i) {
    const Json& row = page["rows"][i - offset];
    ASSERT_EQ(row["id"], asked.ids[i]) << "row " << i;
    const auto live = crowd.live.find(parse_connection_id(asked.ids[i]).packed());
    if (live == crowd.live.end()) {
      ASSERT_EQ(row["closed"]["reason"], "write_stall") << row;
    } else {
      ASSERT_FALSE(row.contains("closed")) << row;
      ASSERT_EQ(row["requests"], live->second.hot.requests) << "rows are of the moment they are read: " << row;
    }
  }
}

void play_round(std::uint32_t seed) {
  SCOPED_TRACE("EQUINOX_TEST_SEED=" + std::to_string(seed));
  Surface surface;
  Crowd crowd{surface.view, seed};
  for (std::uint32_t n = crowd.upto(500); n != 0; --n) crowd.open_one();
  for (const SortField& field : sort_fields()) {
    for (const bool is_descending : {false, true}) {
      SCOPED_TRACE(std::string{field.name} + (is_descending ? " descending" : " ascending"));
      const Filter& filter = filters()[crowd.upto(2)];
      const Asked asked = ask(surface, crowd, field, is_descending, filter);
      const std::size_t limit = 1 + crowd.upto(199);
      for (std::size_t offset = 0; offset < asked.ids.size(); offset += limit) {
        crowd.churn();
        check_page(surface, crowd, asked, offset, limit);
        if (::testing::Test::HasFatalFailure()) return;
      }
      // Scrolling back, and beyond the end: the same rows as before, or none.
      check_page(surface, crowd, asked, crowd.upto(static_cast<std::uint32_t>(asked.ids.size())), limit);
      check_page(surface, crowd, asked, asked.ids.size() + crowd.upto(3), limit);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(ListOrder, PagesOfOneListNeitherRepeatNorLoseNorMoveARow) {
  if (const char* chosen = std::getenv("EQUINOX_TEST_SEED")) {
    play_round(static_cast<std::uint32_t>(std::strtoul(chosen, nullptr, 10)));
    return;
  }
  std::random_device entropy;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    // The first rounds are the same everywhere, the others are new each time.
    play_round(round < kRounds / 2 ? round : entropy());
    if (::testing::Test::HasFailure()) return;
  }
}

/// Values that no order can come from but a look at two moments: the rate of bytes.
TEST(ListOrder, RatesAreInOrderToo) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Surface surface;
  std::mt19937 random{seed};
  std::map<std::string, std::uint64_t> gained;  // between the looks; those that came later have no rate yet
  std::vector<ConnectionId> ids;
  for (std::uint32_t n = 0; n < 300; ++n) ids.push_back(surface.view.add(n));
  Moment now = Moment::now();
  surface.state->rates.look(surface.view, now);
  for (const ConnectionId id : ids) {
    const std::uint64_t more = random() % 7 * 1000;
    gained[to_string(id)] = more;
    surface.view.change(id, [more](ConnectionRecord& record) {
      record.hot.received_bytes += more;
      record.hot.sent_bytes += 10'000 - more;
    });
  }
  now.steady_ns += 1'000'000'000;
  surface.state->rates.look(surface.view, now);
  for (std::uint32_t n = 300; n < 340; ++n) surface.view.add(n);
  for (const char* field : {"in_rate", "out_rate"}) {
    for (const char* order : {"asc", "desc"}) {
      SCOPED_TRACE(std::string{field} + " " + order);
      const Json rows =
          surface.get("/connections", std::string{"limit=500&sort="} + field + "&order=" + order).json()["rows"];
      ASSERT_EQ(rows.size(), 340U);
      const bool rises = (std::string_view{field} == "in_rate") == (std::string_view{order} == "asc");
      for (std::size_t i = 1; i < 300; ++i) {
        ASSERT_TRUE(gained.contains(rows[i]["id"])) << "one without a rate stands before one with it";
        const std::uint64_t before = gained[rows[i - 1]["id"]];
        const std::uint64_t after = gained[rows[i]["id"]];
        const auto id = [&rows](std::size_t at) { return parse_connection_id(rows[at]["id"].get<std::string>()); };
        ASSERT_TRUE(rises ? before <= after : before >= after) << i;
        ASSERT_TRUE(before != after || id(i - 1).packed() < id(i).packed()) << i;
      }
    }
  }
}

/// The same with a thread that opens and closes without waiting for the pages.
TEST(ListOrder, WhoLivesThroughItAllIsOnExactlyOnePage) {
  Surface surface;
  constexpr std::uint32_t kCrowd = 1200;
  surface.view.add_many(kCrowd);
  std::set<std::string> lasting;
  for (std::uint32_t n = 0; n < kCrowd; n += 2) lasting.insert(to_string(FakeView::made(n).id));
  std::atomic<bool> is_over{false};
  std::jthread others{[&] {
    for (std::uint32_t n = 1; !is_over; n = (n + 2) % kCrowd) {  // odd ones: the number of all is even
      surface.view.close(FakeView::made(n).id);
      surface.view.add(n + 10'000);
      surface.view.close(FakeView::made(n + 10'000).id);
      surface.view.add(n);
    }
  }};
  for (const SortField& field : sort_fields()) {
    SCOPED_TRACE(field.name);
    const Json asked =
        surface.act(Method::post, "/connections/query", {{"sort", field.name}, {"order", "desc"}}).json();
    const std::size_t total = asked["total"];
    std::set<std::string> seen;
    std::size_t rows = 0;
    for (std::size_t offset = 0; offset < total; offset += 500) {
      const Json page =
          surface
              .get("/connections/" + asked["handle"].get<std::string>(), "limit=500&offset=" + std::to_string(offset))
              .json();
      EXPECT_EQ(page["total"], total);
      rows += page["rows"].size();
      for (const Json& row : page["rows"]) seen.insert(row["id"].get<std::string>());
    }
    EXPECT_EQ(rows, total);
    EXPECT_EQ(seen.size(), total) << "an id on two pages";
    EXPECT_TRUE(std::includes(seen.begin(), seen.end(), lasting.begin(), lasting.end()));
  }
  is_over = true;
}

}  // namespace
}  // namespace equinox::admin
