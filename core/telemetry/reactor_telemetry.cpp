#include "telemetry/reactor_telemetry.hpp"

#include <algorithm>

namespace equinox::telemetry {

namespace {

std::size_t share(std::size_t of_process, std::size_t reactors) noexcept {
  return std::max<std::size_t>(1, (of_process + reactors - 1) / std::max<std::size_t>(reactors, 1));
}

RequestRecord record_of(const RequestSample& sample, std::uint8_t bucket) noexcept {
  RequestRecord out;
  out.started_wall_ns = sample.wall_ns - sample.total_ns;
  out.total_ns = sample.total_ns;
  out.first_byte_ns = sample.first_byte_ns;
  out.phases_ns = sample.phases_ns;
  out.connection = sample.connection.packed();
  out.received_bytes = sample.received_bytes;
  out.sent_bytes = sample.sent_bytes;
  out.stream = sample.stream;
  out.route = sample.route;
  out.status = sample.status;
  out.method = sample.method;
  out.version = sample.version;
  out.scheme = sample.scheme;
  out.error = sample.error;
  out.protocol = sample.protocol;
  out.bucket = bucket;
  out.request_id.assign(sample.request_id);
  out.trace_id.assign(sample.trace_id);
  out.target.assign(sample.target);
  return out;
}

std::int64_t end_of(const RequestRecord& record) noexcept { return record.started_wall_ns + record.total_ns; }

/// Adds one reactor's part of a ring. @param moment  of an entry, in the order of the ring
template <typename T, typename F>
void add_ring(RingTotals& into, const HistoryRing<T>& ring, F moment) {
  const RingTotals part = ring.totals();
  into.entries += part.entries;
  into.capacity += part.capacity;
  into.written += part.written;
  T first;
  if (!ring.oldest(first)) return;
  const std::int64_t at = moment(first);
  into.oldest_wall_ns = into.oldest_wall_ns == 0 ? at : std::min(into.oldest_wall_ns, at);
  if (part.written > part.capacity) into.whole_from_wall_ns = std::max(into.whole_from_wall_ns, at);
}

std::uint32_t milliseconds_since(std::int64_t then_ns, std::int64_t now_ns) noexcept {
  return then_ns == 0 || now_ns <= then_ns ? 0 : static_cast<std::uint32_t>((now_ns - then_ns) / 1'000'000);
}

ClosedRecord closed_record(ConnectionId id, const RecordHot& last, const RecordCold& cold,
                           const CloseFacts& facts) noexcept {
  ClosedRecord out;
  out.connection = id.packed();
  out.received_bytes = last.received_bytes;
  out.sent_bytes = last.sent_bytes;
  out.peer_address = cold.peer_address;
  out.peer_port = cold.peer_port;
  out.peer_known = cold.peer_known;
  out.client_address = cold.client_address;
  out.client_port = cold.client_port;
  out.client_known = cold.client_known;
  out.requests = last.requests;
  out.pending_bytes = last.pending_bytes;
  out.timer_ms = facts.timer_ms;
  out.h2_error_code = facts.h2_error_code;
  out.has_h2_error = facts.has_h2_error;
  out.last_stream = facts.last_stream;
  out.rtt_us = facts.rtt_us != 0 ? facts.rtt_us : cold.rtt_us;
  out.retransmits = facts.retransmits != 0 ? facts.retransmits : cold.retransmits;
  out.listener = cold.listener;
  out.route = last.route;
  out.status = facts.status;
  out.was_rejected = facts.rejected.has_value();
  out.rejected = facts.rejected.value_or(RequestRejectReason{});
  out.os_errno = static_cast<std::int16_t>(facts.os_errno);
  out.tls_alert = static_cast<std::int16_t>(facts.tls_alert);
  out.tls_alert_sent = facts.tls_alert_sent;
  out.reason = facts.reason;
  out.detail = facts.detail;
  out.protocol = last.protocol;
  out.state = last.state;
  out.timer = facts.timer;
  out.method = last.method;
  out.tls = cold.tls;
  out.limited_by = cold.limited_by;
  out.streams_peak = cold.streams_peak;
  out.actor.assign(facts.actor);
  out.sni = cold.sni;
  // The record's target may be that of an earlier request: none is better than a wrong one.
  if (cold.target_request == last.requests) out.target = cold.target;
  return out;
}

}  // namespace

ReactorTelemetry::ReactorTelemetry(ReactorIndex index, const TelemetryOptions& options, SeriesDirectory& directory,
                                   std::atomic<std::uint64_t>& closed_sequence)
    : index_{index},
      observe_{options.observe},
      slow_threshold_ns_{options.slow_threshold_ns},
      stall_threshold_ns_{options.stall_threshold_ns},
      recent_per_second_{options.recent_per_second},
      stats_{options.listeners, options.routes_max, directory},
      slab_{index, options.connections_per_reactor},
      closed_sequence_{closed_sequence},
      closed_{share(options.closed, options.reactors)},
      slow_{share(options.slow, options.reactors)},
      samples_{share(options.samples, options.reactors), options.observe ? LatencyMap::kSamplesPerReactor : 1},
      recent_{share(options.recent, options.reactors)},
      timeline_{share(options.timeline, options.reactors)},
      stalls_{share(options.stalls, options.reactors)} {
  stats_.record_body_sizes(options.body_sizes);
}

RecordSlot* ReactorTelemetry::find(ConnectionId id) noexcept {
  if (id.index() >= slab_.extent()) return nullptr;
  auto& slot = slab_.at(id.index());
  return slot.own_generation() == id.generation && id.generation != 0 ? &slot : nullptr;
}

RecordSlot& ReactorTelemetry::open(ConnectionId id, const RecordHot& hot, const RecordCold& cold,
                                   std::int64_t wall_ns) {
  stats_.accepted(cold.listener);
  auto& slot = slab_.ensure(id.index());
  RecordHot first = hot;
  first.generation = id.generation;
  slot.write(first, cold);
  stats_.opened(cold.listener, hot.protocol, hot.state);
  note_state(id, hot.protocol, hot.state, wall_ns);
  return slot;
}

void ReactorTelemetry::move_gauges(const RecordSlot& slot, ConnectionId id, const RecordHot& hot,
                                   std::int64_t wall_ns) noexcept {
  stats_.set_state(slot.own_listener(), slot.own_protocol(), slot.own_state(), hot.protocol, hot.state);
  // A protocol that has become known is no change of state.
  if (slot.own_state() != hot.state) note_state(id, hot.protocol, hot.state, wall_ns);
}

void ReactorTelemetry::close(RecordSlot& slot, ConnectionId id, const RecordHot& last, const CloseFacts& facts,
                             std::int64_t now_ns, std::int64_t wall_ns) noexcept {
  const auto cold = slot.own_cold();
  const auto age_ns = cold.opened_ns == 0 ? 0 : now_ns - cold.opened_ns;
  stats_.closed(last.protocol, facts.reason, age_ns, last.requests);
  const bool made_room = facts.reason == CloseReason::connection_limit && facts.detail == CloseDetail::none;
  if (made_room) stats_.evicted(last.protocol, kPressureVerdict.phase);
  stats_.left(slot.own_listener(), slot.own_protocol(), slot.own_state());
  auto record = closed_record(id, last, cold, facts);
  record.sequence = closed_sequence_.fetch_add(1, std::memory_order_relaxed) + 1;
  record.closed_wall_ns = wall_ns;
  record.age_ns = age_ns;
  record.silent_ms = milliseconds_since(last.last_active_ns, facts.ended_ns != 0 ? facts.ended_ns : now_ns);
  // First into the ring, then out of the slot: whoever looks for it finds it in one of them.
  closed_.push(record);
  slot.write_hot({}, 0);
}

void ReactorTelemetry::note_state(ConnectionId id, Protocol protocol, ConnectionState state,
                                  std::int64_t wall_ns) noexcept {
  if (!observe_) return;
  timeline_.push({id.packed(), wall_ns, state, protocol, {}});
}

void ReactorTelemetry::request_finished(const RequestSample& sample) noexcept {
  const auto placed = stats_.request_finished(sample);
  const bool slow = sample.total_ns >= slow_threshold_ns_;
  if (slow) stats_.slow_request(sample.route);
  if (!observe_) return;
  exemplars_.offer(placed, sample);
  const auto second = sample.wall_ns / kSecondNs;
  if (second != recent_second_) {
    recent_second_ = second;
    recent_left_ = recent_per_second_;
  }
  const auto keep = samples_.choose(placed, sample.first_byte_ns >= 0, second);
  if (slow || recent_left_ > 0 || keep != CellSamples::Keep::no) keep_request(sample, placed, slow, keep);
}

void ReactorTelemetry::keep_request(const RequestSample& sample, const ReactorStats::Placed& placed, bool slow,
                                    CellSamples::Keep keep) noexcept {
  const auto record = record_of(sample, placed.bucket());
  if (slow) slow_.push(record);
  samples_.push(record, keep);
  if (recent_left_ > 0) {
    --recent_left_;
    recent_.push(record);
  }
}

StallRecord ReactorTelemetry::describe_stall(const LoopTurn& turn) noexcept {
  StallRecord stall;
  stall.started_wall_ns = turn.wall_ns - turn.busy_ns;
  stall.started_ns = turn.steady_ns - turn.busy_ns;
  stall.duration_ns = turn.busy_ns;
  stall.reactor = index_;
  const SeenTurn seen = watch_.seen(stall.started_ns);
  if (seen.first_cpu_ns >= 0) stall.cpu_ns = thread_cpu_ns(CLOCK_THREAD_CPUTIME_ID) - seen.first_cpu_ns;
  const auto& by_cause = activity_.by_cause_ns();
  const auto worst = std::max_element(by_cause.begin(), by_cause.end());
  // Less than half of the turn is not a culprit: then it is what the watcher met.
  const bool is_clear = *worst * 2 >= turn.busy_ns;
  const bool was_met =
      !seen.is_telling() || index_of(seen.culprit()) == static_cast<std::size_t>(worst - by_cause.begin());
  if (!is_clear || !was_met) {
    stall.cause = seen.culprit();
    stall.connection = seen.connection();
    return stall;
  }
  stall.cause = static_cast<StallCause>(worst - by_cause.begin());
  const auto longest = activity_.longest();
  if (longest.cause != stall.cause) return stall;
  stall.connection = longest.connection;
  stall.stream = longest.stream;
  stall.route = longest.route;
  stall.method = longest.method;
  stall.has_route = stall.cause == StallCause::handler;
  ConnectionRecord record;
  const auto id = ConnectionId::unpack(longest.connection);
  if (slab_.read(id.index(), record) && record.id == id && record.target_is_newest()) stall.target = record.cold.target;
  return stall;
}

void ReactorTelemetry::turn(const LoopTurn& turn) noexcept {
  stats_.turn(turn);
  if (pending_stall_.duration_ns != 0) {
    pending_stall_.delayed_connections = turn.events;
    stalls_.push(pending_stall_);
    pending_stall_.duration_ns = 0;
  }
  if (turn.busy_ns >= stall_threshold_ns()) {
    pending_stall_ = describe_stall(turn);
    stats_.stalled(pending_stall_.cause, turn.busy_ns);
  }
  activity_.reset();
}

void ReactorTelemetry::add_to(ServerSnapshot& into) const {
  stats_.add_to(into);
  auto& loop = into.reactors.emplace_back();
  stats_.add_loop_to(loop);
  loop.mailbox_length += mailbox_length_.load(std::memory_order_relaxed);
  exemplars_.append_to(into.exemplars);
  add_ring(into.ring_closed, closed_, [](const ClosedRecord& record) { return record.closed_wall_ns; });
  add_ring(into.ring_slow, slow_, end_of);
  add_ring(into.ring_stalls, stalls_, [](const StallRecord& stall) { return stall.started_wall_ns; });
  add_ring(into.ring_samples, samples_.by_second(), end_of);
  add_ring(into.ring_cells, samples_.by_step(), end_of);
  add_ring(into.ring_recent, recent_, end_of);
  add_ring(into.ring_timeline, timeline_, [](const StateChange& change) { return change.at_wall_ns; });
}

}  // namespace equinox::telemetry
