#include "handlers/listing_cache.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/open_file.hpp"
#include "handlers/listing.hpp"

namespace equinox::handlers {
namespace {

std::int64_t steady_ns(std::chrono::nanoseconds ahead) noexcept {
  return (std::chrono::steady_clock::now().time_since_epoch() + ahead).count();
}

}  // namespace

Response ListingCache::list(int folder, std::string_view path, bool is_root) {
  struct stat facts {};
  // Asked before the names are read: whatever is changed after this has another version.
  const bool may_be_kept = ::fstat(folder, &facts) == 0 && has_come_to_rest(FileVersion::of(facts).changed_ns);
  const FileVersion version = FileVersion::of(facts);
  Page page = may_be_kept ? kept(path, version) : nullptr;
  if (!page) {
    page = std::make_shared<const std::string>(list_folder(folder, path, is_root));
    if (may_be_kept) keep({std::string{path}, version, steady_ns(fresh_), page});
  }
  return Response::shared(page, "text/html; charset=utf-8").with("Cache-Control", "no-cache");
}

ListingCache::Page ListingCache::kept(std::string_view path, const FileVersion& version) {
  const std::scoped_lock lock{mutex_};
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Kept& page) { return page.path == path; });
  if (found == recent_.end()) return nullptr;
  if (found->version == version && steady_ns({}) < found->until_ns) return found->page;
  held_bytes_ -= found->page->size();
  recent_.erase(found);
  return nullptr;
}

void ListingCache::keep(Kept page) {
  const std::scoped_lock lock{mutex_};
  held_bytes_ += page.page->size();
  recent_.push_front(std::move(page));
  while (held_bytes_ > kMaxBytes || recent_.size() > kPagesMax) {
    held_bytes_ -= recent_.back().page->size();
    recent_.pop_back();
  }
}

}  // namespace equinox::handlers
