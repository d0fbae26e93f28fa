#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace equinox::http {

/// What every response of one second has in common, rendered once a second: status line of a 200, Date, Server. The
/// reactor updates it each turn and lends it to its codecs. One thread.
class DateCache {
 public:
  /// `server_field`: value of the Server field; empty: the field is not sent.
  explicit DateCache(std::string_view server_field = {});

  /// Renders again when the second has changed (RFC 9110 §6.6.1).
  void update(std::chrono::system_clock::time_point now) {
    const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second != second_) render(second);
  }
  /// "Sun, 06 Nov 1994 08:49:37 GMT": the field value, for HTTP/2 and handlers.
  [[nodiscard]] std::string_view date() const noexcept { return date_; }
  [[nodiscard]] std::string_view server() const noexcept { return server_; }
  /// "Date: …\r\nServer: …\r\n"
  [[nodiscard]] std::string_view fields() const noexcept { return std::string_view{ok_}.substr(kOkLine.size()); }
  /// "HTTP/1.1 200 OK\r\n" and fields() in one piece.
  [[nodiscard]] std::string_view ok_head() const noexcept { return ok_; }

 private:
  static constexpr std::string_view kOkLine = "HTTP/1.1 200 OK\r\n";
  void render(std::int64_t second);

  std::int64_t second_{-1};
  std::string server_;
  std::string date_;
  std::string ok_;
};

/// IMF-fixdate (RFC 9110 §5.6.7) of seconds since 1970.
std::string format_http_date(std::int64_t seconds);
/// Reads IMF-fixdate, the RFC 850 and the asctime form; -1 when `text` is none of them.
std::int64_t parse_http_date(std::string_view text) noexcept;

}  // namespace equinox::http
