#include "http/date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kSecondsPerDay = 86400;

void put_two(char* at, unsigned value) noexcept {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

int month_number(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return static_cast<int>(i) + 1;
  }
  return 0;
}

/// A decimal number that fills `text`; -1 otherwise.
int number(std::string_view text) noexcept {
  int value = -1;
  if (text.empty() || text.front() < '0' || text.front() > '9') return -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

bool is_day(std::string_view name) noexcept { return std::find(kDays.begin(), kDays.end(), name) != kDays.end(); }
bool is_long_day(std::string_view name) noexcept {
  return std::find(kLongDays.begin(), kLongDays.end(), name) != kLongDays.end();
}

/// Whether `text` has the form: '0' a digit, 'D' any letter, '.' a digit or a blank, all else itself. A value that only
/// resembles a date is to be ignored (RFC 9110 §13.1), not read as one.
bool fits(std::string_view text, std::string_view form) noexcept {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), [&](char c, char f) {
           if (f == 'D') return is_letter(c);
           if (f == '0') return is_digit(c);
           return f == '.' ? is_digit(c) || c == ' ' : c == f;
         });
}

std::int64_t seconds_of(int year, int month, int day, std::string_view time) noexcept {
  if (time.size() != 8 || time[2] != ':' || time[5] != ':') return -1;
  const int hour = number(time.substr(0, 2));
  const int minute = number(time.substr(3, 2));
  const int second = number(time.substr(6, 2));
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 1900 || month == 0 || day < 1 || !date.ok()) return -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * kSecondsPerDay + hour * 3600 + minute * 60 + second;
}

/// What seems to be more than 50 years ahead is the most recent year in the past with these digits (RFC 9110 §5.6.7).
int year_of_two_digits(int digits) noexcept {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const int now = static_cast<int>(std::chrono::year_month_day{today}.year());
  const int year = now - now % 100 + digits;
  return year > now + 50 ? year - 100 : year;
}

}  // namespace

DateCache::DateCache(std::string_view server_field) : server_{is_safe_value(server_field) ? server_field : ""} {
  render(0);
  second_ = -1;
}

void DateCache::render(std::int64_t second) {
  second_ = second;
  date_ = format_http_date(second);
  ok_.assign(kOkLine);
  ok_.append("Date: ").append(date_).append("\r\n");
  if (!server_.empty()) ok_.append("Server: ").append(server_).append("\r\n");
}

std::string format_http_date(std::int64_t seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const auto of_day = static_cast<unsigned>((moment - day).count());
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::string text = "Sun, 00 Jan 0000 00:00:00 GMT";
  text.replace(0, 3, kDays[std::chrono::weekday{day}.c_encoding()]);
  put_two(&text[5], static_cast<unsigned>(date.day()));
  text.replace(8, 3, kMonths[static_cast<unsigned>(date.month()) - 1]);
  put_two(&text[12], year / 100);
  put_two(&text[14], year % 100);
  put_two(&text[17], of_day / 3600);
  put_two(&text[20], of_day / 60 % 60);
  put_two(&text[23], of_day % 60);
  return text;
}

std::int64_t parse_http_date(std::string_view text) noexcept {
  if (fits(text, "DDD, 00 DDD 0000 00:00:00 GMT")) {  // Sun, 06 Nov 1994 08:49:37 GMT
    if (!is_day(text.substr(0, 3))) return -1;
    return seconds_of(number(text.substr(12, 4)), month_number(text.substr(8, 3)), number(text.substr(5, 2)),
                      text.substr(17, 8));
  }
  if (fits(text, "DDD DDD .0 00:00:00 0000")) {  // Sun Nov  6 08:49:37 1994
    if (!is_day(text.substr(0, 3))) return -1;
    return seconds_of(number(text.substr(20, 4)), month_number(text.substr(4, 3)), number(trim(text.substr(8, 2))),
                      text.substr(11, 8));
  }
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || !is_long_day(text.substr(0, comma))) return -1;
  const std::string_view rest = text.substr(comma);  // Sunday, 06-Nov-94 08:49:37 GMT
  if (!fits(rest, ", 00-DDD-00 00:00:00 GMT")) return -1;
  return seconds_of(year_of_two_digits(number(rest.substr(9, 2))), month_number(rest.substr(5, 3)),
                    number(rest.substr(2, 2)), rest.substr(12, 8));
}

}  // namespace equinox::http
