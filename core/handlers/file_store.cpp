#include "handlers/file_store.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/read_file.hpp"
#include "handlers/mime.hpp"
#include "http/date.hpp"

namespace equinox::handlers {
namespace {

constexpr std::uint64_t kContentMaxBytes = 16 * 1024;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
/// Tools that build the same archive each time date all files alike: 1970, 1980, 1985, at last 2000-01-01.
constexpr std::int64_t kConstantTimesEndNs = 946'684'800 * kSecondNs;

std::int64_t steady_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::uint64_t mix(std::uint64_t value) noexcept {  // finaliser of SplitMix64
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

std::uint64_t hash_of(std::string_view bytes) noexcept {
  std::uint64_t hash = bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t count = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), count);
    hash = mix(hash ^ word) + kGolden;
    bytes.remove_prefix(count);
  }
  return hash;
}

/// Replicas that unpacked the same archive should agree: the inode is left out, and the change time as long as the
/// time of modification is one.
std::uint64_t identity_of(const FileVersion& version) noexcept {
  const std::uint64_t bits = mix(version.size_bytes + kGolden) ^ static_cast<std::uint64_t>(version.modified_ns);
  if (version.modified_ns > kConstantTimesEndNs) return bits;
  return mix(bits) ^ static_cast<std::uint64_t>(version.changed_ns);
}

/// Component by component without following any symlink: where openat2 cannot be had.
int open_walking(int root, const std::string& path, int flags) noexcept {
  UniqueFd folder{::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  std::size_t begin = 0;
  while (folder) {
    const auto slash = path.find('/', begin);
    const std::string name = path.substr(begin, slash == std::string::npos ? slash : slash - begin);
    if (name == "..") {
      errno = EXDEV;
      return -1;
    }
    if (slash == std::string::npos) return ::openat(folder.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
    folder.reset(::openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    begin = slash + 1;
  }
  return -1;
}

int open_resolving(int root, const std::string& path, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -1;  // EAGAIN: a rename raced with a ".." inside a symlink
  }
}

/// Kernels before 5.6 answer ENOSYS, container runtimes that deny what they do not know EPERM: to any path, so the
/// folder itself is asked for.
bool has_openat2(int root) noexcept {
  const UniqueFd probe{open_resolving(root, ".", O_PATH | O_DIRECTORY)};
  return probe || (errno != ENOSYS && errno != EPERM);
}

LookupStatus status_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM: return LookupStatus::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return LookupStatus::exhausted;
    default: return LookupStatus::missing;
  }
}

std::shared_ptr<const std::string> read_small(const OpenFile& file) {
  if (file.size_bytes == 0 || file.size_bytes > kContentMaxBytes) return nullptr;
  std::string bytes(static_cast<std::size_t>(file.size_bytes), '\0');
  if (!read_file(file, 0, bytes)) return nullptr;  // it shrank: the file itself is sent, and its exchange ended
  return std::make_shared<const std::string>(std::move(bytes));
}

/// Times before 1677 and after 2262 do not fit: they are the first or the last second that does.
std::int64_t to_ns(const timespec& time) noexcept {
  constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kSecondNs - 1;
  return std::clamp<std::int64_t>(time.tv_sec, -kSecondsMax, kSecondsMax) * kSecondNs + time.tv_nsec;
}

void read_content(StoredFile& stored, const OpenFile& file) {
  // Asked before the bytes are read: whatever is written after this changes the version.
  const bool is_at_rest = has_come_to_rest(stored.version.changed_ns);
  stored.content = read_small(file);
  const bool is_read = stored.content || file.size_bytes == 0;
  stored.may_be_kept = is_at_rest || !is_read;
  stored.identity =
      is_read ? hash_of(stored.content ? *stored.content : std::string_view{}) : identity_of(stored.version);
}

}  // namespace

FileVersion FileVersion::of(const struct stat& facts) noexcept {
  return {static_cast<std::uint64_t>(facts.st_dev), static_cast<std::uint64_t>(facts.st_ino),
          static_cast<std::uint64_t>(facts.st_size), to_ns(facts.st_mtim), to_ns(facts.st_ctim)};
}

bool MissingNeighbours::was_missing(Encoding encoding) const noexcept {
  return steady_ns() < until_ns_[static_cast<std::size_t>(encoding)].load(std::memory_order_relaxed);
}

void MissingNeighbours::note_missing(Encoding encoding) noexcept {
  until_ns_[static_cast<std::size_t>(encoding)].store(steady_ns() + kSecondNs, std::memory_order_relaxed);
}

std::string make_etag(const StoredFile& file, std::uint64_t salt) {
  std::uint64_t bits = mix(file.identity ^ mix(kGolden * (salt + 1)));
  std::string out(15, '"');
  for (std::size_t i = 13; i >= 1; --i) {
    out[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[bits % 36];
    bits /= 36;
  }
  return out;
}

int FileStore::open_beneath(int root, const std::string& path, int flags) const noexcept {
  return has_openat2_ ? open_resolving(root, path, flags) : open_walking(root, path, flags);
}

FileStore::FileStore(std::string root, std::size_t open_files_max)
    : root_name_{std::move(root)}, shard_max_{(open_files_max + kShards - 1) / kShards} {
  look_at_root();
  if (roots_.empty()) throw std::invalid_argument("static root \"" + root_name_ + "\": " + std::strerror(errno));
  has_openat2_ = has_openat2(roots_.back().get());
}

void FileStore::look_at_root() {
  UniqueFd fresh{::open(root_name_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!fresh) return;  // gone for the moment: the old one still answers
  const std::scoped_lock lock{roots_mutex_};
  struct stat now {};
  struct stat then {};
  if (!roots_.empty() && ::fstat(fresh.get(), &now) == 0 && ::fstat(roots_.back().get(), &then) == 0 &&
      now.st_ino == then.st_ino && now.st_dev == then.st_dev) {
    return;
  }
  roots_.push_back(std::move(fresh));
  root_.store(roots_.back().get(), std::memory_order_release);
  if (roots_.size() > kRootsMax) roots_.pop_front();
}

int FileStore::root() {
  const std::int64_t now = steady_ns();
  std::int64_t last = root_checked_ns_.load(std::memory_order_relaxed);
  if (now - last > kSecondNs && root_checked_ns_.compare_exchange_strong(last, now, std::memory_order_relaxed)) {
    look_at_root();
  }
  return root_.load(std::memory_order_acquire);
}

std::shared_ptr<const StoredFile> FileStore::cached(Shard& shard, std::string_view path, const FileVersion& version) {
  const std::scoped_lock lock{shard.mutex};
  const auto found = shard.by_path.find(path);
  if (found == shard.by_path.end()) return nullptr;
  if (found->second->file->version == version) {
    shard.recent.splice(shard.recent.begin(), shard.recent, found->second);
    return found->second->file;
  }
  const auto stale = found->second;
  shard.by_path.erase(found);
  shard.recent.erase(stale);
  return nullptr;
}

void FileStore::keep(Shard& shard, std::string_view path, std::shared_ptr<const StoredFile> file) {
  if (shard_max_ == 0) return;
  const std::scoped_lock lock{shard.mutex};
  if (const auto found = shard.by_path.find(path); found != shard.by_path.end()) {
    found->second->file = std::move(file);
    return;
  }
  shard.recent.push_front({std::string{path}, std::move(file)});
  shard.by_path.emplace(shard.recent.front().path, shard.recent.begin());
  if (shard.recent.size() <= shard_max_) return;
  shard.by_path.erase(shard.recent.back().path);
  shard.recent.pop_back();
}

void FileStore::forget_all() {
  for (Shard& shard : shards_) {
    const std::scoped_lock lock{shard.mutex};
    shard.by_path.clear();
    shard.recent.clear();
  }
}

Lookup FileStore::open_file(int root, std::string_view path) {
  // Non-blocking, so that a FIFO somebody put there a moment ago cannot stop a reactor.
  UniqueFd fd{open_beneath(root, std::string{path}, O_RDONLY | O_NONBLOCK | O_NOCTTY)};
  if (!fd) return {status_of(errno), nullptr};
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return {};
  if (S_ISDIR(facts.st_mode)) return {LookupStatus::folder, nullptr};
  if (!S_ISREG(facts.st_mode)) return {};
  auto open = std::make_shared<OpenFile>();
  open->fd = std::move(fd);
  open->size_bytes = static_cast<std::uint64_t>(facts.st_size);
  auto stored = std::make_shared<StoredFile>();
  stored->version = FileVersion::of(facts);
  stored->modified_s = facts.st_mtim.tv_sec;
  stored->last_modified = http::format_http_date(facts.st_mtim.tv_sec);
  stored->content_type = content_type_of(path);
  stored->is_compressible = is_compressible(stored->content_type);
  read_content(*stored, *open);
  stored->etag = make_etag(*stored);
  open->contents = std::make_unique<FileContents>(contents_budget_, stored->version.changed_ns);
  stored->file = std::move(open);
  return {LookupStatus::found, std::move(stored)};
}

Lookup FileStore::find(std::string_view path) {
  if (path.empty()) return {LookupStatus::folder, nullptr};
  const int folder = root();
  struct stat facts {};
  std::array<char, PATH_MAX> name;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  if (path.size() >= name.size()) return {};
  *std::copy(path.begin(), path.end(), name.begin()) = '\0';
  if (::fstatat(folder, name.data(), &facts, 0) != 0) return {status_of(errno), nullptr};
  if (S_ISDIR(facts.st_mode)) {
    // Whether that folder lies below the root is for open_beneath to say.
    const UniqueFd beneath{open_beneath(folder, name.data(), O_PATH | O_DIRECTORY)};
    return {beneath ? LookupStatus::folder : LookupStatus::missing, nullptr};
  }
  // Not even opened: that releases whoever waits to write into a FIFO, and means something to many a device.
  if (!S_ISREG(facts.st_mode)) return {};
  Shard& shard = shards_[Hash{}(path) % kShards];
  if (auto file = cached(shard, path, FileVersion::of(facts))) return {LookupStatus::found, std::move(file)};
  Lookup opened = open_file(folder, path);
  if (opened.status == LookupStatus::exhausted) {
    forget_all();  // the descriptors we keep for speed are the first to go
    opened = open_file(folder, path);
  }
  if (opened.status == LookupStatus::found && opened.file->may_be_kept) keep(shard, path, opened.file);
  return opened;
}

UniqueFd FileStore::open_folder(std::string_view path) {
  const int folder = root();
  return UniqueFd{open_beneath(folder, path.empty() ? std::string{"."} : std::string{path}, O_RDONLY | O_DIRECTORY)};
}

}  // namespace equinox::handlers
