#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::http {

/// Text → numbers of routes, in order. Filled at set-up, then asked for every request: one open-addressed table, looked
/// up by view, no node to follow.
class RouteIndex {
 public:
  void add(std::string_view text, std::uint16_t route) {
    const std::size_t found = place_of(text, hash_of(text));
    if (found < cells_.size() && cells_[found] != 0) {
      entries_[cells_[found] - 1].routes.push_back(route);
      return;
    }
    entries_.push_back({hash_of(text), std::string{text}, {route}});
    rebuild();
  }
  /// The routes of `text`, or none.
  [[nodiscard]] const std::vector<std::uint16_t>* find(std::string_view text) const noexcept {
    if (entries_.empty()) return nullptr;
    const std::uint32_t entry = cells_[place_of(text, hash_of(text))];
    return entry == 0 ? nullptr : &entries_[entry - 1].routes;
  }
  /// Each text with its routes, which may be added to.
  template <typename F>
  void for_each(F&& visit) {
    for (Entry& entry : entries_) visit(std::string_view{entry.text}, entry.routes);
  }

 private:
  struct Entry {
    std::uint64_t hash;
    std::string text;
    std::vector<std::uint16_t> routes;
  };

  /// Never told anything by a peer, so it need only be quick.
  static std::uint64_t hash_of(std::string_view text) noexcept {
    constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15ULL;
    std::uint64_t hash = text.size();
    const auto mix = [&hash](std::uint64_t word) {
      hash = (hash ^ word) * kMix;
      hash ^= hash >> 32U;
    };
    std::uint64_t word = 0;
    if (text.size() >= 8) {
      const std::size_t last = text.size() - 8;
      for (std::size_t i = 0; i < last; i += 8) {
        std::memcpy(&word, text.data() + i, sizeof word);
        mix(word);
      }
      std::memcpy(&word, text.data() + last, sizeof word);  // may look at some octets twice
    } else if (text.size() >= 4) {
      std::uint32_t first = 0;
      std::uint32_t rest = 0;
      std::memcpy(&first, text.data(), sizeof first);
      std::memcpy(&rest, text.data() + text.size() - sizeof rest, sizeof rest);
      word = std::uint64_t{first} << 32U | rest;
    } else {
      for (const char c : text) word = word << 8U | static_cast<unsigned char>(c);
    }
    mix(word);
    return hash;
  }
  /// Where `text` stands, or the free cell where it would.
  [[nodiscard]] std::size_t place_of(std::string_view text, std::uint64_t hash) const noexcept {
    if (cells_.empty()) return 0;
    std::size_t at = hash & (cells_.size() - 1);
    while (cells_[at] != 0) {
      const Entry& entry = entries_[cells_[at] - 1];
      if (entry.hash == hash && entry.text == text) break;
      at = (at + 1) & (cells_.size() - 1);
    }
    return at;
  }
  void rebuild() {
    cells_.assign(std::bit_ceil(2 * entries_.size() + 1), 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      cells_[place_of(entries_[i].text, entries_[i].hash)] = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> cells_;  ///< entry number + 1, 0: free; at most half full
};

}  // namespace equinox::http
