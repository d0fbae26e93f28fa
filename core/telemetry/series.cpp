#include "telemetry/series.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace equinox::telemetry {

namespace {

std::uint64_t increase(std::uint64_t now, std::uint64_t before) noexcept { return now > before ? now - before : 0; }
std::uint32_t increase32(std::uint64_t now, std::uint64_t before) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(increase(now, before), ~std::uint32_t{0}));
}

/// The protocol of a request series: 2 over TLS is h2, 2 without is h2c.
Protocol protocol_of(const RequestSeries& series) noexcept {
  if (series.version < 2) return Protocol::http11;
  return series.scheme == 1 ? Protocol::h2 : Protocol::h2c;
}

struct RequestCounts {
  std::array<std::array<std::uint64_t, SeriesPoint::kBuckets>, kCount<Protocol>> duration{};
  std::uint64_t errors_4xx{0};
  std::uint64_t errors_5xx{0};
};

RequestCounts count_requests(const ServerSnapshot& snapshot) {
  RequestCounts out;
  for (const auto& series : snapshot.requests) {
    auto& buckets = out.duration[index_of(protocol_of(series))];
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += series.duration.buckets[i];
    if (series.status >= 500) out.errors_5xx += series.duration.count();
    if (series.status >= 400 && series.status < 500) out.errors_4xx += series.duration.count();
  }
  return out;
}

DurationValue sum_versions(const std::array<DurationValue, 3>& versions) {
  DurationValue out;
  for (const auto& version : versions) {
    for (std::size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i] += version.buckets[i];
    out.sum += version.sum;
  }
  return out;
}

using Buckets32 = std::array<std::uint32_t, SeriesPoint::kBuckets>;

Buckets32 bucket_increase(const DurationValue& now, const DurationValue& before) {
  Buckets32 out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = increase32(now.buckets[i], before.buckets[i]);
  return out;
}

void compare_requests(SeriesPoint& point, const ServerSnapshot& now, const ServerSnapshot& before) {
  const auto counts = count_requests(now);
  const auto old = count_requests(before);
  point.requests = increase(now.requests_finished(), before.requests_finished());
  point.errors_4xx = increase(counts.errors_4xx, old.errors_4xx);
  point.errors_5xx = increase(counts.errors_5xx, old.errors_5xx);
  for (std::size_t p = 0; p < kCount<Protocol>; ++p) {
    for (std::size_t i = 0; i < SeriesPoint::kBuckets; ++i) {
      point.duration[p][i] = increase32(counts.duration[p][i], old.duration[p][i]);
    }
  }
  for (std::size_t phase = 0; phase < kCount<RequestPhase>; ++phase) {
    const auto sum = sum_versions(now.totals.phases[phase]);
    const auto sum_before = sum_versions(before.totals.phases[phase]);
    point.phase_ns[phase] = increase(sum.sum, sum_before.sum);
    if (phase == index_of(RequestPhase::queue)) point.queue = bucket_increase(sum, sum_before);
    if (phase == index_of(RequestPhase::handler)) point.handler = bucket_increase(sum, sum_before);
  }
  point.first_byte = bucket_increase(sum_versions(now.totals.first_byte), sum_versions(before.totals.first_byte));
}

void compare_connections(SeriesPoint& point, const ServerSnapshot& now, const ServerSnapshot& before) {
  point.accepted = increase(now.accepted(), before.accepted());
  point.rejected = increase(now.rejected(), before.rejected());
  for (std::size_t r = 0; r < kCloseReasons; ++r) {
    const auto reason = static_cast<CloseReason>(r);
    point.closed_by_reason[r] = increase32(now.closed(reason), before.closed(reason));
    point.closed += point.closed_by_reason[r];
  }
  for (std::size_t phase = 0; phase < kCount<EvictionPhase>; ++phase) {
    for (std::size_t p = 0; p < kCount<Protocol>; ++p) {
      point.evicted_by_phase[phase] += increase32(now.totals.evicted[p][phase], before.totals.evicted[p][phase]);
    }
    point.evictions += point.evicted_by_phase[phase];
  }
  point.received_bytes = increase(now.received_bytes(), before.received_bytes());
  point.sent_bytes = increase(now.sent_bytes(), before.sent_bytes());
}

void compare_http2(SeriesPoint& point, const ServerSnapshot& now, const ServerSnapshot& before) {
  for (std::size_t direction = 0; direction < kCount<Direction>; ++direction) {
    for (std::size_t code = 0; code < kH2ErrorLabels.size(); ++code) {
      point.h2_resets += increase(now.totals.h2_resets[direction][code], before.totals.h2_resets[direction][code]);
    }
  }
  point.h2_blocked_ns = increase(now.totals.h2_stream_blocked_ns, before.totals.h2_stream_blocked_ns) +
                        increase(now.totals.h2_connection_blocked_ns, before.totals.h2_connection_blocked_ns);
}

void compare_reactors(SeriesPoint& point, const ServerSnapshot& now, const ServerSnapshot& before) {
  const ReactorTotals none;
  for (std::size_t i = 0; i < now.reactors.size(); ++i) {
    const ReactorTotals& old = i < before.reactors.size() ? before.reactors[i] : none;
    const auto busy = increase(now.reactors[i].busy_ns, old.busy_ns);
    const auto wait = increase(now.reactors[i].wait_ns, old.wait_ns);
    const auto all = busy + wait;
    point.reactor_busy_ratio.push_back(all == 0 ? 0.0F : static_cast<float>(busy) / static_cast<float>(all));
    const auto cpu = increase(now.reactors[i].cpu_ns, old.cpu_ns);
    point.reactor_cpu_ratio.push_back(all == 0 ? 0.0F : static_cast<float>(cpu) / static_cast<float>(all));
    std::uint32_t stalls = 0;
    for (std::size_t cause = 0; cause < kCount<StallCause>; ++cause) {
      stalls += increase32(now.reactors[i].stalls[cause], old.stalls[cause]);
    }
    point.reactor_stalls.push_back(stalls);
  }
}

SeriesPoint compare(const ServerSnapshot& now, const ServerSnapshot& before, std::int64_t second) {
  SeriesPoint point;
  point.at_wall_ns = second * kSecondNs;
  point.recorded = true;
  point.connections = now.connections();
  point.in_flight = now.requests_in_flight();
  point.h2_streams = now.h2_streams_open();
  point.pending_bytes = now.output_pending_bytes();
  compare_connections(point, now, before);
  compare_requests(point, now, before);
  compare_http2(point, now, before);
  compare_reactors(point, now, before);
  return point;
}

}  // namespace

SeriesRecorder::SeriesRecorder() : points_(kPoints) {}

void SeriesRecorder::sample(ServerSnapshot snapshot) {
  const std::lock_guard lock{mutex_};
  // Samples are taken a little after a second has ended: what grew did so in that one.
  const auto second = snapshot.taken_wall_ns / kSecondNs - 1;
  // A wall clock that was set back must not silence the series until it catches up; a small step is waited for.
  if (second < newest_second_ - kBackMost) newest_second_ = second - 1;
  if (second <= newest_second_) return;
  const auto seconds = newest_second_ == kNone ? 1 : second - newest_second_;
  const auto gap = std::min<std::int64_t>(seconds, static_cast<std::int64_t>(kPoints));
  for (auto missing = second - gap + 1; missing < second; ++missing) {
    auto& point = points_[static_cast<std::size_t>(missing) % kPoints];
    point = SeriesPoint{};
    point.at_wall_ns = missing * kSecondNs;
  }
  points_[static_cast<std::size_t>(second) % kPoints] = compare(snapshot, last_, second);
  newest_second_ = second;
  last_ = std::move(snapshot);
}

std::vector<SeriesPoint> SeriesRecorder::since(std::int64_t since_wall_ns) const {
  const std::lock_guard lock{mutex_};
  std::vector<SeriesPoint> out;
  for (auto second = newest_second_ - static_cast<std::int64_t>(kPoints) + 1; second <= newest_second_; ++second) {
    if (second <= 0 || second * kSecondNs < since_wall_ns) continue;
    const auto& point = points_[static_cast<std::size_t>(second) % kPoints];
    if (point.at_wall_ns == second * kSecondNs) out.push_back(point);
  }
  return out;
}

}  // namespace equinox::telemetry
