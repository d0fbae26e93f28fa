#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "admin-ui/api/query.hpp"

namespace equinox::admin {

/// The kept answer of one query: what its pages are made of. Never changes.
struct KeptAnswer {
  std::vector<std::uint64_t> ids;  ///< in order
  Query query;
  std::vector<std::string> columns;  ///< wanted members of a row; empty: all
  Moment taken;
};

/// A small number of kept answers; each is let go after 30 s in which nobody asked, the longest unseen one when there
/// are too many. Any thread.
class Handles {
 public:
  explicit Handles(std::size_t most) : most_{most == 0 ? 1 : most} {}
  std::string keep(std::shared_ptr<const KeptAnswer> answer, const Moment& now);
  /// Null when it has expired; else its time starts anew.
  std::shared_ptr<const KeptAnswer> find(std::string_view handle, const Moment& now);
  void expire(const Moment& now);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::string name;
    std::int64_t seen_ns{0};
    std::shared_ptr<const KeptAnswer> answer;
  };
  void drop_idle(const Moment& now);

  mutable std::mutex mutex_;
  std::size_t most_;
  std::vector<Entry> entries_;
};

}  // namespace equinox::admin
