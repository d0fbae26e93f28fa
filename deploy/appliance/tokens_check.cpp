#include <fmt/format.h>

#include <algorithm>

#include "admin-ui/api/token_rules.hpp"
#include "config.hpp"
#include "config_checks.hpp"
#include "config_values.hpp"

/// The tokens file as the admin surface reads it, but with a place for each mistake: one that it cannot use would let
/// nobody in.
namespace equinox::appliance {
namespace {

using Kind = ConfigValue::Kind;

const ConfigValue* last_member(const ConfigValue& object, std::string_view name) {
  const auto found = std::find_if(object.members.rbegin(), object.members.rend(),
                                  [&](const ConfigValue::Member& member) { return member.key == name; });
  return found == object.members.rend() ? nullptr : &found->value;
}

class TokensChecker {
 public:
  TokensChecker(std::string_view file, std::vector<ConfigProblem>& problems) : file_{file}, problems_{problems} {}

  void check(const ConfigValue& root) {
    if (root.kind != Kind::object) return complain(root, "", "an object with the list \"tokens\"");
    const ConfigValue* tokens = last_member(root, "tokens");
    if (tokens == nullptr) {
      return problems_.push_back({origin_text(file_, root.at), "tokens", "is missing; it is required here"});
    }
    if (tokens->kind != Kind::array) return complain(*tokens, "tokens", "a list of objects");
    if (tokens->items.size() > admin::kMostTokens) {
      return problems_.push_back(
          {origin_text(file_, tokens->at), "tokens",
           fmt::format("has {} items, allowed are at most {}", tokens->items.size(), admin::kMostTokens)});
    }
    for (std::size_t i = 0; i < tokens->items.size(); ++i) {
      check_token(tokens->items[i], fmt::format("tokens[{}]", i));
    }
  }

 private:
  void check_token(const ConfigValue& token, const std::string& key) {
    if (token.kind != Kind::object) {
      return complain(token, key, "an object, as `equinox token` prints it");
    }
    check_text(token, key, "role", "\"viewer\", \"operator\" or \"admin\"", [](std::string_view text) {
      return std::find(admin::kRoles.begin(), admin::kRoles.end(), text) != admin::kRoles.end();
    });
    check_text(token, key, "sha256", "64 hexadecimal digits in lower case", admin::is_sha256);
  }

  void check_text(const ConfigValue& token, const std::string& key, std::string_view name, std::string_view allowed,
                  bool (*is_good)(std::string_view)) {
    const std::string inner = fmt::format("{}.{}", key, name);
    const ConfigValue* value = last_member(token, name);
    if (value == nullptr) {
      problems_.push_back({origin_text(file_, token.at), inner, "is missing; it is required here"});
    } else if (value->kind != Kind::string) {
      complain(*value, inner, allowed);
    } else if (!is_good(value->text)) {
      problems_.push_back({origin_text(file_, value->at), inner,
                           name == "role" ? fmt::format("\"{}\" is no role, allowed is {}", value->text, allowed)
                                          : fmt::format("is no hash, allowed are {}", allowed)});
    }
  }

  void complain(const ConfigValue& value, std::string key, std::string_view allowed) {
    problems_.push_back({origin_text(file_, value.at), std::move(key),
                         fmt::format("is {}, allowed is {}", describe(value.kind), allowed)});
  }

  std::string_view file_;
  std::vector<ConfigProblem>& problems_;
};

}  // namespace

std::vector<ConfigProblem> check_tokens(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems;
  const std::string& file = config.admin.tokens_file;
  if (file.empty()) return problems;
  const auto text = read_document_text(file);
  if (!text) return problems;  // check_files() has told why
  if (const auto root = read_document(*text, file, problems)) TokensChecker{file, problems}.check(*root);
  return problems;
}

std::vector<ConfigProblem> check_first_token(const ApplianceConfig& config) {
  return check_first_token_at(config.admin.address, config);
}

std::vector<ConfigProblem> check_first_token_at(std::string_view address, const ApplianceConfig& config) {
  const std::string& file = config.admin.tokens_file;
  const auto parsed = parse_listen_address(address);
  if (file.empty() || !parsed || parsed->is_loopback) return {};
  const auto text = read_document_text(file);
  std::vector<ConfigProblem> told_by_check_tokens;
  const auto root = text ? read_document(*text, file, told_by_check_tokens) : std::nullopt;
  const ConfigValue* tokens = root ? last_member(*root, "tokens") : nullptr;
  if (tokens == nullptr || tokens->kind != Kind::array || !tokens->items.empty()) return {};
  return {{origin_text(file, tokens->at), "tokens",
           fmt::format("is empty and \"{}\" of admin.address is not a loopback address; allowed is at least one line "
                       "made by: {}",
                       address, kHowToMakeAToken)}};
}

}  // namespace equinox::appliance
