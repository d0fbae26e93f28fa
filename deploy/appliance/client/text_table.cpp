#include "text_table.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace equinox::appliance {
namespace {

/// Columns on a terminal, near enough: bytes that do not continue a character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string cut(const std::string& line, std::size_t width_max) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U && ++width > width_max) return line.substr(0, i);
  }
  return line;
}

}  // namespace

TerminalSize terminal_size() noexcept {
  winsize told{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &told) != 0 || told.ws_row == 0 || told.ws_col == 0) return {};
  return {told.ws_row, told.ws_col};
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080…U+009F, written C2 80…C2 9F, are control characters too.
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7f || is_c1) {
      out += is_c1 ? fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i])) : fmt::format("\\x{:02x}", byte);
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string TextTable::to_string(std::size_t width_max) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out += (width_max == 0 ? line : cut(line, width_max)) + "\n";
  }
  return out;
}

std::string short_duration(double seconds) {
  if (seconds < 0) return "0s";
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86'400, whole / 3600 % 24);
}

std::string short_size(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f}", bytes);
  if (bytes < 1024.0 * 1024) return fmt::format("{:.1f}k", bytes / 1024);
  if (bytes < 1024.0 * 1024 * 1024) return fmt::format("{:.1f}M", bytes / 1024 / 1024);
  return fmt::format("{:.1f}G", bytes / 1024 / 1024 / 1024);
}

std::string cell(const nlohmann::json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "-";
  return found->is_string() ? printable(found->get<std::string>()) : found->dump();
}

std::string peer_cell(const nlohmann::json& row) {
  const std::string client = cell(row, "client");
  return client == "-" ? cell(row, "peer") : client + " via " + cell(row, "peer");
}

double number(const nlohmann::json& row, const char* key, double otherwise) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<double>() : otherwise;
}

}  // namespace equinox::appliance
