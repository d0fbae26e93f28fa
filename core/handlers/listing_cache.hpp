#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <equinox/response.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/file_store.hpp"

namespace equinox::handlers {

/// Pages of listings: one of a large folder takes a reactor many milliseconds, whoever asks for it. Each is kept for a
/// while, as long as its folder is unchanged. Thread-safe.
class ListingCache {
 public:
  /// @param fresh  how long; what a symbolic link in the folder leads to may change without a trace in the folder
  explicit ListingCache(std::chrono::nanoseconds fresh = std::chrono::seconds{1}) noexcept : fresh_{fresh} {}

  /// @param folder  open for reading
  /// @param path    as requested, decoded
  Response list(int folder, std::string_view path, bool is_root);

 private:
  using Page = std::shared_ptr<const std::string>;
  struct Kept {
    std::string path;
    FileVersion version;
    std::int64_t until_ns;
    Page page;
  };
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;
  static constexpr std::size_t kPagesMax = 16;

  Page kept(std::string_view path, const FileVersion& version);
  void keep(Kept page);

  const std::chrono::nanoseconds fresh_;
  std::mutex mutex_;
  std::list<Kept> recent_;  // newest first
  std::size_t held_bytes_{0};
};

}  // namespace equinox::handlers
