#include "config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log_record.hpp"
#include "config_checks.hpp"
#include "config_values.hpp"

namespace equinox::appliance {
namespace {

std::string item(std::string_view list, std::size_t index) { return fmt::format("{}[{}]", list, index); }

/// Turns checked settings into the plain structures. Nothing here can fail.
class Builder {
 public:
  Builder(const Settings& settings, std::string_view file) : s{settings}, file_{file} {}

  [[nodiscard]] std::uint32_t u32(std::string_view path) const {
    return static_cast<std::uint32_t>(s.number(path).value_or(0));
  }
  [[nodiscard]] std::uint64_t u64(std::string_view path) const {
    return static_cast<std::uint64_t>(s.number(path).value_or(0));
  }

  [[nodiscard]] std::string file_name(const std::string& path) const { return appliance::file_name(s, file_, path); }

  [[nodiscard]] std::optional<TlsConfig> tls(const std::string& path) const {
    if (!s.has(path)) return std::nullopt;
    TlsConfig out;
    for (std::size_t i = 0; i < s.count(path + ".certificates"); ++i) {
      const std::string at = item(path + ".certificates", i);
      CertificateConfig certificate;
      certificate.name = s.text(at + ".name");
      certificate.certificate = file_name(at + ".certificate");
      certificate.key = file_name(at + ".key");
      out.certificates.push_back(std::move(certificate));
    }
    out.self_signed = s.boolean(path + ".self_signed");
    out.min_version = s.text(path + ".min_version");
    out.ciphers = s.text(path + ".ciphers");
    out.http2 = s.boolean(path + ".http2");
    out.strict_sni = s.boolean(path + ".strict_sni");
    return out;
  }

  [[nodiscard]] ListenerConfig listener(std::size_t index) const {
    const std::string at = item("listeners", index);
    ListenerConfig out;
    out.name = listener_name(s, index);
    out.address = s.text(at + ".address");
    const std::string h2c = s.text(at + ".h2c");
    out.h2c = h2c == "off" ? H2c::off : h2c == "on" ? H2c::on : H2c::prior_knowledge;
    out.tls = tls(at + ".tls");
    out.proxy_protocol_from = s.texts(at + ".proxy_protocol.from");
    out.defer_accept = std::chrono::duration_cast<std::chrono::seconds>(s.duration(at + ".defer_accept"));
    return out;
  }

  void limits(LimitConfig& out) const {
    out.connections = u32("limits.connections");
    out.connections_per_client = u32("limits.connections_per_client");
    out.requests_per_connection = u32("limits.requests_per_connection");
    out.request_head = u64("limits.request_head");
    out.request_target = u64("limits.request_target");
    out.request_body = u64("limits.request_body");
    out.fields = u32("limits.fields");
    out.http2_concurrent_streams = u32("limits.http2_concurrent_streams");
    out.http2_resets = u32("limits.http2_resets");
    out.http2_own_resets = u32("limits.http2_own_resets");
    out.http2_control_frames = u32("limits.http2_control_frames");
    out.http2_continuations = u32("limits.http2_continuations");
    out.trailers = u64("limits.trailers");
    out.chunk_overhead = u64("limits.chunk_overhead");
    out.minimum_rate = u32("limits.minimum_rate");
    out.output_buffer = u64("limits.output_buffer");
    out.memory = u64("limits.memory");
  }

  void timeouts(TimeoutConfig& out) const {
    out.idle = s.duration("timeouts.idle");
    out.header = s.duration("timeouts.header");
    out.body = s.duration("timeouts.body");
    out.handler = s.duration("timeouts.handler");
    out.write = s.duration("timeouts.write");
    out.handshake = s.duration("timeouts.handshake");
    out.ping_after = s.duration("timeouts.ping_after");
    out.ping = s.duration("timeouts.ping");
    out.max_age = s.duration("timeouts.max_age");
    out.linger = s.duration("timeouts.linger");
  }

  void history(HistoryConfig& out) const {
    out.closed = u32("rings.closed");
    out.slow = u32("rings.slow");
    out.samples = u32("rings.samples");
    out.recent = u32("rings.recent");
    out.stalls = u32("rings.stalls");
    out.events = u32("rings.events");
    out.log = u32("rings.log");
    out.series = u32("metrics.series");
    out.body_sizes = s.boolean("metrics.body_sizes");
    out.slow_threshold = s.duration("thresholds.slow");
    out.stall_threshold = s.duration("thresholds.stall");
  }

  [[nodiscard]] std::string log_name(const std::string& path) const {
    const std::string text = s.text(path);
    return is_log_word(text) ? text : file_name(path);
  }

  void log(LogConfig& out) const {
    out.level = log_level(s.text("log.level"));
    out.format = s.text("log.format") == "json" ? "json" : "text";
    out.target = log_name("log.target");
    out.access = log_name("log.access");
    out.access_format = s.text("log.access_format") == "json" ? "json" : "combined";
  }

  [[nodiscard]] ServerConfig traffic() const {
    ServerConfig out;
    out.listeners.clear();
    for (std::size_t i = 0; i < s.count("listeners"); ++i) out.listeners.push_back(listener(i));
    out.reactors = u32("reactors");
    limits(out.limits);
    timeouts(out.timeouts);
    out.drain.delay = s.duration("drain.delay");
    out.drain.timeout = s.duration("drain.timeout");
    history(out.history);
    out.workers.threads = u32("workers.threads");
    out.workers.queue = u32("workers.queue");
    log(out.log);
    out.trusted_proxies = s.texts("trusted_proxies");
    out.request_ids = s.boolean("request_ids");
    out.server_field = s.text("server_field");
    out.instance = s.text("instance");
    return out;
  }

  [[nodiscard]] RouteConfig route(std::size_t index) const {
    const std::string at = item("routes", index);
    RouteConfig out;
    out.path = s.text(at + ".path");
    out.name = s.text(at + ".name");
    out.host = s.text(at + ".host");
    out.listener = s.text(at + ".listener");
    for (const std::string& method : s.texts(at + ".methods")) out.methods.push_back(parse_method(method));
    out.headers = s.text_map(at + ".headers");
    if (s.has(at + ".request_body")) out.request_body_max_bytes = u64(at + ".request_body");
    out.handler = handler(at);
    out.redirect_to = s.text(at + ".redirect.to");
    out.redirect_code = static_cast<int>(u32(at + ".redirect.code"));
    out.respond_code = static_cast<int>(u32(at + ".respond.code"));
    out.respond_content_type = s.text(at + ".respond.content_type");
    out.respond_body = s.text(at + ".respond.body");
    out.static_root = file_name(at + ".static.root");
    out.static_index = s.texts(at + ".static.index");
    out.static_fallback = s.text(at + ".static.fallback");
    out.static_listing = s.boolean(at + ".static.listing");
    out.static_precompressed = s.boolean(at + ".static.precompressed");
    out.static_compress = s.boolean(at + ".static.compress");
    out.static_compressed_cache_bytes = u64(at + ".static.compressed_cache");
    out.static_cache_control = s.text(at + ".static.cache_control");
    out.static_open_files = u32(at + ".static.open_files");
    out.health_is_live = s.text(at + ".health.check") == "live";
    return out;
  }

  [[nodiscard]] ApplianceConfig build(std::string_view file) const {
    ApplianceConfig out;
    out.traffic = traffic();
    for (std::size_t i = 0; i < s.count("routes"); ++i) out.routes.push_back(route(i));
    out.ops = {s.text("ops.address") != "off", s.text("ops.address"), s.duration("ops.livez_limit"), {}};
    out.admin.address = s.text("admin.address");
    out.admin.is_on = out.admin.address != "off";
    out.admin.tokens_file = file_name("admin.tokens_file");
    out.admin.tls = tls("admin.tls");
    out.admin.hosts = s.texts("admin.hosts");
    out.admin.read_only = s.boolean("admin.read_only");
    out.admin.viewers = u32("admin.viewers");
    out.metrics.status_class = s.text("metrics.status") == "class";
    out.traffic.redaction = {s.text("redaction.query_values") == "show",
                             s.text("redaction.client_address") == "truncate"};
    out.reload = {s.text("reload.config") == "watch", s.text("reload.certificates") == "watch",
                  s.duration("reload.poll")};
    out.sandbox = sandbox_mode(s.text("sandbox"));
    out.hand_over = {s.boolean("hand_over.enabled"), s.duration("hand_over.timeout")};
    out.reactors_are_auto = !s.number("reactors");
    out.log_format_is_auto = s.text("log.format") == "auto";
    out.file = std::string{file};
    out.settings = s;
    return out;
  }

 private:
  [[nodiscard]] RouteHandler handler(const std::string& at) const {
    for (const auto& [candidate, name] : kRouteHandlers) {
      if (s.has(fmt::format("{}.{}", at, name))) return candidate;
    }
    return RouteHandler::status;
  }

  const Settings& s;
  std::string_view file_;
};

ConfigValue* member(ConfigValue* object, std::string_view name) {
  if (object == nullptr) return nullptr;
  for (auto& candidate : object->members) {
    if (candidate.key == name) return &candidate.value;
  }
  return nullptr;
}

void erase_member(ConfigValue* object, std::string_view name) {
  if (object == nullptr) return;
  std::erase_if(object->members, [&](const ConfigValue::Member& candidate) { return candidate.key == name; });
}

/// Flags that name whole listeners and routes: the file's list makes room, then overrides fill the new places.
class FlagMerger {
 public:
  FlagMerger(const ConfigFlags& flags, ConfigValue* root, std::vector<ConfigProblem>& problems)
      : flags_{flags}, root_{root}, problems_{problems}, out_{flags.values} {
    if (!flags.tls_certificate.empty()) certificate_flags_.emplace_back("--tls-cert");
    if (!flags.tls_key.empty()) certificate_flags_.emplace_back("--tls-key");
    if (flags.tls_self_signed) certificate_flags_.emplace_back("--tls-self-signed");
  }

  std::vector<Override> run() {
    merge_listeners();
    merge_routes();
    return std::move(out_);
  }

 private:
  void add(std::string path, std::string_view value, std::string_view origin) {
    out_.push_back({std::move(path), std::string{value}, std::string{origin}});
  }

  void merge_listeners() {
    ConfigValue* list = member(root_, "listeners");
    if (list != nullptr && list->kind != ConfigValue::Kind::array) return;
    const bool is_tls_new = !flags_.tls_listen.empty() || (list == nullptr && !certificate_flags_.empty());
    std::vector<std::pair<std::string, std::string>> cleartext;
    for (const auto& address : flags_.listen) cleartext.emplace_back(address, "--listen");
    if (list == nullptr && cleartext.empty()) cleartext.emplace_back("0.0.0.0:8080", "default");
    if (list != nullptr) {
      std::erase_if(list->items, [&](ConfigValue& listener) {
        const bool is_tls = member(&listener, "tls") != nullptr;
        return is_tls ? !flags_.tls_listen.empty() : !flags_.listen.empty();
      });
      if (!is_tls_new && !certificate_flags_.empty()) set_certificates(*list);
    }
    if (cleartext.empty() && !is_tls_new) return;
    std::size_t next = list == nullptr ? 0 : list->items.size();
    const std::size_t count = next + cleartext.size() + (is_tls_new ? 1 : 0);
    if (next == 0) erase_member(root_, "listeners");  // all of it makes room, and an empty list would be a mistake
    add("listeners", std::to_string(count), cleartext.empty() ? "--tls-listen" : cleartext.front().second);
    for (std::size_t i = 0; i < cleartext.size(); ++i, ++next) {
      const std::string at = item("listeners", next);
      add(at, "", cleartext[i].second);
      add(at + ".address", cleartext[i].first, cleartext[i].second);
      if (i != 0) add(at + ".name", fmt::format("http-{}", i + 1), cleartext[i].second);
    }
    if (is_tls_new) add_tls_listener(item("listeners", next));
  }

  void add_tls_listener(const std::string& at) {
    const bool has_address = !flags_.tls_listen.empty();
    const std::string_view origin = has_address ? std::string_view{"--tls-listen"} : certificate_flags_.front();
    add(at, "", origin);
    add(at + ".address", has_address ? flags_.tls_listen : "0.0.0.0:8443", has_address ? "--tls-listen" : "default");
    add(at + ".tls", "", origin);
    set_certificate(at + ".tls", nullptr);
  }

  /// Of the listeners that the file has.
  void set_certificates(ConfigValue& list) {
    bool is_set = false;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      ConfigValue* tls = member(&list.items[i], "tls");
      if (tls == nullptr) continue;
      is_set = true;
      if (tls->kind == ConfigValue::Kind::object) set_certificate(item("listeners", i) + ".tls", tls);
    }
    if (is_set) return;
    problems_.push_back({certificate_flags_.front(), "listeners",
                         fmt::format("no listener of the file has \"tls\" that {} could be meant for; allowed is "
                                     "--tls-listen ADDR, or a listener with \"tls\"",
                                     fmt::join(certificate_flags_, " and "))});
  }

  /// @param written  the block in the file, where what these flags replace makes room; null: none
  void set_certificate(const std::string& tls, ConfigValue* written) {
    const bool names_files = !flags_.tls_certificate.empty() || !flags_.tls_key.empty();
    erase_member(written, "self_signed");
    if (flags_.tls_self_signed) add(tls + ".self_signed", "true", "--tls-self-signed");
    const ConfigValue* certificates = member(written, "certificates");
    // One certificate keeps what is not said anew; of several nobody could tell which is meant.
    const bool is_one = names_files && certificates != nullptr && certificates->items.size() == 1;
    if (!is_one) erase_member(written, "certificates");
    if (!names_files) return;
    const char* origin = flags_.tls_certificate.empty() ? "--tls-key" : "--tls-cert";
    if (!is_one) {
      add(tls + ".certificates", "1", origin);
      add(tls + ".certificates[0]", "", origin);
    }
    if (!flags_.tls_certificate.empty())
      add(tls + ".certificates[0].certificate", flags_.tls_certificate, "--tls-cert");
    if (!flags_.tls_key.empty()) add(tls + ".certificates[0].key", flags_.tls_key, "--tls-key");
  }

  void merge_routes() {
    ConfigValue* list = member(root_, "routes");
    if (list != nullptr && list->kind != ConfigValue::Kind::array) return;
    if (list != nullptr && flags_.root.empty()) return;
    std::size_t next = 0;
    if (list != nullptr) {
      std::erase_if(list->items, [](ConfigValue& route) {
        const ConfigValue* path = member(&route, "path");
        const bool is_plain = member(&route, "host") == nullptr && member(&route, "listener") == nullptr;
        return path != nullptr && is_plain && (path->text == "/*" || path->text == "/");
      });
      next = list->items.size();
    }
    std::vector<std::array<std::string_view, 3>> added;  // path, handler, origin
    if (list == nullptr) added.push_back({"/api/status", "status", "default"});
    added.push_back(flags_.root.empty() ? std::array<std::string_view, 3>{"/", "welcome", "default"}
                                        : std::array<std::string_view, 3>{"/*", "static", "--root"});
    add("routes", std::to_string(next + added.size()), added.back()[2]);
    for (const auto& [path, handler, origin] : added) {
      const std::string at = item("routes", next++);
      add(at, "", origin);
      add(at + ".path", path, origin);
      add(fmt::format("{}.{}", at, handler), "", origin);
      if (handler == "static") add(at + ".static.root", flags_.root, origin);
    }
  }

  const ConfigFlags& flags_;
  ConfigValue* root_;
  std::vector<ConfigProblem>& problems_;
  std::vector<std::string> certificate_flags_;  ///< those that were given
  std::vector<Override> out_;
};

/// Line, then column: the order in which somebody mends a file.
void sort_by_place(std::vector<ConfigProblem>& problems) {
  const auto place = [](const ConfigProblem& problem) {
    const auto parts = split(problem.origin, ':');
    std::array<long, 2> out{};
    if (parts.size() >= 3) {
      out = {std::atol(std::string{parts[parts.size() - 2]}.c_str()), std::atol(std::string{parts.back()}.c_str())};
    }
    return out;
  };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const auto& left, const auto& right) { return place(left) < place(right); });
}

/// Behind the checks: until then a name that was not written belongs to the listener's place in the file.
void name_listeners(Settings& settings) {
  for (std::size_t i = 0; i < settings.count("listeners"); ++i) {
    const std::string path = item("listeners", i) + ".name";
    if (!settings.has(path)) settings.resolve(path, listener_name(settings, i), "by its scheme");
  }
}

LoadedConfig finish(ConfigValue* root, std::string_view file, const ConfigFlags& flags,
                    std::vector<ConfigProblem> problems) {
  const std::vector<Override> overrides = FlagMerger{flags, root, problems}.run();
  Settings settings = Settings::read(root, file, overrides, problems);
  LoadedConfig out;
  if (problems.empty()) {
    check_listeners(settings, problems);
    check_surfaces(settings, problems);
    check_routes(settings, problems);
    check_texts(settings, problems);
    check_limits(settings, problems);
  }
  if (problems.empty()) {
    name_listeners(settings);
    out.config = Builder{settings, file}.build(file);
  }
  sort_by_place(problems);
  out.problems = std::move(problems);
  return out;
}

}  // namespace

LogLevel log_level(std::string_view word) noexcept { return parse_log_level(word).value_or(LogLevel::info); }

SandboxMode sandbox_mode(std::string_view word) noexcept {
  if (word == "off") return SandboxMode::off;
  return word == "strict" ? SandboxMode::strict : SandboxMode::automatic;
}

std::string file_name(const Settings& settings, std::string_view config_file, const std::string& path) {
  std::string name = settings.text(path);
  const std::filesystem::path folder = std::filesystem::path{config_file}.parent_path();
  if (name.empty() || name.front() == '/' || folder.empty() || settings.origin(path).starts_with("--")) return name;
  return (folder / name).string();
}

bool is_log_word(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 4> kWords{"stdout", "stderr", "off", "-"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

LoadedConfig load_config(std::string_view text, std::string_view file, const ConfigFlags& flags) {
  std::vector<ConfigProblem> problems;
  auto root = read_document(text, file, problems);
  if (!root) return {std::nullopt, std::move(problems)};
  return finish(&*root, file, flags, std::move(problems));
}

LoadedConfig load_config_file(const std::string& file, const ConfigFlags& flags) {
  if (file.empty()) return finish(nullptr, "", flags, {});
  const auto text = read_document_text(file);
  if (text) return load_config(*text, file, flags);
  return {std::nullopt, {{file, "", fmt::format("the configuration cannot be read: {}", std::strerror(errno))}}};
}

std::vector<std::string> ApplianceConfig::certificate_files() const {
  std::vector<std::string> files;
  const auto add = [&files](const std::optional<TlsConfig>& tls) {
    if (!tls) return;
    for (const CertificateConfig& each : tls->certificates) files.insert(files.end(), {each.certificate, each.key});
  };
  for (const ListenerConfig& listener : traffic.listeners) add(listener.tls);
  add(admin.tls);
  return files;
}

ConfigChange compare(const Settings& before, const Settings& after) {
  ConfigChange change;
  const auto note = [&change](const std::string& path, const KeySpec& key) {
    // A group is always there: written or not, only its keys say anything.
    if (key.type == KeyType::group) return;
    (key.reloads ? change.live : change.restart).push_back(path);
  };
  for (const auto& [path, setting] : after.all()) {
    const auto found = before.all().find(path);
    if (found == before.all().end() || found->second.value != setting.value) note(path, *setting.key);
  }
  for (const auto& [path, setting] : before.all()) {
    if (after.all().find(path) == after.all().end()) note(path, *setting.key);
  }
  return change;
}

}  // namespace equinox::appliance
