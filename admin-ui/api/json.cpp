#include "admin-ui/api/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "http/target.hpp"

namespace equinox::admin {
namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw bad_request(std::string{name} + " " + why);
}

[[noreturn]] void refuse_member(const std::string& name, std::initializer_list<std::string_view> members) {
  std::string known;
  for (const std::string_view member : members) known.append(known.empty() ? "" : ", ").append(member);
  throw bad_request("The body: there is no \"" + name.substr(0, 40) + "\"; there " +
                    (members.size() == 0   ? "are no members here"
                     : members.size() == 1 ? "is " + known
                                           : "are " + known));
}

}  // namespace

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Response answer(const Json& value, Status status) {
  return Response::json_text(dump(value), status).with("Cache-Control", "no-store");
}

Json Problem::document() const {
  Json out{{"type", type_}, {"title", what()}, {"status", status_}};
  if (!detail_.empty()) out["detail"] = detail_;
  out.update(more_);
  return out;
}

Response Problem::response() const {
  Response out = answer(document(), status_);
  out.content_type("application/problem+json");
  // RFC 9110 §11.6.1: whoever is not let in is told what would do.
  if (status_ == 401) out.with("WWW-Authenticate", "Bearer");
  return out;
}

Problem bad_request(std::string detail) {
  return Problem{400, "bad-request", "The request cannot be understood", std::move(detail)};
}

Json body_of(const Request& request, std::initializer_list<std::string_view> members) {
  if (!request.query().empty())
    throw bad_request("There are no parameters behind \"?\" here: the body says what to do");
  if (request.body().empty()) return Json::object();
  Json body = Json::parse(request.body(), nullptr, false);
  if (!body.is_object()) refuse("The body", "is not a JSON object");
  for (const auto& [name, value] : body.items()) {
    if (std::find(members.begin(), members.end(), name) == members.end()) refuse_member(name, members);
  }
  return body;
}

std::string text_member(const Json& body, const char* name, std::string fallback, std::size_t max_length) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return fallback;
  if (!found->is_string()) refuse(name, "must be text");
  auto text = found->get<std::string>();
  if (text.size() > max_length) refuse(name, "must not be longer than " + std::to_string(max_length) + " bytes");
  return text;
}

std::string needed_text(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_string()) refuse(name, "must be text");
  return found->get<std::string>();
}

bool flag_member(const Json& body, const char* name, bool fallback) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return fallback;
  if (!found->is_boolean()) refuse(name, "must be true or false");
  return found->get<bool>();
}

std::optional<double> number_member(const Json& body, const char* name, double least, double most) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  if (!found->is_number()) refuse(name, "must be a number");
  const auto value = found->get<double>();
  if (!(value >= least && value <= most)) refuse(name, "is out of bounds");
  return value;
}

std::optional<std::string> parameter(const Request& request, std::string_view name) {
  std::string_view rest = request.query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest = pair.size() == rest.size() ? std::string_view{} : rest.substr(pair.size() + 1);
    const std::string_view key = pair.substr(0, pair.find('='));
    if (http::percent_decode(key, true) != name) continue;
    return key.size() == pair.size() ? std::string{} : http::percent_decode(pair.substr(key.size() + 1), true);
  }
  return std::nullopt;
}

std::int64_t integer_parameter(const Request& request, std::string_view name, std::int64_t fallback, std::int64_t least,
                               std::int64_t most) {
  const auto text = parameter(request, name);
  if (!text || text->empty()) return fallback;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < least || value > most) {
    refuse(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::optional<double> number_parameter(const Request& request, std::string_view name) {
  const auto text = parameter(request, name);
  if (!text || text->empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || !std::isfinite(value) || std::abs(value) > 9e9) {
    refuse(name, "must be a number from -9000000000 to 9000000000");
  }
  return value;
}

std::size_t limit_of(const Request& request) {
  return static_cast<std::size_t>(integer_parameter(request, "limit", 100, 1, 500));
}

Json merge_difference(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& [name, value] : to.items()) {
    const auto old = from.find(name);
    if (old == from.end()) {
      if (!value.is_null()) patch[name] = value;
    } else if (old->is_object() && value.is_object()) {
      Json inner = merge_difference(*old, value);
      if (!inner.empty()) patch[name] = std::move(inner);
    } else if (*old != value) {
      patch[name] = value;
    }
  }
  for (const auto& [name, value] : from.items()) {
    if (!to.contains(name) && !value.is_null()) patch[name] = nullptr;
  }
  return patch;
}

}  // namespace equinox::admin
