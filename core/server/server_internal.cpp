#include "server/server_internal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <future>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/signals_elsewhere.hpp"
#include "server/access_line.hpp"
#include "server/connection.hpp"
#include "server/connection_table.hpp"
#include "server/machine.hpp"

namespace equinox {

namespace {

LogTarget log_target(const std::string& target, const LogSink& sink) {
  LogTarget out;
  if (sink) {
    out.kind = LogTarget::Kind::function;
    out.sink = sink;
  } else if (target == "stderr") {
    out.kind = LogTarget::Kind::standard_error;
  } else if (target == "stdout" || target == "-") {
    out.kind = LogTarget::Kind::standard_output;
  } else if (target == "off") {
    out.kind = LogTarget::Kind::none;
  } else {
    out.kind = LogTarget::Kind::file;
    out.path = target;
  }
  return out;
}

Log open_log(LogWriter& writer, LogOptions options, const std::string& target) {
  auto log = writer.open(std::move(options));
  if (!log) throw std::system_error{log.error().os_errno, std::generic_category(), "log \"" + target + "\""};
  return *log;
}

net::Wakeup open_wakeup() {
  auto wakeup = net::Wakeup::open();
  if (!wakeup) throw std::system_error{wakeup.error().os_errno, std::generic_category(), "eventfd"};
  return std::move(*wakeup);
}

/// Set on the reactors' threads: whose they are.
thread_local const void* t_server_of_reactor = nullptr;

/// Of each reactor: it may hold all connections, and its table numbers them by whole chunks. A reload may raise the
/// limit as far as there can be descriptors; an index of chunks is all that room costs until it is used.
std::size_t record_capacity(const LimitConfig& limits) {
  const std::uint64_t descriptors =
      std::min<std::uint64_t>(server::hard_descriptor_limit(), server::kDescriptorsAtMost);
  return std::max<std::uint64_t>(server::connection_limit(limits), descriptors) + server::ConnectionTable::kChunk;
}

telemetry::TelemetryOptions telemetry_options(const ServerConfig& config, std::uint32_t reactors) {
  telemetry::TelemetryOptions out;
  out.reactors = reactors;
  out.listeners = config.listeners.size();
  out.connections_per_reactor = record_capacity(config.limits);
  out.closed = config.observe ? config.history.closed : 256;
  out.slow = config.observe ? config.history.slow : 64;
  out.samples = config.observe ? config.history.samples : 64;
  out.recent = config.observe ? config.history.recent : 64;
  out.timeline = config.observe ? config.history.events : 64;
  out.stalls = config.observe ? config.history.stalls : 64;
  out.series_budget = config.history.series;
  out.body_sizes = config.history.body_sizes;
  out.slow_threshold_ns = std::chrono::nanoseconds{config.history.slow_threshold}.count();
  out.stall_threshold_ns = std::chrono::nanoseconds{config.history.stall_threshold}.count();
  out.observe = config.observe;
  return out;
}

/// One socket for each reactor: of its own, or a copy of one that was given to us.
Result<std::vector<net::Listener>> open_sockets(const ListenerConfig& listener, std::uint32_t reactors) {
  if (listener.inherited.empty()) {
    net::ListenerOptions options;
    options.defer_accept_seconds = static_cast<int>(listener.defer_accept.count());
    return net::Listener::open_group(*net::SocketAddress::parse(listener.address), options, reactors);
  }
  std::vector<net::Listener> out;
  for (std::uint32_t r = 0; r < reactors; ++r) {
    const int given = listener.inherited[r % listener.inherited.size()];
    auto adopted = net::Listener::adopt(UniqueFd{::fcntl(given, F_DUPFD_CLOEXEC, 3)});
    if (!adopted) return adopted.error();
    out.push_back(std::move(*adopted));
  }
  return out;
}

std::system_error cannot_open(const ListenerConfig& listener, const Error& error) {
  std::string where = listener.inherited.empty() ? listener.address : "inherited socket";
  // "Invalid argument" alone does not say of what.
  if (error.code == Errc::invalid_argument) where += ", which is not a listening TCP socket";
  return {error.os_errno, std::generic_category(),
          "listener \"" + server::listener_name(listener) + "\" cannot be opened on " + where};
}

}  // namespace

Server::Internal::Internal(ServerConfig given, Server& owner)
    : config{server::with_bounded_times(std::move(given))},
      routes{owner},
      workers{config.workers.threads, config.workers.queue, server_log} {
  reactor_count = config.reactors == 0 ? server::usable_cpus() : config.reactors;
  // Mistakes show here, not when the server starts: an empty set of routes is enough to see them.
  current = server::make_settings(
      config, Routes{}, [](std::string_view) { return kRouteUnmatched; }, nullptr);
  for (const ListenerConfig& listener : config.listeners) {
    if (listener.inherited.empty() && !net::SocketAddress::parse(listener.address)) {
      throw std::invalid_argument{"listener \"" + server::listener_name(listener) + "\": \"" + listener.address +
                                  "\" is not an address such as 127.0.0.1:8080, [::1]:8080 or :8080"};
    }
  }
  LogOptions options;
  options.name = "server";
  options.target = log_target(config.log.target, config.log.sink);
  options.format = config.log.format == "json" ? LogFormat::json : LogFormat::text;
  options.level = config.log.level;
  options.history_lines = config.observe ? config.history.log : 0;
  server_log = open_log(writer, std::move(options), config.log.target);
  if (config.log.access != "off") {
    LogOptions access;
    access.name = "access";
    access.target = log_target(config.log.access, {});
    access.format = config.log.access_format == "json" ? LogFormat::json : LogFormat::custom;
    access.layout = server::append_combined;
    access.history_lines = config.observe ? config.history.log : 0;
    access_log = open_log(writer, std::move(access), config.log.access);
  }
  ServerIdentity identity;
  identity.boot_id = telemetry::make_boot_id();
  identity.instance = config.instance.empty() ? server::host_name() : config.instance;
  identity.name = config.name;
  identity.version = EQUINOX_VERSION;
  identity.started_wall_ns = telemetry::wall_now_ns();
  identity.started_ns = Clock{}.now().time_since_epoch().count();
  std::vector<std::string> names;
  for (const ListenerConfig& listener : config.listeners) names.push_back(server::listener_name(listener));
  view = std::make_unique<View>(telemetry_options(config, reactor_count), std::move(identity), std::move(names), *this);
  admission = std::make_unique<server::Admission>(server::connection_limit(config.limits),
                                                  config.limits.connections_per_client);
  admission->set_memory_limit(config.limits.memory);
}

Server::Internal::~Internal() = default;

void Server::Internal::log(LogLevel level, std::string_view message) const {
  server_log.write(LogRecord{level, LogComponent::server, message}.add("server", config.name));
}

Server::Internal::OpenedListeners Server::Internal::open_listeners() const {
  OpenedListeners out;
  out.by_reactor.resize(reactor_count);
  for (const ListenerConfig& listener : config.listeners) {
    auto opened = open_sockets(listener, reactor_count);
    if (!opened) throw cannot_open(listener, opened.error());
    const net::SocketAddress address = opened->front().bound_address();
    out.bound.push_back({server::listener_name(listener), to_string(address), address.port()});
    for (std::uint32_t r = 0; r < reactor_count; ++r) {
      // Others may hold an inherited one open.
      out.by_reactor[r].push_back(
          {std::make_shared<net::Listener>(std::move((*opened)[r])), !listener.inherited.empty()});
      // Members of a group have a queue each; reactors that poll the same socket share one.
      const bool has_own_queue = listener.inherited.empty() || r < listener.inherited.size();
      if (has_own_queue) out.queues.push_back({out.bound.size() - 1, out.by_reactor[r].back().listener});
    }
  }
  return out;
}

server::Reactor::Setup Server::Internal::reactor_setup(std::uint32_t index, std::uint64_t request_id_process) const {
  server::Reactor::Setup setup;
  setup.index = static_cast<ReactorIndex>(index);
  setup.name = "eqx-" + config.name.substr(0, 7) + "-" + std::to_string(index);
  setup.server_field = config.server_field;
  setup.admission = admission.get();
  setup.telemetry = &view->reactor(index);
  setup.log = server_log.producer();
  if (access_log) setup.access_log = access_log.producer();
  setup.hooks = hooks.opened || hooks.closed || hooks.request_done ? &hooks : nullptr;
  setup.request_id_process = request_id_process;
  setup.refusal_slots = std::max<std::size_t>(1, server::RefusalSlots::kSlots / reactor_count);
  setup.server_log = server_log;
  setup.access = access_log;
  return setup;
}

/// The body of a reactor's thread.
void Server::Internal::serve(server::Reactor& reactor) {
  t_server_of_reactor = this;
  reactor.run();
  const std::lock_guard lock{mutex};
  if (--running == 0) {
    if (drain_state != DrainState::none) drain_state = DrainState::drained;
    over->signal();
  }
  ended.notify_all();
}

void Server::Internal::start() {
  {
    const std::lock_guard lock{mutex};
    if (is_starting || is_started) throw std::logic_error{"the server was started before"};
    if (is_stopped) throw std::logic_error{"the server was stopped before it was started"};
    is_starting = true;
  }
  try {
    start_all_or_nothing();
  } catch (...) {
    const std::lock_guard lock{mutex};
    is_starting = false;
    throw;
  }
  for (const BoundListener& listener : bound) {
    server_log.write(LogRecord{LogLevel::info, LogComponent::listener, "listening"}
                         .add("name", listener.name)
                         .add("address", listener.address));
  }
}

void Server::Internal::start_all_or_nothing() {
  auto settings = server::make_settings(
      config, routes, [&](std::string_view name) { return view->intern_route(name); }, current.get());
  OpenedListeners opened = open_listeners();
  std::random_device random;
  const std::uint64_t request_id_process = std::uint64_t{random()} << 32U | random();
  net::Wakeup end = open_wakeup();
  auto rest = config.observe ? std::make_unique<server::ObserverRest>(open_wakeup()) : nullptr;
  std::vector<std::unique_ptr<server::Reactor>> made;
  for (std::uint32_t r = 0; r < reactor_count; ++r) {
    server::Reactor::Setup setup = reactor_setup(r, request_id_process);
    setup.settings = settings;
    setup.listeners = std::move(opened.by_reactor[r]);
    setup.observer_rest = rest.get();
    made.push_back(std::make_unique<server::Reactor>(std::move(setup)));
  }
  auto watching = config.observe ? std::make_unique<server::Observer>(*view, *rest, server_log) : nullptr;

  // The threads wait until all of them are there: what one cannot be made for, none has begun to serve. Whichever
  // signal the application waits for, none of them must be there to take it.
  const SignalsElsewhere masked;
  std::promise<bool> gate;
  std::vector<std::thread> waiting;
  const auto open_gate = [&](bool is_good) {
    gate.set_value(is_good);
    if (is_good) return;
    for (std::thread& thread : waiting) thread.join();
  };
  try {
    const std::shared_future<bool> is_good{gate.get_future()};
    for (const auto& reactor : made) {
      waiting.emplace_back([this, is_good, one = reactor.get()] {
        if (is_good.get()) serve(*one);
      });
    }
    if (watching != nullptr) watching->start();
    const std::scoped_lock lock{joining, mutex};
    if (is_stopped) throw std::logic_error{"the server was stopped while it started"};
    observer_rest = std::move(rest);
    reactors = std::move(made);
    bound = std::move(opened.bound);
    queues = std::move(opened.queues);
    over.emplace(std::move(end));
    observer = std::move(watching);
    threads.swap(waiting);
    current = std::move(settings);
    running = reactor_count;
    is_started = true;
  } catch (...) {
    open_gate(false);
    throw;
  }
  open_gate(true);
}

void Server::Internal::post_all(const std::function<void(server::Reactor&)>& task) const {
  if (!is_started) return;
  for (const auto& reactor : reactors) reactor->post(server::TaskMail{task});
}

void Server::Internal::drain(bool keep_listeners, std::string_view by) {
  server::DrainPlan plan;
  std::string asked_by;
  const std::lock_guard one_after_the_other{draining};
  {
    const std::lock_guard lock{mutex};
    if (!is_started || is_stopped) return;
    // One that runs keeps its timeout and who asked for it; where the process is ending, a lesser drain must not make
    // it look as if it could be taken back.
    if (keep_listeners && drain_state != DrainState::none) return;
    const bool was_kept = drain_state != DrainState::none;
    // A SIGTERM after a drain skips the delay.
    plan.delay = was_kept ? Duration{0} : Duration{config.drain.delay};
    plan.timeout = config.drain.timeout;
    plan.keep_listeners = keep_listeners;
    plan.ends_queues = holds_sockets_alone;
    plan.reason = keep_listeners ? CloseReason::admin_drain : CloseReason::drain;
    plan.by.assign(by);
    drain_state = DrainState::draining;
    // One that ends the process goes on as it began, its delay too.
    if (!was_kept || drain_keeps_listeners) drain_delay = plan.delay;
    if (!was_kept) drain_started_wall_ns = telemetry::wall_now_ns();
    drain_keeps_listeners = keep_listeners;
    drain_by = !by.empty() ? by : keep_listeners ? "admin" : "signal";
    asked_by = drain_by;
  }
  server_log.write(
      LogRecord{LogLevel::info, LogComponent::server, keep_listeners ? "draining, listeners stay open" : "draining"}
          .add("server", config.name)
          .add("by", asked_by));
  post_all([plan](server::Reactor& reactor) { reactor.begin_drain(plan); });
}

bool Server::Internal::undrain() {
  const std::lock_guard one_after_the_other{draining};
  {
    const std::lock_guard lock{mutex};
    if (drain_state == DrainState::none || !drain_keeps_listeners || is_stopped) return false;
    drain_state = DrainState::none;
    drain_started_wall_ns = 0;
    drain_by.clear();
  }
  log(LogLevel::info, "drain taken back");
  post_all([](server::Reactor& reactor) { reactor.end_drain(); });
  return true;
}

bool Server::Internal::wait(std::optional<std::chrono::milliseconds> timeout) {
  if (!timeout && t_server_of_reactor == this)
    throw std::logic_error{"a handler cannot wait for the end of its server"};
  {
    std::unique_lock lock{mutex};
    const auto is_over = [&] { return running == 0; };
    if (timeout) {
      if (!ended.wait_for(lock, std::min(*timeout, server::kLongest), is_over)) return false;
    } else {
      ended.wait(lock, is_over);
    }
  }
  if (!is_one_of_mine()) join();
  return true;
}

void Server::Internal::stop(CloseReason reason) {
  bool is_first = false;
  {
    const std::lock_guard lock{mutex};
    is_first = !std::exchange(is_stopped, true);
  }
  if (is_first) post_all([reason](server::Reactor& reactor) { reactor.stop(reason); });
  if (is_one_of_mine()) return;
  join();
  const std::lock_guard lock{joining};
  workers.stop();
  writer.flush(std::chrono::milliseconds{200});
}

/// Reactors and workers: they cannot wait for their own end.
bool Server::Internal::is_one_of_mine() const noexcept {
  return t_server_of_reactor == this || workers.is_one_of_mine();
}

void Server::Internal::join() {
  const std::lock_guard lock{joining};
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
  if (observer != nullptr) observer->stop();
}

}  // namespace equinox
