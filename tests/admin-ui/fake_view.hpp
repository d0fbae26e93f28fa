#pragma once

#include <equinox/admin.hpp>
#include <equinox/view.hpp>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "admin-ui/api/log_levels.hpp"
#include "admin-ui/api/routes.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {

/// A server that is made up: records come and go as a test says. Any thread.
class FakeView final : public ServerView {
 public:
  static constexpr std::size_t kReactors = 4;

  FakeView() {
    facts.ready = true;
    facts.slow_threshold_ns = 250'000'000;
    facts.stall_threshold_ns = 100'000'000;
    facts.timeouts.push_back({DeadlineKind::idle, 60'000'000'000});
    totals.listeners.resize(2);
    totals.reactors.resize(kReactors);
    totals.routes.resize(4);
  }

  /// Connection number `n` in a slot of its own; `change` may alter it before it is seen.
  template <typename F>
  ConnectionId add(std::uint32_t n, F change) {
    ConnectionRecord record = made(n);
    change(record);
    const std::lock_guard lock{mutex_};
    records_.emplace(record.id.packed(), record);
    return record.id;
  }
  ConnectionId add(std::uint32_t n) {
    return add(n, [](ConnectionRecord&) {});
  }
  void add_many(std::uint32_t count) {
    for (std::uint32_t n = 0; n < count; ++n) add(n);
  }
  /// Ends it with a closing record.
  bool close(ConnectionId id, CloseReason reason = CloseReason::client_fin_idle) {
    const std::lock_guard lock{mutex_};
    const auto entry = records_.find(id.packed());
    if (entry == records_.end()) return false;
    const ConnectionRecord* found = &entry->second;
    ClosedRecord closed;
    closed.sequence = closed_.size() + 1;
    closed.closed_wall_ns = Moment::now().wall_ns;
    closed.connection = id.packed();
    closed.peer_address = found->cold.peer_address;
    closed.peer_port = found->cold.peer_port;
    closed.peer_known = true;
    closed.requests = found->hot.requests;
    closed.reason = reason;
    closed.protocol = found->hot.protocol;
    closed.target = found->cold.target;
    closed_.insert(closed_.begin(), closed);
    records_.erase(entry);
    return true;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return records_.size();
  }
  template <typename F>
  void change(ConnectionId id, F how) {
    const std::lock_guard lock{mutex_};
    const auto found = records_.find(id.packed());
    if (found != records_.end()) how(found->second);
  }

  static ConnectionRecord made(std::uint32_t n) {
    const Moment now = Moment::now();
    ConnectionRecord record;
    constexpr std::uint32_t kSplit = kReactors;
    record.id = ConnectionId::make(static_cast<ReactorIndex>(n % kSplit), n / kSplit, 1 + n % 7);
    record.hot.generation = record.id.generation;
    record.hot.state = static_cast<ConnectionState>(n % 6);
    record.hot.protocol = static_cast<Protocol>(n % 4);
    record.hot.requests = n % 100;
    record.hot.received_bytes = n * 37ULL % 100'003;
    record.hot.sent_bytes = n * 7919ULL % 1'000'003;
    record.hot.last_active_ns = now.steady_ns - static_cast<std::int64_t>(n % 90) * 1'000'000'000;
    record.hot.deadline = n % 5 == 0 ? DeadlineKind::none : DeadlineKind::idle;
    record.hot.deadline_due_ns = record.hot.last_active_ns + 100'000'000'000;
    record.hot.deadline_total_ms = 100'000;
    record.hot.route = static_cast<RouteId>(n % 4);
    record.cold.opened_ns = now.steady_ns - static_cast<std::int64_t>(n) * 1'000'000;
    record.cold.memory_bytes = 472 + n % 3'000 * 64;
    const Endpoint peer = Endpoint::v4(
        {10, static_cast<std::uint8_t>(n >> 16U), static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)},
        static_cast<std::uint16_t>(1024 + n % 60000));
    record.cold.peer_address = peer.address;
    record.cold.peer_port = peer.port;
    record.cold.peer_known = true;
    record.cold.listener = static_cast<std::uint16_t>(n % 2);
    record.cold.target.assign("/api/items/" + std::to_string(n) + "?key=secret" + std::to_string(n));
    return record;
  }

  [[nodiscard]] ServerIdentity identity() const override {
    ServerIdentity out;
    out.boot_id = "boot-1";
    out.instance = "fake";
    out.version = "1.2.3";
    out.started_wall_ns = started_.wall_ns;
    out.started_ns = started_.steady_ns;
    return out;
  }
  [[nodiscard]] LiveFacts live() const override {
    const std::lock_guard lock{mutex_};
    return facts;
  }
  [[nodiscard]] ServerSnapshot snapshot() const override {
    const std::lock_guard lock{mutex_};
    ServerSnapshot out = totals;
    for (const auto& [packed, r] : records_)
      ++out.listeners[r.cold.listener].open[index_of(r.hot.protocol)][index_of(r.hot.state)];
    return out;
  }
  [[nodiscard]] std::vector<std::string> route_names() const override {
    return {"_unmatched", "_other", "/api/items/{id}", "/files/*"};
  }
  [[nodiscard]] std::vector<std::string> listener_names() const override { return {"http", "https"}; }
  [[nodiscard]] std::size_t reactor_count() const override { return kReactors; }
  void for_each_record(const Visitor<ConnectionRecord>& visit) const override {
    for (const auto& [packed, record] : copied(records_)) {
      if (!visit(record)) return;
    }
  }
  [[nodiscard]] std::uint32_t record_extent(std::size_t) const override {
    return static_cast<std::uint32_t>(count() / kReactors + 1);
  }
  [[nodiscard]] std::optional<ConnectionRecord> record_at(std::size_t, std::uint32_t) const override { return {}; }
  [[nodiscard]] std::optional<ConnectionRecord> record(ConnectionId id) const override {
    const std::lock_guard lock{mutex_};
    const auto found = records_.find(id.packed());
    return found != records_.end() ? std::optional{found->second} : std::nullopt;
  }
  void closed(const Visitor<ClosedRecord>& visit) const override {
    for (const auto& record : copied(closed_)) {
      if (!visit(record)) return;
    }
  }
  [[nodiscard]] LogExcerpt log(ConnectionId id, std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    LogExcerpt out = excerpt;
    if (id != logged) out.lines.clear();
    if (out.lines.size() > limit) out.lines.resize(limit);
    return out;
  }
  void slow_requests(const Visitor<RequestRecord>& visit) const override { each(slow, visit); }
  void sampled_requests(const Visitor<RequestRecord>& visit) const override { each(sampled, visit); }
  void recent_requests(const Visitor<RequestRecord>& visit) const override { each(recent, visit); }
  void stalls(const Visitor<StallRecord>& visit) const override { each(stalled, visit); }
  [[nodiscard]] std::vector<StateChange> timeline(ConnectionId, std::size_t) const override { return {}; }
  [[nodiscard]] std::int64_t timeline_reach_wall_ns(std::size_t) const override { return 0; }
  [[nodiscard]] std::vector<ReactorFacts> reactors() const override {
    std::vector<ReactorFacts> out(kReactors);
    for (std::size_t i = 0; i < kReactors; ++i) out[i].reactor = static_cast<std::uint8_t>(i);
    for (const StallRecord& stall : stalled) {
      if (stall.running) out[stall.reactor].stall = stall;
    }
    return out;
  }
  [[nodiscard]] std::vector<SeriesPoint> series(std::int64_t since) const override {
    std::vector<SeriesPoint> out;
    for (const auto& point : points) {
      if (point.at_wall_ns >= since) out.push_back(point);
    }
    return out;
  }

  LiveFacts facts;
  ServerSnapshot totals;
  std::vector<SeriesPoint> points;
  std::vector<RequestRecord> slow, sampled, recent;
  std::vector<StallRecord> stalled;
  ConnectionId logged;  ///< whom `excerpt` is about
  LogExcerpt excerpt;

 private:
  /// What is visited is a copy, as a server shows it: no visitor is called under a lock.
  template <typename T>
  [[nodiscard]] T copied(const T& from) const {
    const std::lock_guard lock{mutex_};
    return from;
  }
  template <typename T>
  static void each(const std::vector<T>& all, const Visitor<T>& visit) {
    for (const T& one : all) {
      if (!visit(one)) return;
    }
  }
  Moment started_ = Moment::now();
  mutable std::mutex mutex_;
  std::map<std::uint64_t, ConnectionRecord> records_;  ///< by reactor and slot, as a server shows them
  std::vector<ClosedRecord> closed_;
};

/// What a test asks with; kept alive by itself.
struct Ask {
  Method method{Method::get};
  std::string path;
  std::string query{};
  std::string body{};
  std::vector<std::pair<std::string, std::string>> fields{};
  std::string authority{"127.0.0.1:9181"};
  Endpoint peer{Endpoint::v4({127, 0, 0, 1}, 40000)};
  Scheme scheme{Scheme::http};
};

/// An answer, read to its end (or to where an event stream waits).
struct Got {
  int status{0};
  std::string type;
  std::string text;
  std::string cookie;
  std::string location;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(text, nullptr, false); }
};

inline std::string read_body(Response& response) {
  Body& body = response.body();
  if (const auto* view = std::get_if<std::string_view>(&body)) return std::string{*view};
  if (const auto* text = std::get_if<std::string>(&body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) return **shared;
  return {};
}

/// Everything a stream holds now.
inline std::string drain_source(BodySource& source) {
  std::string out;
  std::array<char, 4096> room{};
  while (true) {
    const PullResult pulled = source.pull(room);
    out.append(room.data(), pulled.count);
    if (pulled.status != PullStatus::bytes) return out;
  }
}

/// The admin surface over a fake server: routes are found as a router would, the ticks are the test's.
class Surface {
 public:
  explicit Surface(Options options = {}, bool with_actions = true)
      : state{std::make_shared<State>(view, with_actions ? made_actions() : Actions{}, std::move(options))},
        entries_{routes_over(state).entries()} {}

  Response respond(const Ask& ask) {
    std::vector<Field> fields;
    for (const auto& [name, value] : ask.fields) fields.push_back({name, value});
    RequestHead head;
    head.method = ask.method;
    head.method_name = to_string(ask.method);
    head.path = head.target = ask.path;
    head.query = ask.query;
    head.authority = ask.authority;
    head.scheme = ask.scheme;
    head.fields = fields;
    RequestContext context;
    context.peer = context.client = ask.peer;
    for (const RouteEntry& entry : entries_) {
      std::vector<PathParameter> parameters;
      const Method method = ask.method == Method::head ? Method::get : ask.method;  // GET brings HEAD along
      const bool has_method = entry.methods.empty() || entry.methods.front() == method;
      if (!has_method || !matches(entry.pattern, ask.path, parameters)) continue;
      const Request request{head, context, ask.body, parameters};
      for (const Before& before : entry.before) {
        if (auto early = before(request)) return std::move(*early);
      }
      return (*entry.handler.sync())(request);
    }
    return Response{404};
  }
  Got ask(const Ask& what) {
    Response response = respond(what);
    Got got;
    got.status = response.status().code();
    got.type = std::string{response.content_type()};
    got.cookie = std::string{response.field("set-cookie")};
    got.location = std::string{response.field("location")};
    got.text = read_body(response);
    return got;
  }
  Got get(std::string path, std::string query = {}) {
    Ask what;
    what.path = "/api/v1" + path;
    what.query = std::move(query);
    return ask(what);
  }
  /// As a script on this machine: the action field alone.
  Got act(Method method, std::string path, const nlohmann::json& body) {
    Ask what;
    what.method = method;
    what.path = "/api/v1" + path;
    what.body = body.dump();
    what.fields = {{"Content-Type", "application/json"}, {"X-Equinox-Action", "1"}};
    return ask(what);
  }

  FakeView view;
  std::vector<std::string> done;  ///< actions that were called
  std::shared_ptr<State> state;

 private:
  Actions made_actions() {
    Actions actions;
    actions.close = [this](ConnectionId id, CloseReason reason, const std::string& actor) {
      done.push_back("close " + to_string(id) + " " + actor);
      return view.close(id, reason);
    };
    actions.drain = [this](const std::string& by) { done.push_back("drain " + by); };
    actions.undrain = [this] {
      done.emplace_back("undrain");
      return false;
    };
    actions.reload = [this]() -> ReloadOutcome {
      done.emplace_back("reload");
      return {"line 3: no", {}};
    };
    actions.log_levels = std::make_shared<LogLevels>(
        LogLevel::info, [this](LogLevel level) { done.push_back("level " + std::string{level_name(level)}); });
    return actions;
  }
  static bool matches(std::string_view pattern, std::string_view path, std::vector<PathParameter>& parameters) {
    while (true) {
      const std::size_t p = std::min(pattern.find('/', 1), pattern.size());
      const std::size_t t = std::min(path.find('/', 1), path.size());
      const std::string_view segment = pattern.substr(0, p);
      if (segment == "/*") {
        parameters.push_back({"*", path.substr(1)});
        return true;
      }
      if (segment.starts_with("/{")) {
        parameters.push_back({segment.substr(2, segment.size() - 3), path.substr(1, t - 1)});
      } else if (segment != path.substr(0, t)) {
        return false;
      }
      pattern.remove_prefix(p);
      path.remove_prefix(t);
      if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
    }
  }
  std::vector<RouteEntry> entries_;
};

}  // namespace equinox::admin
