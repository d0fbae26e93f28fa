#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/unique_fd.hpp"

namespace equinox {

/// The descriptor behind a log and the lines on their way to it. Never waits: what cannot be written now stays. Writer
/// thread only, except open_file().
class LogOutput {
 public:
  static constexpr std::size_t kHighWatermark = 64 * 1024;

  LogOutput() = default;
  /// Standard error or output: borrowed. They are never made non-blocking, since others share them.
  static LogOutput borrow(int descriptor) noexcept;
  static LogOutput own(UniqueFd file) noexcept;
  /// @error system
  static Result<UniqueFd> open_file(const std::string& path);

  /// Appended lines are complete, '\n' included.
  [[nodiscard]] std::string& pending() noexcept { return pending_; }
  [[nodiscard]] bool has_room() const noexcept { return pending_.size() < kHighWatermark; }
  /// Writes what the target takes now.
  /// @return lines lost because the target failed (disk full, reader gone)
  std::size_t write_out() noexcept;
  /// True when the target took less than there was: wait for POLLOUT on descriptor().
  [[nodiscard]] bool is_blocked() const noexcept { return is_blocked_; }
  [[nodiscard]] bool is_idle() const noexcept { return pending_.empty(); }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// Replaces the file. False while half a line has been written to the old one and the rest waits for
  /// it: try again.
  bool replace(UniqueFd& file) noexcept;
  /// systemd reads priorities ("<6>") from a standard error that it connected itself (JOURNAL_STREAM).
  [[nodiscard]] bool is_journal() const noexcept { return is_journal_; }

 private:
  void inspect() noexcept;
  bool is_ready() const noexcept;
  std::size_t give_up() noexcept;

  UniqueFd owned_;
  int descriptor_{-1};
  bool is_regular_{false};
  bool is_journal_{false};
  bool is_blocked_{false};
  bool is_mid_line_{false};
  bool has_failed_{false};  ///< nothing has been written since
  std::string pending_;
};

/// True when `journal_stream` ("device:inode") names the file behind `descriptor`.
bool is_journal_stream(int descriptor, const char* journal_stream) noexcept;

}  // namespace equinox
