#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::appliance {

/// Text from elsewhere as it may reach a terminal: no control characters, hence no escape sequences.
std::string printable(std::string_view text);

struct TerminalSize {
  std::size_t rows{24};
  std::size_t columns{80};
};
/// Of standard output; 24 by 80 when it is no terminal or does not say.
TerminalSize terminal_size() noexcept;

/// Rows under a heading, columns as wide as their widest cell, all of them flush left.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// @param width_max  cut lines there; 0: never
  [[nodiscard]] std::string to_string(std::size_t width_max = 0) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "1.5s", "3m20s", "2h05m", "12d": for ages.
std::string short_duration(double seconds);
/// "512", "1.5k", "16.0M".
std::string short_size(double bytes);

/// A member as text, "-" when it is missing or null.
std::string cell(const nlohmann::json& row, const char* key);
/// Who is there: the peer, behind a proxy "192.0.2.7:4711 via 10.0.0.1:80".
std::string peer_cell(const nlohmann::json& row);
/// A member as a number, `otherwise` when it is missing or null.
double number(const nlohmann::json& row, const char* key, double otherwise = 0);

}  // namespace equinox::appliance
