// What a field of the query language is, for a live and for a closed connection.

#include "admin-ui/api/query.hpp"
#include "admin-ui/api/waiting.hpp"

namespace equinox::admin {
namespace {

using Number = std::optional<double>;

double real(std::uint64_t value) noexcept { return static_cast<double>(value); }
double past(std::int64_t from_ns, std::int64_t to_ns) noexcept { return static_cast<double>(to_ns - from_ns) / 1e9; }

Number live_number(QueryField field, const ConnectionRecord& r, const Rate* rate, const Moment& now) noexcept {
  switch (field) {
    case QueryField::reactor: return real(r.id.reactor());
    case QueryField::slot: return real(r.id.index());
    case QueryField::age: return past(r.cold.opened_ns, now.steady_ns);
    case QueryField::idle: return past(r.hot.last_active_ns, now.steady_ns);
    case QueryField::unused: return unused_seconds(r.hot, now);
    case QueryField::requests: return real(r.hot.requests);
    case QueryField::received: return real(r.hot.received_bytes);
    case QueryField::sent: return real(r.hot.sent_bytes);
    case QueryField::in_rate: return rate != nullptr ? Number{rate->received} : std::nullopt;
    case QueryField::out_rate: return rate != nullptr ? Number{rate->sent} : std::nullopt;
    case QueryField::streams: return is_http2(r.hot.protocol) ? Number{real(r.hot.streams)} : std::nullopt;
    case QueryField::rtt: return r.cold.sampled_ns != 0 ? Number{r.cold.rtt_us / 1e6} : std::nullopt;
    case QueryField::retransmits: return r.cold.sampled_ns != 0 ? Number{real(r.cold.retransmits)} : std::nullopt;
    case QueryField::pending: return real(r.hot.pending_bytes);
    case QueryField::memory: return real(r.cold.memory_bytes);
    case QueryField::deadline:
      return r.has_deadline() ? Number{past(now.steady_ns, r.hot.deadline_due_ns)} : std::nullopt;
    default: return std::nullopt;
  }
}

Number closed_number(QueryField field, const ClosedRecord& r) noexcept {
  switch (field) {
    case QueryField::reactor: return real(r.id().reactor());
    case QueryField::slot: return real(r.id().index());
    case QueryField::age: return static_cast<double>(r.age_ns) / 1e9;
    case QueryField::idle: return r.silent_ms / 1e3;
    case QueryField::requests: return real(r.requests);
    case QueryField::received: return real(r.received_bytes);
    case QueryField::sent: return real(r.sent_bytes);
    case QueryField::rtt: return r.rtt_us != 0 ? Number{r.rtt_us / 1e6} : std::nullopt;
    case QueryField::retransmits: return r.rtt_us != 0 ? Number{real(r.retransmits)} : std::nullopt;
    case QueryField::pending: return real(r.pending_bytes);
    case QueryField::status: return r.status != 0 ? Number{real(r.status)} : std::nullopt;
    default: return std::nullopt;
  }
}

using Index = std::optional<std::size_t>;
/// Enumerations whose first word means that there is none.
template <Word E>
Index unless_none(E word) noexcept {
  return index_of(word) == 0 ? std::nullopt : Index{index_of(word)};
}

Index live_word(QueryField field, const ConnectionRecord& r) noexcept {
  switch (field) {
    case QueryField::listener: return r.cold.listener;
    case QueryField::protocol: return index_of(r.hot.protocol);
    case QueryField::state: return index_of(r.hot.state);
    case QueryField::tls: return unless_none(r.cold.tls);
    case QueryField::method: return r.hot.requests != 0 ? Index{r.hot.method} : std::nullopt;
    case QueryField::route: return r.hot.requests != 0 ? Index{r.hot.route} : std::nullopt;
    case QueryField::timer: return unless_none(r.hot.deadline);
    case QueryField::limited: return unless_none(r.cold.limited_by);
    default: return std::nullopt;
  }
}

Index closed_word(QueryField field, const ClosedRecord& r) noexcept {
  switch (field) {
    case QueryField::listener: return r.listener;
    case QueryField::protocol: return index_of(r.protocol);
    case QueryField::state: return index_of(r.state);
    case QueryField::tls: return unless_none(r.tls);
    case QueryField::method: return has_request(r) ? Index{r.method} : std::nullopt;
    case QueryField::route: return r.requests != 0 ? Index{r.route} : std::nullopt;
    case QueryField::timer: return unless_none(r.timer);
    case QueryField::limited: return unless_none(r.limited_by);
    case QueryField::reason: return index_of(r.reason);
    case QueryField::initiator: return index_of(initiator_of(r.reason));
    case QueryField::family: return index_of(family_of(r.reason));
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<double> number_value(QueryField field, const Subject& subject, const Moment& now) noexcept {
  if (subject.live != nullptr) return live_number(field, *subject.live, subject.rate, now);
  return subject.closed != nullptr ? closed_number(field, *subject.closed) : std::nullopt;
}

std::optional<std::size_t> word_value(QueryField field, const Subject& subject) noexcept {
  if (subject.live != nullptr) return live_word(field, *subject.live);
  return subject.closed != nullptr ? closed_word(field, *subject.closed) : std::nullopt;
}

}  // namespace equinox::admin
