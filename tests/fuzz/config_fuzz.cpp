// Any text as a configuration: it gives a configuration or problems with their place, never both, never neither. What
// is accepted is what the server accepts, and printed as `equinox check` does it reads back the same.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/network.hpp"
#include "deploy/appliance/config.hpp"
#include "deploy/appliance/config_values.hpp"
#include "fuzz/require.hpp"
#include "net/socket_address.hpp"

namespace {

using namespace equinox;
using namespace equinox::appliance;
using Json = nlohmann::ordered_json;

constexpr std::string_view kFile = "f.json";

/// "f.json:LINE:COLUMN", both inside the text.
void check_place(const ConfigProblem& problem, std::string_view text) {
  const auto parts = split(problem.origin, ':');
  std::size_t line = 0;
  FUZZ_REQUIRE(!problem.message.empty() && parts.size() == 3 && parts[0] == kFile);
  FUZZ_REQUIRE(std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), line).ec == std::errc{});
  const auto lines = static_cast<std::size_t>(1 + std::count(text.begin(), text.end(), '\n'));
  FUZZ_REQUIRE(line >= 1 && line <= lines && parts[2] != "0");
}

bool holds_nul(const Setting& setting) {
  const auto has = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (const auto* text = std::get_if<std::string>(&setting.value)) return has(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&setting.value)) {
    return std::any_of(texts->begin(), texts->end(), has);
  }
  if (const auto* map = std::get_if<TextMap>(&setting.value)) {
    return std::any_of(map->begin(), map->end(), [&](const auto& pair) { return has(pair.first) || has(pair.second); });
  }
  return false;
}

/// `check` and `serve` must not differ: each reads addresses and networks with a function of its own layer.
void check_for_server(const Setting& setting) {
  FUZZ_REQUIRE(!holds_nul(setting));
  if (setting.key->type == KeyType::networks) {
    const auto* networks = std::get_if<std::vector<std::string>>(&setting.value);
    FUZZ_REQUIRE(networks != nullptr);
    for (const std::string& network : *networks) FUZZ_REQUIRE(Network::parse(network).has_value());
  }
  const auto* text = std::get_if<std::string>(&setting.value);
  if (setting.key->type != KeyType::address || text == nullptr || *text == "off") return;
  const auto mine = parse_listen_address(*text);
  const auto servers = net::SocketAddress::parse(*text);
  FUZZ_REQUIRE(mine && servers && mine->port == servers->port());
  FUZZ_REQUIRE(!mine->is_loopback || servers->is_loopback());  // else the dashboard could be open to everybody
}

/// The place of "routes[2].static.root" in a document.
Json& at(Json& document, std::string_view path) {
  Json* node = &document;
  for (const std::string_view part : split(path, '.')) {
    const auto bracket = part.find('[');
    node = &(*node)[std::string{part.substr(0, bracket)}];
    if (bracket == std::string_view::npos) continue;
    std::size_t index = 0;
    std::from_chars(part.data() + bracket + 1, part.data() + part.size(), index);
    node = &(*node)[index];
  }
  return *node;
}

std::string print(const Settings& settings) {
  Json document = Json::object();
  for (const auto& [path, setting] : settings.all()) {
    Json& node = at(document, path);
    const bool is_list = setting.key->type == KeyType::list && !path.ends_with(']');
    if (is_list) {
      if (node.is_null()) node = Json::array();
    } else if (!setting.value.index()) {
      if (node.is_null()) node = Json::object();
    } else {
      node = Json::parse(to_text(setting));
    }
  }
  return document.dump();
}

void check_round_trip(const Settings& settings) {
  const LoadedConfig again = load_config(print(settings), kFile, {});
  FUZZ_REQUIRE(again.config);
  const ConfigChange change = compare(settings, again.config->settings);
  FUZZ_REQUIRE(change.live.empty() && change.restart.empty());
  for (const auto& [path, setting] : settings.all()) {
    FUZZ_REQUIRE(again.config->settings.all().at(path).value == setting.value);
  }
  for (const auto& [path, setting] : again.config->settings.all()) {
    FUZZ_REQUIRE(setting.key->type == KeyType::group || settings.all().count(path) != 0);
  }
}

LoadedConfig check(std::string_view text, const ConfigFlags& flags) {
  LoadedConfig loaded = load_config(text, kFile, flags);
  FUZZ_REQUIRE(loaded.config.has_value() == loaded.problems.empty());
  if (loaded.config) {
    for (const auto& [path, setting] : loaded.config->settings.all()) check_for_server(setting);
    check_round_trip(loaded.config->settings);
  }
  return loaded;
}

ConfigFlags some_flags() {
  ConfigFlags flags;
  flags.listen = {"127.0.0.1:1", "[::1]:2"};
  flags.tls_listen = "127.0.0.1:3";
  flags.tls_self_signed = true;
  flags.root = "www";
  flags.values = {{"timeouts.idle", "5s", "--idle-timeout"}};
  return flags;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16 * 1024) return 0;  // longer ones are slow and hold nothing new
  const std::string text{reinterpret_cast<const char*>(data), size};
  const LoadedConfig plain = check(text, {});
  for (const ConfigProblem& problem : plain.problems) check_place(problem, text);
  static const ConfigFlags kFlags = some_flags();
  check(text, kFlags);
  if (text.starts_with('\xEF')) return 0;  // a byte order mark stands only at the very beginning
  const LoadedConfig lower = load_config("// moved\n" + text, kFile, {});
  FUZZ_REQUIRE(lower.problems.size() == plain.problems.size());
  for (std::size_t i = 0; i < lower.problems.size(); ++i) FUZZ_REQUIRE(lower.problems[i].key == plain.problems[i].key);
  return 0;
}
