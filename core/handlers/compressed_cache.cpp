#include "handlers/compressed_cache.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/read_file.hpp"

namespace equinox::handlers {

/// One compressed form: being made, made, or failed.
struct CompressedCache::Form {
  std::mutex mutex;
  std::shared_ptr<const std::string> bytes;
  bool is_failed{false};
  std::vector<Resumer> waiting;
};

class CompressedCache::WaitingSource : public BodySource {
 public:
  explicit WaitingSource(std::shared_ptr<Form> form) : form_{std::move(form)} {}
  void attach(Resumer resumer) override { resumer_ = std::move(resumer); }
  PullResult pull(std::span<char> into) override {
    if (!bytes_) {
      const std::scoped_lock lock{form_->mutex};
      if (form_->is_failed) return {PullStatus::failed, 0};
      if (!form_->bytes) {
        if (!std::exchange(is_waiting_, true)) form_->waiting.push_back(resumer_);
        return {PullStatus::pending, 0};
      }
      bytes_ = form_->bytes;
    }
    const std::size_t count = std::min(into.size(), bytes_->size() - done_);
    std::copy_n(bytes_->data() + done_, count, into.data());
    done_ += count;
    return {done_ == bytes_->size() ? PullStatus::end : PullStatus::bytes, count};
  }

 private:
  std::shared_ptr<Form> form_;
  std::shared_ptr<const std::string> bytes_;
  Resumer resumer_;
  std::size_t done_{0};
  bool is_waiting_{false};
};

namespace {

std::optional<std::string> read_whole(const OpenFile& file) {
  std::string bytes(static_cast<std::size_t>(file.size_bytes), '\0');
  return read_file(file, 0, bytes) ? std::optional{std::move(bytes)} : std::nullopt;
}

/// Nothing, too, when there is no memory for it: whoever waits must not wait for ever.
std::optional<std::string> compressed(const StoredFile& stored, Encoding encoding) noexcept {
  try {
    if (stored.content) return compress(encoding, *stored.content);
    const auto plain = read_whole(*stored.file);
    return plain ? compress(encoding, *plain) : std::nullopt;
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

std::string key_of(const StoredFile& stored, Encoding encoding) {
  const FileVersion& version = stored.version;
  std::string key(reinterpret_cast<const char*>(&version), sizeof version);
  key.append(reinterpret_cast<const char*>(&stored.identity), sizeof stored.identity);
  key.push_back(static_cast<char>(encoding));
  return key;
}

}  // namespace

std::string CompressedCache::etag_of(const StoredFile& stored, Encoding encoding) {
  return make_etag(stored, 1 + static_cast<std::uint64_t>(encoding));
}

std::optional<Response> CompressedCache::respond(const std::shared_ptr<const StoredFile>& stored, Encoding encoding) {
  const std::uint64_t size = stored->version.size_bytes;
  if (!offload_ || encoding == Encoding::zstd || size < kFileMinBytes || size > kFileMaxBytes || size > max_bytes_) {
    return std::nullopt;
  }
  const Key key = key_of(*stored, encoding);
  std::shared_ptr<Form> form;
  bool is_new = false;
  {
    const std::scoped_lock lock{mutex_};
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      form = found->second->form;
    } else {
      form = std::make_shared<Form>();
      recent_.push_front({key, form, 0});
      by_key_.emplace(key, recent_.begin());
      is_new = true;
    }
  }
  if (is_new && !offload_([self = shared_from_this(), key, form, stored, encoding] {
        self->make(key, form, stored, encoding);
      })) {
    drop(key);
    const std::scoped_lock lock{form->mutex};
    form->is_failed = true;  // for whoever found it in the meantime
    for (const Resumer& resumer : form->waiting) resumer.resume();
    return std::nullopt;
  }
  const std::scoped_lock lock{form->mutex};
  if (form->is_failed) return std::nullopt;
  Response response = form->bytes ? Response::shared(form->bytes, stored->content_type)
                                  : Response::stream(std::make_unique<WaitingSource>(form), stored->content_type);
  return response;
}

void CompressedCache::make(const Key& key, const std::shared_ptr<Form>& form,
                           const std::shared_ptr<const StoredFile>& stored, Encoding encoding) {
  auto made = compressed(*stored, encoding);
  std::vector<Resumer> waiting;
  std::size_t bytes = 0;
  {
    const std::scoped_lock lock{form->mutex};
    form->is_failed = !made;
    if (made) {
      made->shrink_to_fit();
      bytes = made->size();
      form->bytes = std::make_shared<const std::string>(std::move(*made));
    }
    waiting.swap(form->waiting);
  }
  if (bytes != 0) {
    account(key, bytes);
  } else {
    drop(key);
  }
  for (const Resumer& resumer : waiting) resumer.resume();
}

void CompressedCache::account(const Key& key, std::size_t bytes) {
  const std::scoped_lock lock{mutex_};
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  found->second->bytes = bytes;
  held_bytes_ += bytes;
  while (held_bytes_ > max_bytes_ && !recent_.empty()) {
    held_bytes_ -= recent_.back().bytes;
    by_key_.erase(recent_.back().key);
    recent_.pop_back();
  }
}

void CompressedCache::drop(const Key& key) {
  const std::scoped_lock lock{mutex_};
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  held_bytes_ -= found->second->bytes;
  const auto entry = found->second;
  by_key_.erase(found);
  recent_.erase(entry);
}

}  // namespace equinox::handlers
