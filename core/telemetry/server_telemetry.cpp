#include "telemetry/server_telemetry.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace equinox::telemetry {

namespace {

/// Visits the entries of several rings as one, newest first by `key`.
template <typename T, typename Key, typename Visit>
void merge_newest_first(const std::vector<const HistoryRing<T>*>& rings, Key key, const Visit& visit) {
  struct Head {
    typename HistoryRing<T>::Cursor cursor;
    T value{};
    bool present{false};
  };
  std::vector<Head> heads;
  heads.reserve(rings.size());
  std::uint64_t sequence = 0;
  for (const auto* ring : rings) {
    heads.push_back(Head{typename HistoryRing<T>::Cursor{*ring}});
    heads.back().present = heads.back().cursor.next(heads.back().value, sequence);
  }
  for (;;) {
    Head* newest = nullptr;
    for (auto& head : heads) {
      if (head.present && (newest == nullptr || key(head.value) > key(newest->value))) newest = &head;
    }
    if (newest == nullptr || !visit(static_cast<const T&>(newest->value))) return;
    newest->present = newest->cursor.next(newest->value, sequence);
  }
}

template <typename T, typename Reactors>
std::vector<const HistoryRing<T>*> rings_of(const Reactors& reactors,
                                            const HistoryRing<T>& (ReactorTelemetry::*ring)() const noexcept) {
  std::vector<const HistoryRing<T>*> out;
  out.reserve(reactors.size());
  for (const auto& reactor : reactors) out.push_back(&((*reactor).*ring)());
  return out;
}

std::int64_t end_of(const RequestRecord& request) noexcept { return request.started_wall_ns + request.total_ns; }

/// Exemplars and series are kept by directory slot; observers get indices into the series that exist.
void collect_series(const SeriesDirectory& directory, const std::vector<std::unique_ptr<ReactorTelemetry>>& reactors,
                    ServerSnapshot& into) {
  std::vector<std::uint32_t> index_of_slot(directory.capacity(), ~std::uint32_t{0});
  for (std::size_t slot = 0; slot < directory.capacity(); ++slot) {
    const auto bits = directory.key_at(slot);
    if (bits == 0) continue;
    const auto key = SeriesKey::unpack(bits);
    RequestSeries series{key.route, key.method, key.status, key.version, key.scheme, key.error, {}};
    for (const auto& reactor : reactors) reactor->stats().add_series_to(slot, series.duration);
    index_of_slot[slot] = static_cast<std::uint32_t>(into.requests.size());
    into.requests.push_back(series);
  }
  std::vector<Exemplar> known;
  for (auto exemplar : into.exemplars) {
    if (exemplar.series >= index_of_slot.size()) continue;
    exemplar.series = index_of_slot[exemplar.series];
    if (exemplar.series < into.requests.size()) known.push_back(exemplar);
  }
  into.exemplars = std::move(known);
}

}  // namespace

std::int64_t wall_now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string make_boot_id() {
  std::random_device source;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  while (out.size() < 16) out += kDigits[source() % kDigits.size()];
  return out;
}

ServerTelemetry::ServerTelemetry(const TelemetryOptions& options, ServerIdentity identity,
                                 std::vector<std::string> listener_names, Clock clock)
    : options_{options},
      identity_{std::move(identity)},
      listener_names_{std::move(listener_names)},
      clock_{clock},
      directory_{options.series_budget},
      route_names_{"_unmatched", "_other"},
      route_ids_{{"_unmatched", kRouteUnmatched}, {"_other", kRouteOther}} {
  options_.reactors = std::clamp<std::size_t>(options_.reactors, 1, 255);
  options_.listeners = std::max(options_.listeners, listener_names_.size());
  options_.routes_max = std::clamp<std::size_t>(options_.routes_max, kFirstRoute, 65'536);
  std::vector<ReactorTelemetry*> watched;
  for (std::size_t i = 0; i < options_.reactors; ++i) {
    reactors_.push_back(
        std::make_unique<ReactorTelemetry>(static_cast<ReactorIndex>(i), options_, directory_, closed_sequence_));
    watched.push_back(reactors_.back().get());
  }
  watcher_ = std::make_unique<StallWatcher>(std::move(watched));
}

ServerTelemetry::~ServerTelemetry() = default;

RouteId ServerTelemetry::intern_route(std::string_view name) {
  const std::lock_guard lock{route_mutex_};
  if (const auto found = route_ids_.find(name); found != route_ids_.end()) return found->second;
  if (route_names_.size() >= options_.routes_max) return kRouteOther;
  const auto id = static_cast<RouteId>(route_names_.size());
  route_names_.emplace_back(name);
  route_ids_.emplace(name, id);
  return id;
}

void ServerTelemetry::record_second() { series_.sample(snapshot()); }

std::vector<StallRecord> ServerTelemetry::watch() {
  return watcher_->observe(clock_.now().time_since_epoch().count(), wall_now_ns());
}

std::chrono::nanoseconds ServerTelemetry::until_next_watch() const {
  const auto now = clock_.now().time_since_epoch().count();
  return std::chrono::nanoseconds{std::max<std::int64_t>(0, watcher_->next_look(now) - now)};
}

bool ServerTelemetry::is_quiet() const { return watcher_->is_quiet(); }

ServerIdentity ServerTelemetry::identity() const { return identity_; }
LiveFacts ServerTelemetry::live() const {
  LiveFacts out;
  out.slow_threshold_ns = options_.slow_threshold_ns;
  out.stall_threshold_ns = options_.stall_threshold_ns;
  for (const auto& name : listener_names_) {
    out.listeners.emplace_back();
    out.listeners.back().name = name;
  }
  return out;
}

ServerSnapshot ServerTelemetry::snapshot() const {
  ServerSnapshot out;
  out.taken_wall_ns = wall_now_ns();
  out.taken_ns = clock_.now().time_since_epoch().count();
  for (const auto& reactor : reactors_) reactor->add_to(out);
  collect_series(directory_, reactors_, out);
  const std::lock_guard lock{route_mutex_};
  out.routes.resize(route_names_.size());
  return out;
}

std::vector<std::string> ServerTelemetry::route_names() const {
  const std::lock_guard lock{route_mutex_};
  return route_names_;
}

std::vector<std::string> ServerTelemetry::listener_names() const { return listener_names_; }

void ServerTelemetry::for_each_record(const Visitor<ConnectionRecord>& visit) const {
  ConnectionRecord record;
  for (const auto& reactor : reactors_) {
    const auto& slab = reactor->records();
    const auto extent = slab.extent();
    for (std::uint32_t slot = 0; slot < extent; ++slot) {
      if (slab.read(slot, record) && !visit(record)) return;
    }
  }
}

std::uint32_t ServerTelemetry::record_extent(std::size_t reactor) const {
  return reactor < reactors_.size() ? reactors_[reactor]->records().extent() : 0;
}

std::optional<ConnectionRecord> ServerTelemetry::record_at(std::size_t reactor, std::uint32_t slot) const {
  ConnectionRecord record;
  if (reactor >= reactors_.size() || !reactors_[reactor]->records().read(slot, record)) return std::nullopt;
  return record;
}

std::optional<ConnectionRecord> ServerTelemetry::record(ConnectionId id) const {
  auto found = record_at(id.reactor(), id.index());
  if (found && found->id != id) found.reset();
  return found;
}

void ServerTelemetry::closed(const Visitor<ClosedRecord>& visit) const {
  merge_newest_first(
      rings_of(reactors_, &ReactorTelemetry::closed_ring), [](const auto& entry) { return entry.sequence; }, visit);
}

void ServerTelemetry::slow_requests(const Visitor<RequestRecord>& visit) const {
  merge_newest_first(rings_of(reactors_, &ReactorTelemetry::slow_ring), end_of, visit);
}

void ServerTelemetry::sampled_requests(const Visitor<RequestRecord>& visit) const {
  std::vector<const HistoryRing<RequestRecord>*> rings;
  for (const auto& reactor : reactors_) {
    rings.push_back(&reactor->cell_samples().by_second());
    rings.push_back(&reactor->cell_samples().by_step());
  }
  merge_newest_first(rings, end_of, visit);
}

void ServerTelemetry::recent_requests(const Visitor<RequestRecord>& visit) const {
  merge_newest_first(rings_of(reactors_, &ReactorTelemetry::recent_ring), end_of, visit);
}

void ServerTelemetry::stalls(const Visitor<StallRecord>& visit) const {
  for (std::size_t i = 0; i < reactors_.size(); ++i) {
    if (const auto running = watcher_->running(i); running && !visit(*running)) return;
  }
  merge_newest_first(
      rings_of(reactors_, &ReactorTelemetry::stall_ring), [](const auto& entry) { return entry.started_ns; }, visit);
}

std::vector<StateChange> ServerTelemetry::timeline(ConnectionId id, std::size_t limit) const {
  std::vector<StateChange> out;
  if (limit == 0 || id.reactor() >= reactors_.size()) return out;
  reactors_[id.reactor()]->timeline_ring().newest_first([&](const StateChange& change, std::uint64_t) {
    if (change.connection == id.packed()) out.push_back(change);
    return out.size() < limit;
  });
  return out;
}

std::int64_t ServerTelemetry::timeline_reach_wall_ns(std::size_t reactor) const {
  StateChange oldest;
  return reactor < reactors_.size() && reactors_[reactor]->timeline_ring().oldest(oldest) ? oldest.at_wall_ns : 0;
}

std::vector<ReactorFacts> ServerTelemetry::reactors() const {
  std::vector<ReactorFacts> out;
  const auto now = clock_.now().time_since_epoch().count();
  for (std::size_t i = 0; i < reactors_.size(); ++i) {
    ReactorFacts facts;
    facts.reactor = static_cast<std::uint8_t>(i);
    const auto last = reactors_[i]->stats().last_iteration_ns();
    facts.last_iteration_ns_ago = last == 0 ? 0 : now - last;
    facts.stall = watcher_->running(i);
    out.push_back(facts);
  }
  return out;
}

std::vector<SeriesPoint> ServerTelemetry::series(std::int64_t since_wall_ns) const {
  return series_.since(since_wall_ns);
}

}  // namespace equinox::telemetry
