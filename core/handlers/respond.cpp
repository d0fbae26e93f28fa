#include "handlers/respond.hpp"

#include <algorithm>
#include <equinox/response.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "handlers/listing.hpp"
#include "http/headers.hpp"
#include "http/target.hpp"

namespace equinox::handlers {
namespace {

/// "https://{host}/a/{rest}" taken apart once: texts and names alternate.
struct Template {
  std::vector<std::string> texts;  ///< one more than names
  std::vector<std::string> names;

  explicit Template(std::string_view to) {
    while (true) {
      const auto open = to.find('{');
      const auto close = open == std::string_view::npos ? open : to.find('}', open);
      texts.emplace_back(to.substr(0, close == std::string_view::npos ? close : open));
      if (close == std::string_view::npos) return;
      names.emplace_back(to.substr(open + 1, close - open - 1));
      to.remove_prefix(close + 1);
    }
  }

  /// Whether what it comes to is a path: no host is written out.
  [[nodiscard]] bool is_path() const { return !texts.front().starts_with("//") && !texts.front().starts_with("/\\"); }

  /// Whether the query ends with name `i`: nothing but a fragment follows.
  [[nodiscard]] bool ends_query(std::size_t i) const {
    return texts[i + 1].starts_with('#') || (texts[i + 1].empty() && i + 1 == names.size());
  }
};

std::string_view without_leading_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

/// Octets that may stand in a query as they are; everything else is encoded.
std::string encode_query(std::string_view query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : query) {
    if (http::is_octet(c, http::kTargetQuery)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

/// Of "example.net:8080" or "[2001:db8::1]:443": the port is that of the listener that was asked, and the redirect may
/// lead to another one.
std::string_view without_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}

/// "//x" is the host x, and "/\x" for browsers, too: what placeholders hold may come to it, or be nothing between two
/// slashes.
void keep_host(std::string& location) {
  const std::size_t begin = std::min(location.find_first_not_of("/\\"), location.size());
  if (location.starts_with('/') && begin > 1) location.erase(1, begin - 1);
}

/// What keeps its meaning where the next octet of `location` will stand. Its authority begins behind a scheme or two
/// slashes, however browsers write those, and its path behind that.
http::Kept kept_behind(std::string_view location) {
  if (location.find_first_of("?#") != std::string_view::npos) return http::Kept::unreserved;
  const std::size_t scheme_end = std::min(location.find_first_of(":/\\"), location.size());
  const bool has_scheme = location.substr(scheme_end).starts_with(':');
  const std::size_t slashes = has_scheme ? scheme_end + 1 : 0;
  const std::size_t behind_slashes = std::min(location.find_first_not_of("/\\", slashes), location.size());
  const std::size_t begin = has_scheme || behind_slashes >= 2 ? behind_slashes : 0;
  return location.find('/', begin) != std::string_view::npos ? http::Kept::of_paths : http::Kept::unreserved;
}

bool append(std::string& location, std::string_view name, const Request& request) {
  if (name == "host" || name == "authority") {
    if (!http::is_valid_authority(request.authority())) return false;
    const std::string_view named = name == "host" ? without_port(request.authority()) : request.authority();
    if (named.empty()) return false;  // "https:///x" would make x the host
    location += named;
  } else if (name == "query") {
    location += encode_query(request.query());
  } else if (name == "path" || name == "rest") {
    // Not two slashes in a row: "//host" would be another server.
    const bool has_slash = location.ends_with('/') || name == "rest";
    const std::string_view path = name == "path" ? request.path() : request.parameter("*");
    if (!has_slash) location += '/';
    location += http::encode_normalized(without_leading_slashes(path), kept_behind(location));
  } else {
    location += http::encode_segment(request.parameter(name), kept_behind(location));
  }
  return true;
}

std::string_view to_text(HttpVersion version) {
  return version == HttpVersion::http2 ? "HTTP/2" : version == HttpVersion::http11 ? "HTTP/1.1" : "HTTP/1.0";
}

Response describe(const Request& request) {
  nlohmann::json fields = nlohmann::json::array();
  for (const Field& field : request.fields()) {
    fields.push_back({{"name", std::string{field.name}}, {"value", std::string{field.value}}});
  }
  const nlohmann::json out{{"method", std::string{request.method_name()}},
                           {"target", std::string{request.target()}},
                           {"path", std::string{request.path()}},
                           {"query", std::string{request.query()}},
                           {"version", std::string{to_text(request.version())}},
                           {"scheme", request.scheme() == Scheme::https ? "https" : "http"},
                           {"authority", std::string{request.authority()}},
                           {"request_id", std::string{request.request_id()}},
                           {"fields", std::move(fields)}};
  // Bytes of the wire need not be UTF-8.
  return Response::json_text(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace

/// Bodies below this are copied by both codecs anyway; sharing one costs two atomic counts for each answer.
constexpr std::size_t kViewedMaxBytes = 1024;

SyncHandler respond(Status status, std::string content_type, std::string body) {
  const auto shared = std::make_shared<const std::string>(std::move(body));
  const auto type = std::make_shared<const std::string>(std::move(content_type));
  // Views into what this handler owns: an exchange keeps its routes until it is over.
  if (shared->size() < kViewedMaxBytes) {
    return [status, shared, type](const Request&) { return Response::literal(*shared, *type, status); };
  }
  return [status, shared, type](const Request&) { return Response::shared(shared, *type, status); };
}

SyncHandler redirect(std::string to, Status status) {
  return [pattern = std::make_shared<const Template>(to), status](const Request& request) {
    std::string location = pattern->texts.front();
    for (std::size_t i = 0; i < pattern->names.size(); ++i) {
      if (!append(location, pattern->names[i], request)) return Response::error(400);
      // "/a?{query}" of a request without one: another URL than "/a" for caches and for some servers.
      const bool is_bare = pattern->names[i] == "query" && request.query().empty() && location.ends_with('?');
      if (is_bare && pattern->ends_query(i)) location.pop_back();
      location += pattern->texts[i + 1];
    }
    if (pattern->is_path()) keep_host(location);
    return Response::redirect(std::move(location), status);
  };
}

SyncHandler echo() {
  return [](const Request& request) {
    if (request.body().empty()) return describe(request);  // however its end was framed
    const auto type = request.field("content-type");
    Response response = Response::text(std::string{request.body()});
    // What somebody else sent must not become a script of this origin.
    response.content_type(std::string{type.value_or("application/octet-stream")})
        .with("X-Content-Type-Options", "nosniff")
        .with("Content-Security-Policy", "sandbox; default-src 'none'");
    return response;
  };
}

SyncHandler welcome(std::string dashboard) {
  std::string page = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Equinox</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center}
main{max-width:34rem;padding:2rem}
h1{font-size:1.6rem;margin:0 0 .5rem}
code{font-family:ui-monospace,monospace;font-size:.95em}
</style></head>
<body><main>
<h1>Equinox is running</h1>
<p>The HTTP server you can see inside. This page is shown because no site has been configured yet.</p>
<ul>
)";
  if (!dashboard.empty()) {
    page += "<li><a href=\"" + escape_html(dashboard) + "\">Dashboard</a>: every connection, live and closed</li>\n";
  }
  page += R"(<li><a href="/api/status">Status</a> as JSON</li>
<li>Serve a folder: <code>equinox serve --root DIR</code></li>
<li>Serve from a configuration: <code>equinox serve --config FILE</code></li>
</ul>
</main></body></html>
)";
  return respond(200, "text/html; charset=utf-8", std::move(page));
}

}  // namespace equinox::handlers
