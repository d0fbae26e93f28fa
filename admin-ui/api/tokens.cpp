#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "admin-ui/api/access.hpp"
#include "admin-ui/api/secrets.hpp"
#include "admin-ui/api/token_rules.hpp"

namespace equinox::admin {
namespace {

constexpr std::int64_t kLookEveryNs = kSecondNs;

std::string stamp_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  std::ostringstream out;
  out << facts.st_dev << ' ' << facts.st_ino << ' ' << facts.st_size << ' ' << facts.st_mtim.tv_sec << '.'
      << facts.st_mtim.tv_nsec << ' ' << facts.st_ctim.tv_sec << '.' << facts.st_ctim.tv_nsec;
  return out.str();
}

/// @throws std::runtime_error saying what is wrong
Tokens::Token token_of(const Json& entry) {
  if (!entry.is_object()) throw std::runtime_error{"an entry of \"tokens\" is no object"};
  const auto text = [&entry](const char* name) {
    const auto found = entry.find(name);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  Tokens::Token token{text("name"), Role::viewer, text("sha256")};
  const auto role = parse_role(text("role"));
  if (!role) throw std::runtime_error{"token \"" + token.name + "\": role is viewer, operator or admin"};
  if (!is_sha256(token.sha256))
    throw std::runtime_error{"token \"" + token.name + "\": sha256 is 64 hexadecimal digits"};
  token.role = *role;
  if (token.name.empty()) token.name = to_string(*role);
  return token;
}

}  // namespace

void Tokens::read() {
  std::ifstream file{path_, std::ios::binary};
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error{"cannot be read"};
  const Json document = Json::parse(text.str(), nullptr, false, true);
  if (!document.is_object() || !document.contains("tokens") || !document["tokens"].is_array()) {
    throw std::runtime_error{"is not {\"tokens\": [ … ]}"};
  }
  std::vector<Token> tokens;
  for (const Json& entry : document["tokens"]) {
    if (tokens.size() == kMostTokens)
      throw std::runtime_error{"has more than " + std::to_string(kMostTokens) + " tokens"};
    tokens.push_back(token_of(entry));
  }
  tokens_ = std::move(tokens);
  was_read_ = true;
}

void Tokens::read_if_changed(const Moment& now) {
  if (looked_ns_ != 0 && now.steady_ns - looked_ns_ < kLookEveryNs) return;
  looked_ns_ = now.steady_ns;
  std::string stamp = stamp_of(path_);
  if (stamp == stamp_ && !stamp.empty()) return;
  stamp_ = std::move(stamp);
  if (stamp_.empty()) {
    tokens_.clear();
    was_read_ = false;
    error_ = path_ + " is not there: nobody can sign in";
    return;
  }
  try {
    read();
    error_.clear();
  } catch (const std::exception& problem) {
    error_ = path_ + ": " + problem.what() +
             (was_read_ ? "; the tokens stay as they were" : "; there are no tokens yet: nobody can sign in");
  }
}

void Tokens::look(const Moment& now) {
  const std::lock_guard lock{mutex_};
  read_if_changed(now);
}

std::optional<Tokens::Token> Tokens::find(std::string_view sha256, const Moment& now) {
  const std::lock_guard lock{mutex_};
  read_if_changed(now);
  std::optional<Token> found;
  for (const Token& token : tokens_) {
    if (same_secret(token.sha256, sha256)) found = token;
  }
  return found;
}

std::string Tokens::error() const {
  const std::lock_guard lock{mutex_};
  return error_;
}

}  // namespace equinox::admin
