#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log_history.hpp"
#include "base/log_record.hpp"
#include "base/result.hpp"

namespace equinox {

class LogRing;
struct LogState;
struct LogWriterState;

enum class LogFormat : std::uint8_t {
  text,    ///< 2024-05-06T07:08:09.123Z info  server: message key=value
  json,    ///< one object a line; valid JSON whatever bytes came from the wire
  custom,  ///< as LogOptions::layout has it
};

/// Appends a line without '\n' and escapes what came from the wire. Called on the writer thread.
using LogLayout = void (*)(std::string& out, const LogRecord& record);

/// Where lines go.
struct LogTarget {
  enum class Kind : std::uint8_t { standard_error, standard_output, file, function, none };
  Kind kind{Kind::standard_error};
  std::string path{};                                      ///< file: opened for appending, 0640
  std::function<void(LogLevel, std::string_view)> sink{};  ///< function: called on the writer thread, line without '\n'
};

struct LogOptions {
  std::string name{};  ///< "server", "access": the label of the dropped counter
  LogTarget target{};
  LogFormat format{LogFormat::text};
  LogLayout layout{nullptr};  ///< of LogFormat::custom
  LogLevel level{LogLevel::info};
  std::size_t ring_bytes{128 * 1024};  ///< per producer
  std::size_t history_lines{0};        ///< about connections, kept for about(); 0: none
};

/// Writes records of exactly one thread. Movable; destroy it on that thread. Outliving its log is allowed.
class LogProducer {
 public:
  LogProducer() = default;
  LogProducer(LogProducer&& other) noexcept;
  LogProducer& operator=(LogProducer&& other) noexcept;
  ~LogProducer();

  [[nodiscard]] bool is_enabled(LogLevel level) const noexcept;
  /// Never blocks; a full ring drops the record and counts it. A default-made producer drops silently.
  void write(const LogRecord& record) noexcept;

 private:
  friend class Log;
  LogProducer(std::shared_ptr<LogState> state, std::shared_ptr<LogRing> ring) noexcept;
  std::shared_ptr<LogState> state_;
  std::shared_ptr<LogRing> ring_;
};

/// One log: a value that shares its state with the writer. All members from any thread.
class Log {
 public:
  Log() = default;  ///< a log that drops everything

  [[nodiscard]] LogProducer producer() const;
  /// For threads without a producer of their own: under a lock, never longer than a copy.
  void write(const LogRecord& record) const noexcept;
  [[nodiscard]] bool is_enabled(LogLevel level) const noexcept;
  [[nodiscard]] LogLevel level() const noexcept;
  void set_level(LogLevel level) const noexcept;
  /// Records accepted by level and component (equinox_log_messages_total).
  [[nodiscard]] std::uint64_t count(LogLevel level, LogComponent component) const noexcept;
  [[nodiscard]] std::uint64_t count(LogLevel level) const noexcept;
  /// Records lost: a full ring, or a target that failed (disk full).
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// The newest `limit` records about one connection that were taken from their producers, as far back as
  /// LogOptions::history_lines reaches. A record is there before its target gets it: a target that takes nothing holds
  /// up only those beyond the bytes that wait for it. What was dropped is not there. Not for producers: it waits for
  /// the writer thread, and that one for it, as long as a walk over the history takes.
  [[nodiscard]] LogHistory::Excerpt about(ConnectionId connection, std::size_t limit) const;
  [[nodiscard]] LogHistory::Totals history_totals() const;
  /// A file is opened again by its path (SIGHUP after rotation); others: nothing. On an error the old one stays.
  Result<void> reopen() const;
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  friend class LogWriter;
  explicit Log(std::shared_ptr<LogState> state) noexcept : state_{std::move(state)} {}
  std::shared_ptr<LogState> state_;
};

/// The one thread that formats and writes the lines of all logs. A target that does not take bytes (a pipe nobody
/// reads) stops neither producers nor the other logs.
class LogWriter {
 public:
  LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();  ///< stop(2 s)

  /// @error system: a file that cannot be opened (os_errno says why)
  Result<Log> open(LogOptions options);
  /// Waits until all records written before are out, at most `timeout`; whether they are.
  bool flush(Duration timeout);
  /// Writes what is left, waiting at most `timeout`, and ends the thread. Idempotent. Records written later are
  /// dropped. A thread stuck in the kernel is left behind, with its own share of the state.
  void stop(Duration timeout);

 private:
  std::shared_ptr<LogWriterState> state_;
};

}  // namespace equinox
