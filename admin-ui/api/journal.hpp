#pragma once

#include <cstdint>
#include <deque>
#include <equinox/admin.hpp>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "admin-ui/api/access.hpp"
#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// What changed, newest last, for the list on the overview and the `change` events. Any thread.
class Changes {
 public:
  static constexpr std::size_t kMost = 64;
  /// @param more  members of a Change besides id, at, kind, text and severity
  void add(const Moment& now, std::string_view kind, std::string text, std::string_view severity = "info",
           Json more = Json::object());
  /// Newest first.
  [[nodiscard]] Json newest() const;
  /// Those after a number, oldest first.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, Json>> since(std::uint64_t number) const;
  /// Every change after that one is still here.
  [[nodiscard]] bool reaches(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t last() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::pair<std::uint64_t, Json>> entries_;
  std::uint64_t last_{0};
};

/// Who did what, refused or not. The ring keeps 500, refusals have a share of it: whoever may do nothing must not push
/// out what was done. The log gets every line. Any thread.
class Audit {
 public:
  static constexpr std::size_t kMost = 500;
  static constexpr std::size_t kMostRefused = 100;  ///< of those who are known, and again of all others
  Audit(std::function<void(const AuditLine&)> log, std::shared_ptr<Usage> usage)
      : log_{std::move(log)}, usage_{std::move(usage)} {}
  void add(const Moment& now, AuditLine line);
  /// Newest first.
  [[nodiscard]] Json page(std::size_t limit) const;

 private:
  enum class Share : std::uint8_t { acted, refused, unknown };
  struct Entry {
    Share share;
    Json row;
  };
  static Share share_of(const AuditLine& line) noexcept;
  void make_room(Share share);

  std::function<void(const AuditLine&)> log_;
  std::shared_ptr<Usage> usage_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  ///< newest first
};

}  // namespace equinox::admin
