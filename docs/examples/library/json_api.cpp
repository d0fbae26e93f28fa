// A JSON interface: path parameters, a group with middleware, own answers for 404 and 500.
//   curl -X POST -H 'X-Api-Key: secret' -d '{"text":"buy milk"}' http://127.0.0.1:8080/api/notes
#include <charconv>
#include <cstdint>
#include <equinox/server.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using equinox::Request;
using equinox::Response;
using nlohmann::json;

/// Handlers run on every reactor at the same time: what they share needs a lock.
class Notes {
 public:
  std::uint64_t add(std::string text) {
    const std::lock_guard lock{mutex_};
    notes_.emplace(++last_, std::move(text));
    return last_;
  }
  std::optional<std::string> find(std::uint64_t id) const {
    const std::lock_guard lock{mutex_};
    const auto found = notes_.find(id);
    return found == notes_.end() ? std::nullopt : std::optional{found->second};
  }
  bool remove(std::uint64_t id) {
    const std::lock_guard lock{mutex_};
    return notes_.erase(id) != 0;
  }
  json all() const {
    json out = json::array();
    const std::lock_guard lock{mutex_};
    for (const auto& [id, text] : notes_) out.push_back({{"id", id}, {"text", text}});
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::string> notes_;
  std::uint64_t last_{0};
};

Response problem(std::string_view what, equinox::Status status) {
  return Response::json({{"error", std::string{what}}}, status);
}

/// The path parameter `{id}`; 0, which no note has, when it is not a number.
std::uint64_t id_of(const Request& request) {
  const std::string_view text = request.parameter("id");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

Response add_note(Notes& notes, const Request& request) {
  const json body = json::parse(request.body(), nullptr, false);
  if (!body.is_object() || !body.contains("text") || !body["text"].is_string()) {
    return problem("the body must be {\"text\": \"…\"}", 400);
  }
  const std::uint64_t id = notes.add(body["text"].get<std::string>());
  return Response::json({{"id", id}}, 201).with("Location", "/api/notes/" + std::to_string(id));
}

/// Middleware that may end a request: whoever writes needs the key.
std::optional<Response> require_key(const Request& request) {
  if (request.method() == equinox::Method::get || request.field("X-Api-Key") == "secret") return std::nullopt;
  return problem("X-Api-Key is missing or wrong", 401);
}

void add_routes(equinox::Routes& api, Notes& notes) {
  api.before(require_key);
  api.after([](const Request&, Response& response) { response.with("Cache-Control", "no-store"); });
  api.get("/notes", [&notes](const Request&) { return Response::json(notes.all()); });
  api.post("/notes", [&notes](const Request& request) { return add_note(notes, request); },
           {.request_body_max_bytes = 16 * 1024});
  api.get("/notes/{id}", [&notes](const Request& request) {
    const auto text = notes.find(id_of(request));
    return text ? Response::json({{"id", id_of(request)}, {"text", *text}}) : problem("no such note", 404);
  });
  api.del("/notes/{id}", [&notes](const Request& request) {
    return notes.remove(id_of(request)) ? Response::empty() : problem("no such note", 404);
  });
}

}  // namespace

int main(int argc, char** argv) {
  Notes notes;
  equinox::Server server{{.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}}};
  server.group("/api", [&notes](equinox::Routes& api) { add_routes(api, notes); });
  server.not_found([](const Request&) { return problem("nothing is here", 404); });
  server.internal_error([](const Request&) { return problem("our mistake", 500); });
  return server.run();
}
