#include "appliance.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "admin_surface.hpp"
#include "sandbox_rules.hpp"
#include "server/server_internal.hpp"
#include "site.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kTick{50};             // while draining: how soon the end is noticed
constexpr milliseconds kLongestWait{10'000};  // of the loop, whatever it waits for
constexpr milliseconds kSettle{150};  // certificate and key are two files: both should be there before they are read

std::string joined(const std::vector<ConfigProblem>& problems) {
  std::string all;
  for (const ConfigProblem& problem : problems) all.append(all.empty() ? "" : "; ").append(problem.to_string());
  return all;
}

/// What keeps the certificates' files from being read, a FIFO among it: nobody may wait for its writer.
std::string unusable_certificates(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems = check_files(config);
  std::erase_if(problems, [](const ConfigProblem& each) { return each.key.find("tls.") == std::string::npos; });
  return joined(problems);
}

FileWatch watch_certificates(const ApplianceConfig& config) {
  return FileWatch{config.reload.watch_certificates ? config.certificate_files() : std::vector<std::string>{}};
}

using PreparedReload = Server::Internal::PreparedReload;

/// The admin surface with its certificates as they are now; nothing without TLS.
std::optional<PreparedReload> prepare_admin(Server* admin, const ApplianceConfig& config) {
  if (admin == nullptr || !config.admin.tls) return std::nullopt;
  return admin->internal().prepare_certificates();
}

}  // namespace

Appliance::Appliance(ApplianceConfig config, ConfigFlags flags, FileWatch configuration)
    : config_{std::move(config)},
      flags_{std::move(flags)},
      hand_over_{config_.hand_over},
      sockets_{take_inherited_sockets()},
      certificates_{watch_certificates(config_)},
      configuration_{config_.reload.watch_config ? std::move(configuration) : FileWatch{}} {
  warnings_ = resolve_environment(config_);
  const auto messages = adopt_sockets(config_, sockets_);
  warnings_.insert(warnings_.end(), messages.begin(), messages.end());
  if (const auto problems = check_adopted_admin(config_, sockets_); !problems.empty()) {
    throw std::invalid_argument{problems.front().to_string()};
  }
  listening_.take(config_, sockets_);
}

void Appliance::log(LogLevel level, std::string_view message, std::string_view detail) const {
  LogRecord record{level, LogComponent::config, message};
  if (!detail.empty()) record.add("detail", detail);
  traffic_->internal().server_log.write(record);
}

void Appliance::expect_signals() {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) std::signal(number, [](int) { ::_exit(0); });
  sigset_t later;
  ::sigemptyset(&later);
  for (const int number : {SIGHUP, SIGUSR2}) ::sigaddset(&later, number);
  ::pthread_sigmask(SIG_BLOCK, &later, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Before any thread exists: they inherit the mask, and only the descriptor tells of these signals.
void Appliance::block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2}) ::sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signals_ || !wake_) throw std::system_error{errno, std::generic_category(), "signalfd or eventfd"};
}

void Appliance::enter_sandbox() {
  config_.sandbox_in_force = appliance::enter_sandbox(config_.sandbox, sandbox_rules(config_));
  if (const std::string missing = names_missing(config_.sandbox_in_force); !missing.empty()) {
    warnings_.push_back("the sandbox is incomplete, there is no " + missing);
  }
}

void Appliance::start() {
  traffic_ = std::make_unique<Server>(config_.traffic);
  const SiteParts parts{
      &traffic_->view(),
      [server = traffic_.get()](std::function<void()> work) { return server->offload(std::move(work)); },
      dashboard_url(config_)};
  static_cast<Routes&>(*traffic_) = make_site(config_, parts);
  traffic_->set_config_facts(config_facts(config_.settings));
  const std::shared_ptr<AdminUsage> usage = make_admin_usage();
  ops_ = make_ops(config_, *traffic_, config_.admin.is_on ? facts_of(usage) : AdminFactsSource{});
  AdminSurface surface = make_admin(
      config_, *traffic_, [this] { return request_reload(); }, usage);
  admin_ = std::move(surface.server);
  log_level_reloaded_ = std::move(surface.log_level_reloaded);
  for (const std::string& warning : warnings_) log(LogLevel::warning, warning);
  if (config_.sandbox != SandboxMode::off) log(LogLevel::info, "sandboxed", names_in_force(config_.sandbox_in_force));
  // All sockets are open, so nothing of this fails for want of an address; the surfaces show a server that runs.
  traffic_->start();
  if (ops_) ops_->start();
  if (admin_) admin_->start();
}

int Appliance::run() {
  block_signals();
  listening_.open(config_);
  enter_sandbox();
  start();
  next_poll_ = SteadyClock::now() + config_.reload.poll;
  manager_.ready(fmt::format("serving on {}", traffic_->listeners().front().address));
  const bool is_wanted = predecessor_.ready();
  if (!is_wanted) {
    log(LogLevel::error, "the hand-over came too late, the old process goes on");
    begin_drain();
  }
  loop();
  finish();
  return is_wanted ? 0 : 1;
}

milliseconds Appliance::next_wake() const {
  const auto now = SteadyClock::now();
  auto wake = next_poll_;
  if (settle_at_) wake = std::min(wake, *settle_at_);
  if (const auto deadline = hand_over_.deadline()) wake = std::min(wake, *deadline);
  if (manager_.watchdog_interval()) wake = std::min(wake, next_alive_);
  const auto left = std::chrono::ceil<milliseconds>(wake - now);
  const milliseconds most = phase_ == Phase::draining ? kTick : kLongestWait;
  return std::clamp(left, milliseconds{0}, most);
}

void Appliance::loop() {
  while (phase_ != Phase::over) {
    std::array<pollfd, 5> ready{pollfd{signals_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0},
                                pollfd{certificates_.descriptor(), POLLIN, 0},
                                pollfd{configuration_.descriptor(), POLLIN, 0},
                                pollfd{hand_over_.descriptor(), POLLIN, 0}};
    ::poll(ready.data(), ready.size(), static_cast<int>(next_wake().count()));
    take_signal();
    take_requests();
    take_file_events();
    look_at_files();
    look_at_hand_over();
    feed_watchdog();
    if (phase_ == Phase::draining && traffic_->wait_for(milliseconds{0})) phase_ = Phase::over;
  }
}

void Appliance::take_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGHUP: static_cast<void>(reload()); break;
      case SIGUSR2: begin_hand_over(); break;
      case SIGQUIT:
        log(LogLevel::info, "ended at once by SIGQUIT");
        phase_ = Phase::over;
        return;
      default:
        if (phase_ == Phase::draining) {
          log(LogLevel::info, "the drain is cut short by a second signal");
          phase_ = Phase::over;
          return;
        }
        begin_drain();
    }
  }
}

ReloadOutcome Appliance::request_reload() {
  std::future<ReloadOutcome> outcome;
  {
    const std::scoped_lock lock{requests_mutex_};
    if (!takes_requests_) return {"the server is stopping", {}};
    requests_.emplace_back();
    outcome = requests_.back().get_future();
  }
  ::eventfd_write(wake_.get(), 1);
  return outcome.get();
}

void Appliance::take_requests() {
  eventfd_t count = 0;
  ::eventfd_read(wake_.get(), &count);
  std::vector<std::promise<ReloadOutcome>> requests;
  {
    const std::scoped_lock lock{requests_mutex_};
    requests.swap(requests_);
  }
  if (requests.empty()) return;
  const ReloadOutcome outcome = reload();
  for (auto& request : requests) request.set_value(outcome);
}

void Appliance::begin_drain() {
  phase_ = Phase::draining;
  hand_over_.abandon();
  manager_.stopping();
  listening_.close();
  // A successor, or systemd, goes on with the same sockets and what is queued on them.
  traffic_->internal().holds_sockets_alone = sockets_.empty() && hand_over_.successor() == 0;
  traffic_->drain();
}

void Appliance::begin_hand_over() {
  std::string obstacle = phase_ == Phase::serving ? hand_over_.begin(named_sockets(config_)) : "the server is draining";
  if (obstacle.empty()) {
    log(LogLevel::info, "hand-over: a new process is starting");
  } else {
    log(LogLevel::error, "hand-over refused, nothing has changed", obstacle);
  }
}

void Appliance::look_at_hand_over() {
  switch (hand_over_.look()) {
    case HandOver::Outcome::none: return;
    case HandOver::Outcome::failed:
      log(LogLevel::error, "hand-over failed, this process goes on serving", hand_over_.reason());
      return;
    case HandOver::Outcome::ready: break;
  }
  log(LogLevel::info, "handed over", fmt::format("process {}", hand_over_.successor()));
  manager_.retire(hand_over_.successor());
  // Probes and scrapes come in on the same sockets: from here on the new process alone answers them.
  if (ops_) ops_->drain();
  if (admin_) admin_->drain();
  if (phase_ == Phase::serving) begin_drain();
}

// Traffic first: while it ends, probes and dashboard still answer.
void Appliance::finish() {
  {
    const std::scoped_lock lock{requests_mutex_};
    takes_requests_ = false;
    for (auto& request : requests_) request.set_value({"the server is stopping", {}});
    requests_.clear();
  }
  traffic_->stop();
  if (admin_) admin_->stop();
  if (ops_) ops_->stop();
}

void Appliance::take_file_events() {
  const bool certificates = certificates_.drain_events();
  const bool configuration = configuration_.drain_events();
  if (certificates || configuration) settle_at_ = SteadyClock::now() + kSettle;
}

void Appliance::look_at_files() {
  const auto now = SteadyClock::now();
  const bool has_settled = settle_at_ && now >= *settle_at_;
  const bool is_polled = now >= next_poll_;
  if (!has_settled && !is_polled) return;
  settle_at_.reset();
  if (is_polled) next_poll_ = now + config_.reload.poll;
  if (phase_ != Phase::serving) return;  // what ends takes nothing new
  const bool has_new_certificates = certificates_.has_changed();
  // What a configuration was refused for may have passed: a key that came after its certificate, a folder made since.
  const bool may_have_passed = !configuration_.empty() && !refusal_.empty() && (is_polled || has_new_certificates);
  bool is_done = false;  // certificates, too
  if (configuration_.has_changed()) {
    is_done = reload().error.empty();
  } else if (may_have_passed) {
    is_done = read_again().error.empty();
  }
  if (has_new_certificates && !is_done) reload_certificates();
}

void Appliance::reload_certificates() {
  try {
    if (const std::string problems = unusable_certificates(config_); !problems.empty()) {
      throw std::invalid_argument{problems};
    }
    // All that can fail comes before the first change.
    auto admin = prepare_admin(admin_.get(), config_);
    traffic_->internal().commit(traffic_->internal().prepare_certificates());
    if (admin) admin_->internal().commit(std::move(*admin));
    log(LogLevel::info, "certificates reloaded");
  } catch (const std::invalid_argument& mistake) {
    traffic_->internal().note_refusal(&Server::Internal::certificates_refusal, mistake.what());
    log(LogLevel::error, "new certificates refused, the old ones stay", mistake.what());
  }
}

bool Appliance::is_healthy() const {
  for (const ReactorFacts& reactor : traffic_->view().reactors()) {
    if (std::chrono::nanoseconds{reactor.last_iteration_ns_ago} > config_.ops.livez_limit) return false;
  }
  return true;
}

void Appliance::feed_watchdog() {
  const auto interval = manager_.watchdog_interval();
  const auto now = SteadyClock::now();
  if (!interval || now < next_alive_) return;
  next_alive_ = now + *interval;
  if (is_healthy()) manager_.alive();
}

ReloadOutcome Appliance::refuse(std::string error) {
  traffic_->note_reload_failure(error);
  // Tried again by itself, it is refused in the same words until somebody mends it.
  if (error != refusal_) log(LogLevel::error, "reload refused, nothing has changed", error);
  refusal_ = error;
  return {std::move(error), {}};
}

ReloadOutcome Appliance::reload() {
  const bool is_stopping = phase_ != Phase::serving;
  // The service manager has been told that the end has begun, which READY=1 would take back.
  if (!is_stopping) manager_.reloading();
  for (Server* server : {traffic_.get(), ops_.get(), admin_.get()}) {
    if (server != nullptr) server->reopen_logs();
  }
  if (is_stopping) {
    log(LogLevel::info, "draining: log files are reopened, the configuration is not read again");
    return {"the server is stopping", {}};
  }
  refusal_.clear();  // whoever asks is told, the same as before too
  return read_again();
}

ReloadOutcome Appliance::read_again() {
  FileWatch configuration{{config_.reload.watch_config ? config_.file : std::string{}}};  // before it is read
  LoadedConfig loaded = load_config_file(config_.file, flags_);
  ReloadOutcome outcome;
  if (loaded.config) {
    outcome = apply(std::move(*loaded.config));
  } else {
    outcome = refuse(joined(loaded.problems));
  }
  configuration_ = std::move(configuration);
  manager_.ready(outcome.error.empty() ? "serving" : "serving; the last reload was refused");
  return outcome;
}

// What the sandbox keeps closed would otherwise be found out by clients, as answers with 403 or 404.
std::string Appliance::unusable_files(const ApplianceConfig& next) const {
  std::string all = joined(check_files(next));
  if (!all.empty() && !config_.sandbox_in_force.empty()) {
    all += "; the sandbox keeps the folders that were known at start: further ones need a restart";
  }
  if (all.empty()) all = joined(check_certificates(next));
  return all.empty() ? joined(check_fallbacks(next)) : all;
}

ReloadOutcome Appliance::apply(ApplianceConfig next) {
  keep_resolved(config_, next);
  static_cast<void>(resolve_environment(next));
  static_cast<void>(adopt_sockets(next, sockets_));
  next.sandbox_in_force = config_.sandbox_in_force;
  const ConfigChange change = compare(config_.settings, next.settings);
  if (!change.restart.empty()) {
    return refuse(fmt::format("{} changed, which needs a restart", fmt::join(change.restart, ", ")));
  }
  FileWatch certificates = watch_certificates(next);  // before they are read
  if (std::string problems = unusable_files(next); !problems.empty()) return refuse(std::move(problems));
  // The listeners are the same, and so are their sockets.
  for (std::size_t i = 0; i < next.traffic.listeners.size(); ++i) {
    next.traffic.listeners[i].inherited = config_.traffic.listeners[i].inherited;
  }
  next.ops.inherited = config_.ops.inherited;
  next.admin.inherited = config_.admin.inherited;
  try {
    const SiteParts parts{
        &traffic_->view(),
        [server = traffic_.get()](std::function<void()> work) { return server->offload(std::move(work)); },
        dashboard_url(next)};
    // All that can fail comes before the first change.
    auto admin = prepare_admin(admin_.get(), config_);
    traffic_->internal().commit(traffic_->internal().prepare(next.traffic, make_site(next, parts)));
    if (admin) admin_->internal().commit(std::move(*admin));
  } catch (const std::invalid_argument& mistake) {
    return refuse(mistake.what());
  }
  config_ = std::move(next);
  refusal_.clear();
  traffic_->set_config_facts(config_facts(config_.settings));
  for (Server* surface : {ops_.get(), admin_.get()}) {
    if (surface != nullptr) surface->set_log_level(config_.traffic.log.level);
  }
  // It may have been set for a while by hand.
  if (log_level_reloaded_) log_level_reloaded_(config_.traffic.log.level);
  certificates_ = std::move(certificates);
  // The admin surface keeps what it has: a slip in this file must not lock everybody out, or undo the rest.
  if (const auto problems = check_tokens(config_); !problems.empty()) {
    log(LogLevel::warning, "the tokens file cannot be used, the tokens read before stay in force", joined(problems));
  }
  log(LogLevel::info, "configuration reloaded", fmt::format("{}", fmt::join(change.live, ", ")));
  return {{}, change.live};
}

}  // namespace equinox::appliance
