#include "admin-ui/api/assets.hpp"

#include <zlib.h>

#include <algorithm>
#include <string>

namespace equinox::admin {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr std::string_view kPageWithoutDashboard = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Equinox</title></head>
<body><h1>Equinox</h1><p>This program was built without the dashboard. The same data is at
<a href="api/v1/status">api/v1/status</a> and from the equinox command.</p></body></html>
)";

/// The bytes of a gzip member we made ourselves; empty when zlib says no.
std::string inflated(std::string_view gzip) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return {};
  std::string source{gzip};  // zlib's interface is not const
  std::string out;
  std::string room(64 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? out : std::string{};
}

const Asset* find_asset(std::string_view path) noexcept {
  const auto all = embedded_assets();
  const auto found = std::find_if(all.begin(), all.end(), [path](const Asset& asset) { return asset.path == path; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

void add_security_fields(Response& response) {
  response.with("Content-Security-Policy", kPolicy)
      .with("X-Content-Type-Options", "nosniff")
      .with("Referrer-Policy", "no-referrer");
}

Response serve_asset(const Request& request, std::string_view path) {
  const std::string_view wanted = path.empty() ? std::string_view{"index.html"} : path;
  const Asset* asset = find_asset(wanted);
  if (asset == nullptr && path.empty()) {
    return Response::literal(kPageWithoutDashboard, "text/html; charset=utf-8").with("Cache-Control", "no-store");
  }
  if (asset == nullptr) return Response::error(404);
  const bool is_hashed = asset->path.starts_with("assets/");
  const std::string_view cache = is_hashed ? "public, max-age=31536000, immutable" : "no-cache";
  const bool is_known = request.field("if-none-match").value_or("") == asset->etag;
  Response response = Response::empty(304);
  if (!is_known && request.accepts_encoding("gzip")) {
    response = Response::literal(asset->gzip, asset->content_type);
    response.with("Content-Encoding", "gzip");
  } else if (!is_known) {
    response = Response::shared(std::make_shared<const std::string>(inflated(asset->gzip)), asset->content_type);
  }
  response.with("ETag", asset->etag).with("Cache-Control", cache).with("Vary", "Accept-Encoding");
  return response;
}

}  // namespace equinox::admin
