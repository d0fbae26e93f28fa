#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/response.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "handlers/compression.hpp"
#include "handlers/file_store.hpp"

namespace equinox::handlers {

/// Runs work somewhere else than on a reactor; false when it cannot be taken.
using Offload = std::function<bool(std::function<void()>)>;

/// Compressed forms of files, each made once per state of the file, off the reactors, and kept as long as there is
/// room. Whoever asks while one is being made waits for it without blocking: its body says `pending`. Thread-safe.
class CompressedCache : public std::enable_shared_from_this<CompressedCache> {
 public:
  static constexpr std::uint64_t kFileMinBytes = 256;              ///< below, the fields cost more than is saved
  static constexpr std::uint64_t kFileMaxBytes = 8 * 1024 * 1024;  ///< beyond, it is sent as it is

  CompressedCache(std::size_t max_bytes, Offload offload) : max_bytes_{max_bytes}, offload_{std::move(offload)} {}

  /// The content in that coding; Content-Encoding and ETag are the caller's to add. Nothing when this file cannot be
  /// had so: send it as it is.
  std::optional<Response> respond(const std::shared_ptr<const StoredFile>& stored, Encoding encoding);
  /// The ETag of that form.
  static std::string etag_of(const StoredFile& stored, Encoding encoding);

 private:
  struct Form;
  class WaitingSource;
  using Key = std::string;
  struct Kept {
    Key key;
    std::shared_ptr<Form> form;
    std::size_t bytes{0};
  };

  void make(const Key& key, const std::shared_ptr<Form>& form, const std::shared_ptr<const StoredFile>& stored,
            Encoding encoding);
  void account(const Key& key, std::size_t bytes);
  void drop(const Key& key);

  const std::size_t max_bytes_;
  const Offload offload_;
  mutable std::mutex mutex_;
  std::list<Kept> recent_;  // newest first
  std::unordered_map<Key, std::list<Kept>::iterator> by_key_;
  std::size_t held_bytes_{0};
};

}  // namespace equinox::handlers
