#pragma once

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/egress_batch.hpp"
#include "base/unique_fd.hpp"
#include "handlers/compression.hpp"

namespace equinox::handlers {

/// Which state of which file: anything that writes to it changes at least one member.
struct FileVersion {
  std::uint64_t device{0};
  std::uint64_t inode{0};
  std::uint64_t size_bytes{0};
  std::int64_t modified_ns{0};
  std::int64_t changed_ns{0};
  bool operator==(const FileVersion&) const = default;
  static FileVersion of(const struct stat& facts) noexcept;
};

/// For which codings no compressed file lay beside a file, each remembered for a second: most pictures and archives
/// have none, and looking for it costs a system call. Thread-safe.
class MissingNeighbours {
 public:
  [[nodiscard]] bool was_missing(Encoding encoding) const noexcept;
  void note_missing(Encoding encoding) noexcept;

 private:
  std::array<std::atomic<std::int64_t>, kEncodings> until_ns_{};
};

/// An open file with all that answers about it need. Immutable but for what is remembered about its neighbours; shared
/// by cache and responses.
struct StoredFile {
  std::shared_ptr<const OpenFile> file;
  std::shared_ptr<const std::string> content;  ///< the bytes of a small file; null for others
  FileVersion version;
  bool may_be_kept{false};    ///< a later state of it will have another version
  std::uint64_t identity{0};  ///< of its bytes, as far as they are known: what entity tags are made from
  std::string etag;           ///< strong, 13 characters in quotes
  std::string last_modified;  ///< IMF-fixdate
  std::int64_t modified_s{0};
  std::string_view content_type;
  bool is_compressible{false};
  mutable MissingNeighbours neighbours;
};

enum class LookupStatus : std::uint8_t {
  found,
  folder,
  missing,
  forbidden,  ///< the process may not read it
  exhausted,  ///< no descriptor left
};
struct Lookup {
  LookupStatus status{LookupStatus::missing};
  std::shared_ptr<const StoredFile> file;  ///< found only
};

/// Files below a folder, opened so that no path leads out of it: not by "..", not by an absolute name, not by a symlink
/// (openat2 RESOLVE_BENEATH; where the kernel lacks it or a sandbox denies it, symlinks are refused altogether). Keeps
/// descriptors and small contents, and asks the kernel on each use whether the file is still the same. Thread-safe.
class FileStore {
 public:
  /// @param root  a folder; a later change of what the name leads to is noticed within a second
  /// @throws std::invalid_argument when it cannot be opened; the message names the folder and errno
  FileStore(std::string root, std::size_t open_files_max);

  /// @param path  relative, without "." and ".." segments, not empty except for the root itself
  Lookup find(std::string_view path);
  /// A new descriptor of a folder, to list it; nothing when it is not one.
  UniqueFd open_folder(std::string_view path);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  struct Entry {
    std::string path;
    std::shared_ptr<const StoredFile> file;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> recent;  // newest first
    std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash, std::equal_to<>> by_path;
  };
  static constexpr std::size_t kShards = 16;

  int root();
  void look_at_root();
  std::shared_ptr<const StoredFile> cached(Shard& shard, std::string_view path, const FileVersion& version);
  void keep(Shard& shard, std::string_view path, std::shared_ptr<const StoredFile> file);
  void forget_all();
  Lookup open_file(int root, std::string_view path);
  /// @return a descriptor, or -1 with errno
  int open_beneath(int root, const std::string& path, int flags) const noexcept;

  /// What HTTP/2 keeps of files beyond the small ones.
  static constexpr std::uint64_t kContentsMaxBytes = 32 * 1024 * 1024;

  std::string root_name_;
  std::size_t shard_max_;
  bool has_openat2_{false};
  std::shared_ptr<FileContents::Budget> contents_budget_ = std::make_shared<FileContents::Budget>(kContentsMaxBytes);
  // The newest is in use. Older ones stay open for a while: a thread may be about to use the number it has read.
  static constexpr std::size_t kRootsMax = 16;
  std::mutex roots_mutex_;
  std::deque<UniqueFd> roots_;
  std::atomic<int> root_{-1};
  std::atomic<std::int64_t> root_checked_ns_{0};
  std::array<Shard, kShards> shards_;
};

/// A strong entity tag: 13 characters made from the file's identity and `salt`, in quotes; short enough for a string
/// without allocation.
std::string make_etag(const StoredFile& file, std::uint64_t salt = 0);

}  // namespace equinox::handlers
