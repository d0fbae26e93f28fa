#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "admin_client.hpp"
#include "connection_table.hpp"
#include "deploy/appliance/commands.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

/// The terminal's settings before; what a signal's handler needs lies where it can be reached.
termios g_before{};
volatile std::sig_atomic_t g_has_keys = 0;

/// Only calls that a handler may make.
void give_terminal_back() noexcept {
  if (g_has_keys != 0) ::tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
  static_cast<void>(!::write(STDOUT_FILENO, kLeave.data(), kLeave.size()));
}

/// Ends the process as the signal would have done, whatever the command waits for.
extern "C" void end_by_signal(int signal) {
  give_terminal_back();
  static_cast<void>(::raise(signal));  // pending until this returns, then with its default: SA_RESETHAND
}

/// Alternate screen, no cursor, keys without Enter; everything is as before when it goes, or a signal ends us.
class Screen {
 public:
  Screen() {
    g_has_keys = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &g_before) == 0 ? 1 : 0;
    struct sigaction action {};
    action.sa_handler = end_by_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], nullptr, &actions_[i]);
      if (actions_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);  // nohup
    }
    if (g_has_keys != 0) {
      termios raw = g_before;
      raw.c_lflag &=
          ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // Ctrl-C arrives as a key, so that we leave in order
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fmt::print("{}", kEnter);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    std::fflush(stdout);
    give_terminal_back();
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &actions_[i], nullptr);
  }
  /// Waits up to a second for a key; 0 without one.
  [[nodiscard]] static char key() {
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    char pressed = 0;
    if (::poll(&ready, g_has_keys != 0 ? 1U : 0U, 1000) > 0 && ::read(STDIN_FILENO, &pressed, 1) != 1) return 'q';
    return pressed;
  }

 private:
  static constexpr std::array kSignals{SIGTERM, SIGHUP, SIGINT, SIGQUIT};
  std::array<struct sigaction, kSignals.size()> actions_{};
};

std::string seconds_text(const nlohmann::json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return "-";
  constexpr double kLongestEdge = 10;  // the API gives it for everything above
  if (found->get<double>() >= kLongestEdge) return "> 10 s";
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
      const char key = Screen::key();
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
