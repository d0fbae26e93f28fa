#include "admin-ui/api/access.hpp"

#include <algorithm>
#include <array>

#include "admin-ui/api/secrets.hpp"
#include "admin-ui/api/token_rules.hpp"
#include "http/headers.hpp"

namespace equinox::admin {
namespace {

constexpr std::string_view kCookieName = "equinox_session";
constexpr std::int64_t kSessionSeconds = 12 * 3600;
constexpr std::int64_t kMostSessions = 64;  ///< of one token
constexpr std::array<std::string_view, 3> kHows{"loopback", "cookie", "bearer"};

bool begins_with(std::string_view text, std::string_view head) noexcept {
  return http::equals_ignoring_case(text.substr(0, head.size()), head);
}

std::optional<std::string_view> bearer_of(const Request& request) noexcept {
  const auto field = request.field("authorization");
  if (!field || field->size() < 8 || !http::equals_ignoring_case(field->substr(0, 7), "bearer ")) return std::nullopt;
  return field->substr(7);
}

std::string_view cookie_of(const Request& request) noexcept {
  // HTTP/2 may split the crumbs over several field lines (RFC 9113 §8.2.3).
  for (const Field& field : request.fields()) {
    if (!http::equals_ignoring_case(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view crumb = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (crumb.starts_with(' ')) crumb.remove_prefix(1);
      if (crumb.starts_with(kCookieName) && crumb.substr(kCookieName.size()).starts_with('=')) {
        return crumb.substr(kCookieName.size() + 1);
      }
    }
  }
  return {};
}

bool is_json(const Request& request) noexcept {
  const std::string_view type = request.field("content-type").value_or("");
  std::string_view media = type.substr(0, type.find(';'));
  while (media.ends_with(' ')) media.remove_suffix(1);
  return http::equals_ignoring_case(media, "application/json");
}

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

/// Behind the host: ":9181", or `usual` where no port is named.
std::string_view port_of(std::string_view authority, std::string_view usual) noexcept {
  const std::string_view port = authority.substr(http::host_of(authority).size());
  return port.empty() || port == ":" ? usual : port;
}

/// Whether a page of `origin` is one of this surface, which the request names in Host. In the clear the browser may
/// have been asked for https all the same, when something in front ends TLS; over TLS it was asked for nothing else.
bool is_own_page(std::string_view origin, const Request& request) noexcept {
  const bool is_https = begins_with(origin, kHttps);
  if (!is_https && (request.scheme() == Scheme::https || !begins_with(origin, kHttp))) return false;
  const std::string_view usual = is_https ? ":443" : ":80";
  origin.remove_prefix((is_https ? kHttps : kHttp).size());
  return http::equals_ignoring_case(http::host_of(origin), http::host_of(request.authority())) &&
         port_of(origin, usual) == port_of(request.authority(), usual);
}

enum class Origin : std::uint8_t { unknown, same, other };

/// What the browser says about the page that asks; a program says nothing.
Origin origin_of(const Request& request) {
  const auto site = request.field("sec-fetch-site");
  if (site && *site != "same-origin") return Origin::other;
  const auto origin = request.field("origin");
  if (!origin) return site ? Origin::same : Origin::unknown;
  return is_own_page(*origin, request) ? Origin::same : Origin::other;
}

/// A page of another origin asks, not a person who typed the address. It could not read the answer, but it could make
/// the server work, and take the places of those who may look.
bool is_foreign_page(const Request& request) {
  return origin_of(request) == Origin::other && request.field("sec-fetch-site").value_or("") != "none";
}

/// Somebody followed a link, and sees the answer in the address's own name. A frame within the other page navigates,
/// too.
bool is_link(const Request& request) {
  return request.field("sec-fetch-mode").value_or("") == "navigate" &&
         request.field("sec-fetch-dest").value_or("") == "document";
}

/// On this machine, and not on behalf of somebody elsewhere: a proxy that runs here says whom it speaks for.
bool is_local(const Request& request) {
  if (!is_loopback_peer(request.peer())) return false;
  constexpr std::array kSpeaksForOthers{"forwarded", "x-forwarded-for", "x-real-ip", "via"};
  return std::none_of(kSpeaksForOthers.begin(), kSpeaksForOthers.end(),
                      [&request](const char* name) { return request.field(name).has_value(); });
}

Problem not_same_origin(std::string detail) {
  return Problem{403, "forbidden", "Another site may not do this", std::move(detail)};
}

/// The folder the routes are mounted in, for the cookie's path.
std::string mount_of(const Request& request) {
  const std::size_t end = request.path().find("/api/v1/");
  return end == std::string_view::npos || end == 0 ? "/" : std::string{request.path().substr(0, end)};
}

/// What the browser was asked for: it keeps a cookie that is Secure for https alone.
bool is_seen_as_https(const Request& request) noexcept {
  return request.scheme() == Scheme::https || begins_with(request.field("origin").value_or(""), kHttps);
}

std::string cookie_field(const Request& request, std::string_view value, std::int64_t age_seconds) {
  std::string out{kCookieName};
  out.append("=").append(value).append("; HttpOnly; SameSite=Strict; Path=").append(mount_of(request));
  out.append("; Max-Age=").append(std::to_string(age_seconds));
  if (is_seen_as_https(request)) out.append("; Secure");
  return out;
}

}  // namespace

std::string_view to_string(Role role) noexcept { return kRoles[static_cast<std::size_t>(role)]; }

std::optional<Role> parse_role(std::string_view name) noexcept {
  const auto found = std::find(kRoles.begin(), kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

Json session_json(const Session& session) {
  return {{"role", to_string(session.role)},
          {"actor", session.actor},
          {"how", kHows[static_cast<std::size_t>(session.how)]},
          {"expires_at", session.expires_at ? Json(*session.expires_at) : Json{}}};
}

bool is_loopback_host(std::string_view host) noexcept {
  if (http::equals_ignoring_case(host, "localhost") || host == "[::1]") return true;
  constexpr std::string_view kTail = ".localhost";
  if (host.size() > kTail.size() && http::equals_ignoring_case(host.substr(host.size() - kTail.size()), kTail))
    return true;
  if (!host.starts_with("127.")) return false;
  // 127.evil.example is a name: only four numbers are an address.
  return std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos && !host.ends_with('.');
}

bool is_loopback_peer(const Endpoint& peer) noexcept {
  if (!peer.is_known) return false;
  if (peer.is_v4()) return peer.address[12] == 127;
  return std::all_of(peer.address.begin(), peer.address.end() - 1, [](auto byte) { return byte == 0; }) &&
         peer.address[15] == 1;
}

Access::Access(const Options& options) : options_{options}, tokens_{options.tokens_file} {}

void Access::check_host(const Request& request) const {
  const std::string_view host = http::host_of(request.authority());
  if (is_loopback_host(host)) return;
  for (const std::string& allowed : options_.hosts) {
    if (allowed == "*" || http::equals_ignoring_case(allowed, host) ||
        (!host.empty() && http::equals_ignoring_case("[" + allowed + "]", host)))
      return;
    if (allowed.starts_with("*.") && host.size() > allowed.size() - 1 &&
        http::equals_ignoring_case(host.substr(host.size() - (allowed.size() - 1)),
                                   std::string_view{allowed}.substr(1))) {
      return;
    }
  }
  throw Problem{421, "misdirected", "This name is not allowed in Host",
                "The admin surface answers to loopback names and to those in admin.hosts."};
}

std::string Access::why_not() const {
  if (!tokens_.is_configured()) return "No tokens file is set: only this machine may look.";
  // What is wrong with the file is told to the audit trail, not to whoever asks.
  return tokens_.error().empty() ? "" : "The tokens file is missing or cannot be understood.";
}

std::string Access::tokens_error(const Moment& now) {
  if (!tokens_.is_configured()) return {};
  tokens_.look(now);
  return tokens_.error();
}

Session Access::capped(Session session) const {
  if (options_.read_only) session.role = Role::viewer;
  return session;
}

std::optional<Session> Access::by_cookie(const Request& request, const Moment& now) {
  const std::string_view value = cookie_of(request);
  if (value.empty()) return std::nullopt;
  const std::string hash = sha256_hex(value);
  Cookie found;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(cookies_, [&now](const Cookie& cookie) { return cookie.expires_wall_ns <= now.wall_ns; });
    for (const Cookie& cookie : cookies_) {
      if (same_secret(cookie.sha256, hash)) found = cookie;
    }
  }
  if (found.sha256.empty()) return std::nullopt;
  const auto token = tokens_.find(found.token_sha256, now);
  if (!token) return std::nullopt;
  return Session{token->role, token->name, How::cookie, seconds(found.expires_wall_ns), found.token_sha256, hash};
}

bool Access::is_valid(const Session& session, const Moment& now) {
  if (session.how == How::loopback) return true;
  if (session.how == How::cookie) {
    const std::lock_guard lock{mutex_};
    const auto is_its = [&](const Cookie& cookie) {
      return cookie.sha256 == session.cookie_sha256 && cookie.expires_wall_ns > now.wall_ns;
    };
    if (std::none_of(cookies_.begin(), cookies_.end(), is_its)) return false;
  }
  return tokens_.find(session.token_sha256, now).has_value();
}

Session Access::session_of(const Request& request, const Moment& now) {
  if (const auto bearer = bearer_of(request)) {
    std::string hash = sha256_hex(*bearer);
    if (const auto token = tokens_.find(hash, now)) {
      return capped({token->role, token->name, How::bearer, std::nullopt, std::move(hash)});
    }
    throw Problem{401, "unauthenticated", "The token is not known"};
  }
  if (auto session = by_cookie(request, now)) return capped(std::move(*session));
  if (!tokens_.is_configured() && options_.loopback && is_local(request)) {
    return capped({Role::operator_, "local", How::loopback, std::nullopt});
  }
  throw Problem{401, "unauthenticated", "Sign in", why_not()};
}

Session Access::require(const Request& request, Role role, const Moment& now, Links links) {
  Session session = session_of(request, now);
  const bool is_followed = links == Links::followed && is_link(request);
  if (session.how != How::bearer && is_foreign_page(request) && !is_followed) {
    throw not_same_origin("The request comes from a page of another origin.");
  }
  if (session.role >= role) return session;
  std::string detail = "This needs the role " + std::string{to_string(role)} + ".";
  if (options_.read_only) detail += " The admin surface is read-only.";
  Problem problem{403, "forbidden", "The role " + std::string{to_string(session.role)} + " may not do this", detail};
  problem.with("needs_role", to_string(role));
  throw problem;
}

Session Access::require_change(const Request& request, Role role, const Moment& now) {
  Session session = require(request, role, now);
  if (session.how == How::bearer) return session;
  const Origin origin = origin_of(request);
  if (origin == Origin::other) throw not_same_origin("The request comes from a page of another origin.");
  if (request.field("x-equinox-action").value_or("") != "1") {
    throw not_same_origin("A change needs the field X-Equinox-Action: 1, or a bearer token.");
  }
  if (origin == Origin::same) {
    if (!is_json(request)) throw not_same_origin("A change needs Content-Type: application/json.");
    return session;
  }
  // Neither Origin nor Sec-Fetch-Site: no browser. The field alone is enough on this machine.
  if (!is_local(request)) throw not_same_origin("From elsewhere a change needs a bearer token.");
  return session;
}

void Access::require_json(const Request& request) {
  if (bearer_of(request) || is_json(request)) return;
  throw bad_request("Content-Type must be application/json.");
}

void Access::make_room(const std::string& token_sha256) {
  const auto is_its = [&token_sha256](const Cookie& cookie) { return cookie.token_sha256 == token_sha256; };
  if (std::count_if(cookies_.begin(), cookies_.end(), is_its) < kMostSessions) return;
  cookies_.erase(std::find_if(cookies_.begin(), cookies_.end(), is_its));
}

Access::Signed Access::sign_in(const Request& request, const Moment& now) {
  if (origin_of(request) == Origin::other) throw not_same_origin("The request comes from a page of another origin.");
  if (!is_json(request)) throw not_same_origin("Signing in needs Content-Type: application/json.");
  const std::string secret = text_member(body_of(request, {"token"}), "token", "", 512);
  const std::string hash = sha256_hex(secret);
  const auto token = tokens_.find(hash, now);
  if (!token) throw Problem{401, "unauthenticated", "The token is not known", why_not()};
  const std::string value = random_hex(32);
  const std::int64_t expires = now.wall_ns + kSessionSeconds * kSecondNs;
  {
    const std::lock_guard lock{mutex_};
    make_room(hash);
    cookies_.push_back(Cookie{sha256_hex(value), hash, expires});
  }
  Session session = capped({token->role, token->name, How::cookie, seconds(expires)});
  Response out = answer(session_json(session));
  out.with("Set-Cookie", cookie_field(request, value, kSessionSeconds));
  return {std::move(out), std::move(session)};
}

Access::Signed Access::sign_out(const Request& request, const Moment& now) {
  if (origin_of(request) == Origin::other) throw not_same_origin("The request comes from a page of another origin.");
  std::optional<Session> session = by_cookie(request, now);
  if (session) session = capped(std::move(*session));
  const std::string_view value = cookie_of(request);
  if (!value.empty()) {
    const std::string hash = sha256_hex(value);
    const std::lock_guard lock{mutex_};
    std::erase_if(cookies_, [&hash](const Cookie& cookie) { return cookie.sha256 == hash; });
  }
  Response out = Response::empty();
  out.with("Cache-Control", "no-store").with("Set-Cookie", cookie_field(request, "", 0));
  return {std::move(out), std::move(session)};
}

}  // namespace equinox::admin
