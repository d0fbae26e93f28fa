#include "base/log.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/log_format.hpp"
#include "base/log_state.hpp"
#include "base/signals_elsewhere.hpp"

namespace equinox {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

// Text lines are laid out by spdlog's formatter, on the writer thread; its registry and loggers are not used.
void append_text(std::string& out, const LogRecord& record) {
  thread_local spdlog::pattern_formatter formatter{"%Y-%m-%dT%H:%M:%S.%eZ %-7l [%n] %v", spdlog::pattern_time_type::utc,
                                                   ""};
  std::string payload;
  append_controls_escaped(payload, record.message());
  append_text_fields(payload, record);
  const std::string_view component = to_string(record.component());
  const auto at = std::chrono::time_point_cast<spdlog::log_clock::duration>(record.at());
  const spdlog::details::log_msg message{
      at, spdlog::source_loc{}, spdlog::string_view_t{component.data(), component.size()}, spdlog_level(record.level()),
      spdlog::string_view_t{payload.data(), payload.size()}};
  spdlog::memory_buf_t line;
  formatter.format(message, line);
  out.append(line.data(), line.size());
}

std::string_view journal_priority(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "<7>";
    case LogLevel::info: return "<6>";
    case LogLevel::warning: return "<4>";
    default: return "<3>";
  }
}

Result<LogOutput> open_output(const LogTarget& target) {
  switch (target.kind) {
    case LogTarget::Kind::standard_error: return LogOutput::borrow(STDERR_FILENO);
    case LogTarget::Kind::standard_output: return LogOutput::borrow(STDOUT_FILENO);
    case LogTarget::Kind::file: {
      auto file = LogOutput::open_file(target.path);
      if (!file) return file.error();
      return LogOutput::own(*std::move(file));
    }
    case LogTarget::Kind::function: return target.sink ? Result<LogOutput>{LogOutput{}} : Errc::invalid_argument;
    case LogTarget::Kind::none: break;
  }
  return LogOutput{};
}

}  // namespace

void format_line(const LogOptions& options, bool is_journal, const LogRecord& record, std::string& out) {
  if (is_journal) out += journal_priority(record.level());
  switch (options.format) {
    case LogFormat::text: append_text(out, record); break;
    case LogFormat::json: append_json(out, record); break;
    case LogFormat::custom:
      if (options.layout != nullptr) options.layout(out, record);
      break;
  }
  out += '\n';
}

LogState::LogState(LogOptions chosen, std::shared_ptr<LogBell> writer_bell)
    : options{std::move(chosen)}, bell{std::move(writer_bell)}, level{options.level}, history{options.history_lines} {
  shared_ring = add_ring();
}

void LogState::put(LogRing& ring, const LogRecord& record) noexcept {
  if (record.level() < level.load(std::memory_order_relaxed) || record.level() >= LogLevel::off) return;
  if (is_stopped.load(std::memory_order_relaxed) || !ring.push(record)) {
    drop(1);
    return;
  }
  counts[static_cast<std::size_t>(record.level())][static_cast<std::size_t>(record.component())].fetch_add(
      1, std::memory_order_relaxed);
  if (wants_bell.load() && wants_bell.exchange(false)) bell->ring();
}

std::shared_ptr<LogRing> LogState::add_ring() {
  auto ring = std::make_shared<LogRing>(options.ring_bytes);
  const std::lock_guard lock{mutex};
  rings.push_back(ring);
  return ring;
}

std::vector<std::shared_ptr<LogRing>> LogState::current_rings() {
  const std::lock_guard lock{mutex};
  std::erase_if(rings, [](const auto& ring) { return ring->is_abandoned() && ring->is_empty(); });
  return rings;
}

LogProducer::LogProducer(std::shared_ptr<LogState> state, std::shared_ptr<LogRing> ring) noexcept
    : state_{std::move(state)}, ring_{std::move(ring)} {}

LogProducer::LogProducer(LogProducer&& other) noexcept = default;

LogProducer& LogProducer::operator=(LogProducer&& other) noexcept {
  if (this != &other) {
    if (ring_) ring_->abandon();
    state_ = std::move(other.state_);
    ring_ = std::move(other.ring_);
  }
  return *this;
}

LogProducer::~LogProducer() {
  if (ring_) ring_->abandon();
}

bool LogProducer::is_enabled(LogLevel level) const noexcept {
  return state_ && level >= state_->level.load(std::memory_order_relaxed);
}

void LogProducer::write(const LogRecord& record) noexcept {
  if (state_) state_->put(*ring_, record);
}

LogProducer Log::producer() const { return state_ ? LogProducer{state_, state_->add_ring()} : LogProducer{}; }

void Log::write(const LogRecord& record) const noexcept {
  if (!state_) return;
  const std::lock_guard lock{state_->shared_mutex};
  state_->put(*state_->shared_ring, record);
}

bool Log::is_enabled(LogLevel level) const noexcept { return state_ && level >= this->level(); }

LogLevel Log::level() const noexcept { return state_ ? state_->level.load(std::memory_order_relaxed) : LogLevel::off; }

void Log::set_level(LogLevel level) const noexcept {
  if (state_) state_->level.store(level, std::memory_order_relaxed);
}

std::uint64_t Log::count(LogLevel level, LogComponent component) const noexcept {
  if (!state_ || level >= LogLevel::off) return 0;
  return state_->counts[static_cast<std::size_t>(level)][static_cast<std::size_t>(component)].load(
      std::memory_order_relaxed);
}

std::uint64_t Log::count(LogLevel level) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t component = 0; component < kLogComponents; ++component) {
    sum += count(level, static_cast<LogComponent>(component));
  }
  return sum;
}

std::uint64_t Log::dropped() const noexcept { return state_ ? state_->dropped.load(std::memory_order_relaxed) : 0; }

LogHistory::Excerpt Log::about(ConnectionId connection, std::size_t limit) const {
  return state_ ? state_->history.about(connection, limit) : LogHistory::Excerpt{};
}

LogHistory::Totals Log::history_totals() const { return state_ ? state_->history.totals() : LogHistory::Totals{}; }

Result<void> Log::reopen() const {
  if (!state_ || state_->options.target.kind != LogTarget::Kind::file) return {};
  auto file = LogOutput::open_file(state_->options.target.path);
  if (!file) return file.error();
  {
    const std::lock_guard lock{state_->mutex};
    state_->next_file = *std::move(file);
  }
  state_->bell->ring();
  return {};
}

LogWriter::LogWriter() : state_{std::make_shared<LogWriterState>()} {
  const SignalsElsewhere masked;
  state_->thread = std::thread{[state = state_] { state->run(); }};
}

LogWriter::~LogWriter() { stop(std::chrono::seconds{2}); }

Result<Log> LogWriter::open(LogOptions options) {
  auto output = open_output(options.target);
  if (!output) return output.error();
  auto log = std::make_shared<LogState>(std::move(options), state_->bell);
  log->output = *std::move(output);
  {
    const std::lock_guard lock{state_->mutex};
    if (state_->stop_at) return Errc::invalid_argument;
    state_->logs.push_back(log);
  }
  state_->bell->ring();  // else the writer sleeps on without having asked this log to ring
  return Log{std::move(log)};
}

bool LogWriter::flush(Duration timeout) {
  std::unique_lock lock{state_->mutex};
  if (state_->is_finished) return true;
  const std::uint64_t wanted = ++state_->flush_wanted;
  state_->bell->ring();
  return state_->changed.wait_for(lock, timeout, [&] { return state_->flush_done >= wanted || state_->is_finished; });
}

void LogWriter::stop(Duration timeout) {
  std::unique_lock lock{state_->mutex};
  if (!state_->thread.joinable()) return;
  for (const auto& log : state_->logs) log->is_stopped.store(true, std::memory_order_relaxed);
  state_->stop_at = std::chrono::steady_clock::now() + timeout;
  state_->bell->ring();
  const auto grace = timeout + std::chrono::milliseconds{200};
  const bool has_ended = state_->changed.wait_for(lock, grace, [&] { return state_->is_finished; });
  std::thread thread = std::move(state_->thread);
  lock.unlock();
  if (has_ended) {
    thread.join();
  } else {
    thread.detach();
  }
}

}  // namespace equinox
