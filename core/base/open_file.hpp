#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/unique_fd.hpp"

namespace equinox {

struct OpenFile;

/// Whether a file was last written to long enough ago (nanoseconds of the Unix epoch) for a further write to show: two
/// within one tick of the kernel's clock look the same. Contents are kept only of such files.
bool has_come_to_rest(std::int64_t changed_ns) noexcept;

/// The bytes of one open file, kept in memory from the first time somebody wants them there. Thread-safe.
class FileContents {
 public:
  static constexpr std::uint64_t kFileMaxBytes = 128 * 1024;
  /// Bytes that may still be kept, shared by the files of a store.
  using Budget = std::atomic<std::uint64_t>;

  /// @param changed_ns  when the file was last written to, as has_come_to_rest() takes it
  FileContents(std::shared_ptr<Budget> budget, std::int64_t changed_ns) noexcept
      : budget_{std::move(budget)}, changed_ns_{changed_ns} {}
  FileContents(const FileContents&) = delete;
  FileContents& operator=(const FileContents&) = delete;
  ~FileContents();

  /// The whole of `file`, whose contents these are; lives as long. Reads it when asked for the first time, which may
  /// wait for the disk. Empty when it is not kept: too large, changing, being read by another thread, no budget left.
  [[nodiscard]] std::string_view of(const OpenFile& file) noexcept;

 private:
  enum class State : std::uint8_t { unread, reading, kept, refused };
  bool take_budget(std::uint64_t bytes) noexcept;
  bool read(const OpenFile& file) noexcept;

  std::shared_ptr<Budget> budget_;
  std::int64_t changed_ns_;
  std::atomic<State> state_{State::unread};
  std::unique_ptr<char[]> bytes_;
  std::uint64_t size_bytes_{0};
};

/// An open regular file shared by all responses that send it. Never mapped: a truncation would be SIGBUS.
struct OpenFile {
  UniqueFd fd;
  std::uint64_t size_bytes{0};
  std::unique_ptr<FileContents> contents{};  ///< none: never kept in memory
};

}  // namespace equinox
