#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "admin_client.hpp"
#include "connection_table.hpp"
#include "deploy/appliance/commands.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

/// Alternate screen, no cursor, keys without Enter; everything is as before when it goes.
class Screen {
 public:
  Screen() {
    has_keys_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (has_keys_) {
      termios raw = before_;
      raw.c_lflag &=
          ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // Ctrl-C arrives as a key, so that we leave in order
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fmt::print("\x1b[?1049h\x1b[?25l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    fmt::print("\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
  }
  /// Waits up to a second for a key; 0 without one.
  [[nodiscard]] char key() const {
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    char pressed = 0;
    if (::poll(&ready, has_keys_ ? 1U : 0U, 1000) > 0 && ::read(STDIN_FILENO, &pressed, 1) != 1) return 'q';
    return pressed;
  }

 private:
  termios before_{};
  bool has_keys_{false};
};

std::string seconds_text(const nlohmann::json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return "-";
  return fmt::format("{:.2f} ms", found->get<double>() * 1000);
}

std::string summary(const nlohmann::json& status) {
  const auto overview = status.value("overview", nlohmann::json::object());
  const auto totals = status.value("totals", nlohmann::json::object());
  const auto limits = status.value("limits", nlohmann::json::object());
  const char* state = status.value("draining", false) ? "DRAINING"
                      : status.value("ready", false)  ? "ready"
                                                      : "NOT READY";
  std::string out = fmt::format("equinox {} on {}  {}  up {}\n", cell(status, "version"), cell(status, "instance"),
                                state, short_duration(number(status, "uptime_seconds")));
  out += fmt::format(
      "connections {} of {}   in flight {}   streams {}   accepted/s {:.1f}   closed/s {:.1f}   evicted/min {:.0f}\n",
      number(overview, "connections"), number(limits, "connections"), number(overview, "in_flight"),
      number(overview, "h2_streams"), number(overview, "accepted_per_second"), number(overview, "closed_per_second"),
      number(overview, "evictions_per_minute"));
  out += fmt::format(
      "requests/s {:.1f}   5xx/s {:.1f}   4xx/s {:.1f}   p50 {}   p99 {}   in {}/s   out {}/s   busy {:.0f} %   total "
      "{}\n",
      number(overview, "requests_per_second"), number(overview, "errors_5xx_per_second"),
      number(overview, "errors_4xx_per_second"), seconds_text(overview, "p50_seconds"),
      seconds_text(overview, "p99_seconds"), short_size(number(overview, "received_bytes_per_second")),
      short_size(number(overview, "sent_bytes_per_second")), number(overview, "busy_ratio") * 100,
      number(totals, "requests"));
  std::string states;
  const auto by_state = overview.value("by_state", nlohmann::json::object());
  for (const auto& [name, count] : by_state.items()) {
    states += fmt::format("{} {}   ", printable(name), count.dump());
  }
  return out + states + "\n\n";
}

/// Lines of `text`, at most `rows`, each cleared to its end so that nothing of the last picture stays.
std::string fit(const std::string& text, std::size_t rows, std::size_t columns) {
  std::string out = "\x1b[H";
  std::size_t begin = 0;
  for (std::size_t row = 0; row < rows && begin < text.size(); ++row) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out += text.substr(begin, std::min(end - begin, columns)) + "\x1b[K" + (row + 1 < rows ? "\r\n" : "");
    begin = end + 1;
  }
  return out + "\x1b[J";
}

}  // namespace

int run_top(const Options& options) {
  AdminClient client{options.admin};
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  auto status = client.get("/status");
  if (!status.is_good()) return status.exit_status;
  auto page = client.get("/connections", connection_query(options, 100));
  if (!page.is_good()) return page.exit_status;
  if (options.json) {
    fmt::print("{}\n", nlohmann::json{{"status", status.body}, {"connections", page.body}}.dump(2));
    return kDone;
  }
  if (!is_terminal) {
    fmt::print("{}{}", summary(status.body), connection_table(page.body, 0));
    return kDone;
  }
  int result = kDone;
  {
    const Screen screen;
    while (true) {
      const TerminalSize size = terminal_size();
      const std::string text = summary(status.body) + connection_table(page.body, size.columns);
      fmt::print("{}", fit(text, size.rows, size.columns));
      std::fflush(stdout);
      const char key = screen.key();
      if (key == 'q' || key == 'Q' || key == '\x03' || key == '\x1b') break;
      status = client.get("/status");
      page = client.get("/connections",
                        connection_query(options, static_cast<int>(std::clamp<std::size_t>(size.rows, 1, 500))));
      if (!status.is_good() || !page.is_good()) {
        result = std::max(status.exit_status, page.exit_status);
        break;
      }
    }
  }
  if (result != kDone) std::fputs("equinox: the server answers no more\n", stderr);
  return result;
}

}  // namespace equinox::appliance
