#pragma once

#include <cstdint>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace equinox::admin {

using Json = nlohmann::json;

/// Text of a JSON value. Bytes that are no UTF-8 become U+FFFD; never throws for what came from the wire.
std::string dump(const Json& value);
/// An answer with Cache-Control: no-store.
Response answer(const Json& value, Status status = 200);

/// A refusal as an RFC 9457 problem document; thrown by handlers, turned into an answer in one place.
class Problem : public std::runtime_error {
 public:
  Problem(int status, std::string type, std::string title, std::string detail = {})
      : std::runtime_error{title}, status_{status}, type_{std::move(type)}, detail_{std::move(detail)} {}
  Problem& with(const std::string& name, Json value) {
    more_[name] = std::move(value);
    return *this;
  }
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& type() const noexcept { return type_; }
  [[nodiscard]] Json document() const;
  [[nodiscard]] Response response() const;

 private:
  int status_;
  std::string type_;
  std::string detail_;
  Json more_ = Json::object();
};

/// What cannot be understood, or is out of its bounds: 400.
Problem bad_request(std::string detail);

/// The request's body as an object; an empty body is an empty object.
/// @throws Problem 400, also for a member that is none of these and for parameters behind "?", which nobody would read:
///         `dryrun` or `?dry_run=true` must not do what `dry_run` only shows
Json body_of(const Request& request, std::initializer_list<std::string_view> members);
/// Members of a body. @throws Problem 400 when the member has another type or is outside its bounds
std::string text_member(const Json& body, const char* name, std::string fallback = {},
                        std::size_t max_length = std::string::npos);
/// One that must be there, as text: null does not stand for a default.
std::string needed_text(const Json& body, const char* name);
bool flag_member(const Json& body, const char* name, bool fallback);
std::optional<double> number_member(const Json& body, const char* name, double least, double most);

/// A parameter of the query part, percent-decoded with '+' as a space; nothing when absent.
std::optional<std::string> parameter(const Request& request, std::string_view name);
/// @throws Problem 400 when it is no whole number in the bounds
std::int64_t integer_parameter(const Request& request, std::string_view name, std::int64_t fallback, std::int64_t least,
                               std::int64_t most);
std::optional<double> number_parameter(const Request& request, std::string_view name);
/// `limit`: 1–500, 100 when left out.
std::size_t limit_of(const Request& request);

constexpr double seconds(std::int64_t ns) noexcept { return static_cast<double>(ns) / 1e9; }
constexpr double seconds(std::uint64_t ns) noexcept { return static_cast<double>(ns) / 1e9; }
/// Seconds of a moment; null for 0, which is none.
inline Json moment_or_null(std::int64_t wall_ns) { return wall_ns != 0 ? Json(seconds(wall_ns)) : Json{}; }

/// The RFC 7396 merge patch that turns `from` into `to`; an empty object when they are the same.
Json merge_difference(const Json& from, const Json& to);

}  // namespace equinox::admin
