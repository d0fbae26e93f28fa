#include "base/log_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

namespace equinox {

bool is_journal_stream(int descriptor, const char* journal_stream) noexcept {
  if (journal_stream == nullptr) return false;
  char* end = nullptr;
  const unsigned long long device = std::strtoull(journal_stream, &end, 10);
  if (end == journal_stream || *end != ':') return false;
  const char* const second = end + 1;
  const unsigned long long inode = std::strtoull(second, &end, 10);
  if (end == second || *end != '\0') return false;
  struct stat facts {};
  return ::fstat(descriptor, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
}

Result<UniqueFd> LogOutput::open_file(const std::string& path) {
  // O_NONBLOCK: a FIFO without a reader must not stop the start (ENXIO); a regular file does not mind.
  UniqueFd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640)};
  if (!file) return Error{Errc::system, errno};
  return file;
}

LogOutput LogOutput::borrow(int descriptor) noexcept {
  LogOutput output;
  output.descriptor_ = descriptor;
  output.inspect();
  return output;
}

LogOutput LogOutput::own(UniqueFd file) noexcept {
  LogOutput output;
  output.owned_ = std::move(file);
  output.descriptor_ = output.owned_.get();
  output.inspect();
  return output;
}

void LogOutput::inspect() noexcept {
  struct stat facts {};
  is_regular_ = ::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode);
  is_journal_ = is_journal_stream(descriptor_, std::getenv("JOURNAL_STREAM"));
}

bool LogOutput::replace(UniqueFd& file) noexcept {
  if (is_mid_line_ && !has_failed_) return false;  // the rest of a line that failed is given up already
  owned_ = std::move(file);
  descriptor_ = owned_.get();
  is_blocked_ = is_mid_line_ = has_failed_ = false;
  inspect();
  return true;
}

bool LogOutput::is_ready() const noexcept {
  if (is_regular_) return true;
  pollfd question{descriptor_, POLLOUT, 0};
  return ::poll(&question, 1, 0) == 1;
}

std::size_t LogOutput::give_up() noexcept {
  const auto lost = static_cast<std::size_t>(std::count(pending_.begin(), pending_.end(), '\n'));
  pending_.clear();
  has_failed_ = true;
  return lost;
}

std::size_t LogOutput::write_out() noexcept {
  is_blocked_ = false;
  // The next line must not continue the half one that a failed write has left.
  const std::size_t added = has_failed_ && is_mid_line_ ? 1 : 0;
  pending_.insert(0, added, '\n');
  std::size_t done = 0;
  bool is_failing = false;
  while (done < pending_.size() && !is_blocked_ && !is_failing) {
    // A pipe that polls as writable takes PIPE_BUF bytes without blocking, and whole: lines of several writers stay
    // apart when each write ends with a line.
    std::size_t size = pending_.size() - done;
    if (!is_regular_ && size > PIPE_BUF) {
      const std::size_t end = pending_.rfind('\n', done + PIPE_BUF - 1);
      size = end == std::string::npos || end < done ? PIPE_BUF : end - done + 1;
    }
    if (!is_ready()) {
      is_blocked_ = true;
      break;
    }
    const ssize_t written = ::write(descriptor_, pending_.data() + done, size);
    if (written > 0) {
      done += static_cast<std::size_t>(written);
      is_mid_line_ = pending_[done - 1] != '\n';
      has_failed_ = false;
    } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      is_blocked_ = true;
    } else {
      is_failing = written == 0 || errno != EINTR;
    }
  }
  pending_.erase(0, std::max(done, added));  // what was added is no line that waits or is lost
  return is_failing ? give_up() : 0;
}

}  // namespace equinox
