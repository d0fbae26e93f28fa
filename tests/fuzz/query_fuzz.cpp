// The query language of the dashboard: what is refused names a place in the text; what is taken means the same when it
// is written again, term by term, negated; and no query finds out what is not shown.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "admin-ui/api/json.hpp"
#include "admin-ui/api/query.hpp"
#include "fuzz/require.hpp"

namespace {

using namespace equinox;
using namespace equinox::admin;

constexpr Moment kNow{1'000'000'000'000, 1'700'000'000'000'000'000};

const Names& names() {
  static const Names kNames{{"_unmatched", "_other", "/api/items/{id}", "/files/*"}, {"http", "https"}};
  return kNames;
}

/// Nothing when it was refused; the refusal is one that the dashboard can show.
std::optional<Query> parse(const std::string& text, Redaction redaction) try {
  return Query{text, names(), redaction, kNow};
} catch (const Problem& problem) {
  const Json document = problem.document();
  FUZZ_REQUIRE(problem.status() == 400 && document["type"] == "bad-query" && !dump(document).empty());
  const auto position = document["position"].get<std::size_t>();
  const auto length = document["length"].get<std::size_t>();
  FUZZ_REQUIRE(length > 0 && position + length <= text.size());
  return std::nullopt;
}

bool is_same(const Query::Term& a, const Query::Term& b) {
  return std::tie(a.raw, a.kind, a.op, a.field, a.is_negated, a.pattern, a.bound, a.unit, a.words) ==
         std::tie(b.raw, b.kind, b.op, b.field, b.is_negated, b.pattern, b.bound, b.unit, b.words);
}

ConnectionRecord live_record(std::uint8_t choice, std::string_view target) {
  ConnectionRecord record;
  record.id = ConnectionId::make(1, 2, 3);
  record.hot.state = static_cast<ConnectionState>(choice % kCount<ConnectionState>);
  record.hot.protocol = static_cast<Protocol>(choice % kCount<Protocol>);
  record.hot.requests = choice;
  record.hot.sent_bytes = 64ULL * 1024 * choice;
  record.hot.last_active_ns = kNow.steady_ns - choice * 1'000'000'000LL;
  record.hot.route = choice % 5;
  record.cold.peer_address = Endpoint::v4({10, 0, 0, choice}, 0).address;
  record.cold.peer_port = choice;
  record.cold.peer_known = choice % 7 != 0;
  record.cold.sampled_ns = choice % 2;
  record.cold.rtt_us = 1000U * choice;
  record.cold.sni.assign("shop.example.net");
  record.cold.target.assign(target);
  return record;
}

ClosedRecord closed_record(std::uint8_t choice, std::string_view target) {
  const ConnectionRecord live = live_record(choice, target);
  ClosedRecord record;
  record.connection = live.id.packed();
  record.peer_address = live.cold.peer_address;
  record.peer_known = live.cold.peer_known;
  record.requests = live.hot.requests;
  record.reason = static_cast<CloseReason>(choice % kCount<CloseReason>);
  record.status = static_cast<std::uint16_t>(choice * 2);
  record.rtt_us = live.cold.rtt_us;
  record.target = live.cold.target;
  return record;
}

/// Written again it is the same query.
void check_round_trip(const Query& query, Redaction redaction) {
  std::string printed;
  for (const Query::Term& term : query.terms()) printed.append(printed.empty() ? "" : " ").append(term.raw);
  const auto again = parse(printed, redaction);
  FUZZ_REQUIRE(again && again->terms().size() == query.terms().size());
  for (std::size_t i = 0; i < again->terms().size(); ++i) FUZZ_REQUIRE(is_same(again->terms()[i], query.terms()[i]));
}

/// All terms must hold; a '-' in front of one turns it round.
void check_terms(const Query& query, const Subject& subject, Redaction redaction) {
  std::size_t failures = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < query.terms().size(); ++i) {
    const Query::Term& term = query.terms()[i];
    const auto alone = parse(term.raw, redaction);
    FUZZ_REQUIRE(alone && alone->terms().size() == 1);
    const bool holds = alone->matches(subject);
    if (!holds) last = i;
    failures += holds ? 0 : 1;
    if (term.raw.front() == '-') continue;  // "--a" is the negation of "-a", not of "--a"
    const auto negated = parse("-" + term.raw, redaction);
    FUZZ_REQUIRE(negated && negated->terms().size() == 1 && negated->matches(subject) != holds);
  }
  FUZZ_REQUIRE(query.matches(subject) == (failures == 0));
  FUZZ_REQUIRE(query.only_failure(subject) == (failures == 1 ? std::optional{last} : std::nullopt));
}

/// Two connections that look the same are found by the same queries.
void check_secrecy(const Query& query, const ConnectionRecord& record, Redaction redaction) {
  ConnectionRecord twin = record;
  const std::string shown = shown_target(record.cold.target.view(), redaction);
  FUZZ_REQUIRE(shown_target(shown, redaction) == shown);
  if (shown.size() > sizeof twin.cold.target.bytes) return;
  twin.cold.target.assign(shown);
  if (redaction.truncate_client_address) {
    twin.cold.peer_address.back() ^= 0x55U;
    twin.cold.peer_port ^= 0x5555U;
  }
  FUZZ_REQUIRE(query.matches({&twin, nullptr, nullptr}) == query.matches({&record, nullptr, nullptr}));
}

}  // namespace

// A choice, the query, and after a line feed the target of the connection that is looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::uint8_t choice = data[0];
  const Redaction redaction{(choice & 1U) != 0, (choice & 2U) != 0};
  const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::string text{rest.substr(0, rest.find('\n'))};
  const std::string_view target = text.size() < rest.size() ? rest.substr(text.size() + 1) : "/Report?token=abc&x";
  const auto query = parse(text, redaction);
  if (!query) return 0;
  const ConnectionRecord live = live_record(choice, target);
  const ClosedRecord closed = closed_record(choice, target);
  const Rate rate{1024.0 * choice, 1.0 * choice};
  check_round_trip(*query, redaction);
  check_terms(*query, {&live, nullptr, &rate}, redaction);
  check_terms(*query, {nullptr, &closed, nullptr}, redaction);
  check_secrecy(*query, live, redaction);
  if (!query->needs_rate()) {
    FUZZ_REQUIRE(query->matches({&live, nullptr, nullptr}) == query->matches({&live, nullptr, &rate}));
  }
  return 0;
}
