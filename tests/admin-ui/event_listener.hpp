#pragma once

#include <string>
#include <utility>

#include "admin-ui/fake_view.hpp"

namespace equinox::admin {

inline Moment after(std::int64_t ms) {
  Moment now = Moment::now();
  now.steady_ns += ms * 1'000'000;
  now.wall_ns += ms * 1'000'000;
  return now;
}

/// One event stream and what it has said.
struct Listener {
  Response response;
  explicit Listener(Surface& surface, std::string last_id = {}, std::string topics = {})
      : response{open(surface, std::move(last_id), std::move(topics))} {
    if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body())) (*source)->attach(Resumer{});
  }
  static Response open(Surface& surface, std::string last_id, std::string topics) {
    Ask ask;
    ask.path = "/api/v1/events";
    if (!topics.empty()) ask.query = "topics=" + topics;
    if (!last_id.empty()) ask.fields = {{"Last-Event-ID", std::move(last_id)}};
    return surface.respond(ask);
  }
  std::string said() { return drain_source(*std::get<std::unique_ptr<BodySource>>(response.body())); }
};

inline Json data_of(const std::string& text, const std::string& event) {
  const std::size_t at = text.rfind("event: " + event + "\n");
  if (at == std::string::npos) return {};
  const std::size_t data = text.find("data: ", at) + 6;
  return Json::parse(text.substr(data, text.find('\n', data) - data), nullptr, false);
}

}  // namespace equinox::admin
