#pragma once

#include <cstdint>
#include <deque>
#include <equinox/admin.hpp>
#include <equinox/request.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

enum class Role : std::uint8_t { viewer, operator_, admin };
std::string_view to_string(Role role) noexcept;
std::optional<Role> parse_role(std::string_view name) noexcept;

enum class How : std::uint8_t { loopback, cookie, bearer };

/// Who asks.
struct Session {
  Role role{Role::viewer};
  std::string actor;
  How how{How::loopback};
  std::optional<double> expires_at{};
  std::string token_sha256{};   ///< what let it in; empty on this machine without tokens
  std::string cookie_sha256{};  ///< of the cookie's value; empty without one
};
Json session_json(const Session& session);

/// The tokens file: names, roles and SHA-256 hashes. Read again when it changes; one that cannot be understood leaves
/// the tokens as they were, one that is gone leaves none.
class Tokens {
 public:
  struct Token {
    std::string name;
    Role role{Role::viewer};
    std::string sha256;
  };
  explicit Tokens(std::string path) : path_{std::move(path)} {}
  [[nodiscard]] bool is_configured() const noexcept { return !path_.empty(); }
  /// The token of that hash; every entry is compared.
  std::optional<Token> find(std::string_view sha256, const Moment& now);
  /// Reads the file when it has changed.
  void look(const Moment& now);
  /// Why the newest file was not taken; empty when it was.
  [[nodiscard]] std::string error() const;

 private:
  void read_if_changed(const Moment& now);
  void read();

  mutable std::mutex mutex_;
  std::string path_;
  std::vector<Token> tokens_;
  bool was_read_{false};  ///< there are tokens that can stay
  std::string error_;
  std::string stamp_;  ///< device, inode, size and times of the file that was read
  std::int64_t looked_ns_{0};
};

/// Sign-in, roles, Host allow-list and the rule for changes. Any thread.
class Access {
 public:
  explicit Access(const Options& options);

  /// @throws Problem 421 when Host is neither a loopback name nor configured (DNS rebinding)
  void check_host(const Request& request) const;
  /// @throws Problem 401
  Session session_of(const Request& request, const Moment& now);
  /// May a link on a page of another origin lead here?
  enum class Links : std::uint8_t { followed, refused };
  /// @throws Problem 401, 403: the role is too low, or a page of another origin asks without a token
  Session require(const Request& request, Role role, const Moment& now, Links links = Links::followed);
  /// A change: role, and a bearer token or the same origin with the two fields. @throws Problem 401, 403
  Session require_change(const Request& request, Role role, const Moment& now);
  /// The body of a look is JSON by content type unless a bearer token came with it. @throws Problem 400
  static void require_json(const Request& request);

  struct Signed {
    Response response;
    std::optional<Session> session;  ///< that has begun or ended
  };
  /// Signs in by `{"token"}`; the answer sets the cookie. @throws Problem 401, 403
  Signed sign_in(const Request& request, const Moment& now);
  /// The cookie is void; without one that was valid nothing ends. @throws Problem 403
  Signed sign_out(const Request& request, const Moment& now);
  /// What let it in still does: neither signed out nor expired, and the token is in the file.
  bool is_valid(const Session& session, const Moment& now);
  /// Why the newest tokens file was not taken; empty when it was, or when there is none to be.
  [[nodiscard]] std::string tokens_error(const Moment& now);

 private:
  struct Cookie {
    std::string sha256;        ///< of the cookie's value
    std::string token_sha256;  ///< void when the token is
    std::int64_t expires_wall_ns{0};
  };
  std::optional<Session> by_cookie(const Request& request, const Moment& now);
  /// Ends the token's own oldest session when it has as many as one may have: who signs in signs nobody else out.
  void make_room(const std::string& token_sha256);
  Session capped(Session session) const;
  [[nodiscard]] std::string why_not() const;

  Options options_;
  Tokens tokens_;
  std::mutex mutex_;
  std::deque<Cookie> cookies_;
};

/// True for localhost, *.localhost, 127.0.0.0/8 and [::1].
bool is_loopback_host(std::string_view host) noexcept;
bool is_loopback_peer(const Endpoint& peer) noexcept;

}  // namespace equinox::admin
