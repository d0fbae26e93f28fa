#include "deploy/appliance/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace equinox::appliance {
namespace {

using namespace std::chrono_literals;

ApplianceConfig load(std::string_view text, const ConfigFlags& flags = {}) {
  LoadedConfig out = load_config(text, "f.json", flags);
  for (const auto& problem : out.problems) ADD_FAILURE() << problem.to_string();
  return out.config ? *out.config : ApplianceConfig{};
}

TEST(Config, WithoutAnythingServesTheWelcomePage) {
  const LoadedConfig out = load_config_file("", {});
  ASSERT_TRUE(out.config);
  ASSERT_EQ(out.config->traffic.listeners.size(), 1u);
  EXPECT_EQ(out.config->traffic.listeners[0].address, "0.0.0.0:8080");
  EXPECT_EQ(out.config->traffic.listeners[0].name, "http");
  EXPECT_EQ(out.config->ops.address, "127.0.0.1:9180");
  EXPECT_EQ(out.config->admin.address, "127.0.0.1:9181");
  ASSERT_EQ(out.config->routes.size(), 2u);
  EXPECT_EQ(out.config->routes[0].path, "/api/status");
  EXPECT_EQ(out.config->routes[1].handler, RouteHandler::welcome);
  EXPECT_EQ(out.config->traffic.timeouts.idle, 60s);
  EXPECT_EQ(out.config->settings.origin("timeouts.idle"), "default");
}

// A default that differs from the library's own would make the two halves of the documentation disagree.
TEST(Config, DefaultsAreThoseOfTheLibrary) {
  const ApplianceConfig config = load("{}");
  const ServerConfig library;
  EXPECT_EQ(config.traffic.timeouts.idle, library.timeouts.idle);
  EXPECT_EQ(config.traffic.timeouts.header, library.timeouts.header);
  EXPECT_EQ(config.traffic.timeouts.body, library.timeouts.body);
  EXPECT_EQ(config.traffic.timeouts.handler, library.timeouts.handler);
  EXPECT_EQ(config.traffic.timeouts.write, library.timeouts.write);
  EXPECT_EQ(config.traffic.timeouts.handshake, library.timeouts.handshake);
  EXPECT_EQ(config.traffic.timeouts.ping_after, library.timeouts.ping_after);
  EXPECT_EQ(config.traffic.timeouts.ping, library.timeouts.ping);
  EXPECT_EQ(config.traffic.timeouts.max_age, library.timeouts.max_age);
  EXPECT_EQ(config.traffic.timeouts.linger, library.timeouts.linger);
  EXPECT_EQ(config.traffic.limits.connections, library.limits.connections);
  EXPECT_EQ(config.traffic.limits.request_head, library.limits.request_head);
  EXPECT_EQ(config.traffic.limits.request_target, library.limits.request_target);
  EXPECT_EQ(config.traffic.limits.request_body, library.limits.request_body);
  EXPECT_EQ(config.traffic.limits.fields, library.limits.fields);
  EXPECT_EQ(config.traffic.limits.http2_concurrent_streams, library.limits.http2_concurrent_streams);
  EXPECT_EQ(config.traffic.limits.http2_resets, library.limits.http2_resets);
  EXPECT_EQ(config.traffic.limits.http2_own_resets, library.limits.http2_own_resets);
  EXPECT_EQ(config.traffic.limits.http2_control_frames, library.limits.http2_control_frames);
  EXPECT_EQ(config.traffic.limits.http2_continuations, library.limits.http2_continuations);
  EXPECT_EQ(config.traffic.limits.trailers, library.limits.trailers);
  EXPECT_EQ(config.traffic.limits.chunk_overhead, library.limits.chunk_overhead);
  EXPECT_EQ(config.traffic.limits.minimum_rate, library.limits.minimum_rate);
  EXPECT_EQ(config.traffic.limits.output_buffer, library.limits.output_buffer);
  EXPECT_EQ(config.traffic.drain.timeout, library.drain.timeout);
  EXPECT_EQ(config.traffic.history.closed, library.history.closed);
  EXPECT_EQ(config.traffic.history.slow, library.history.slow);
  EXPECT_EQ(config.traffic.history.samples, library.history.samples);
  EXPECT_EQ(config.traffic.history.stalls, library.history.stalls);
  EXPECT_EQ(config.traffic.history.events, library.history.events);
  EXPECT_EQ(config.traffic.history.log, library.history.log);
  EXPECT_EQ(config.traffic.history.slow_threshold, library.history.slow_threshold);
  EXPECT_EQ(config.traffic.history.stall_threshold, library.history.stall_threshold);
  EXPECT_EQ(config.traffic.workers.threads, library.workers.threads);
  EXPECT_EQ(config.traffic.server_field, library.server_field);
}

TEST(Config, ReadsEveryPartOfASite) {
  const ApplianceConfig config = load(R"({
    // a whole site
    "listeners": [
      { "address": "0.0.0.0:8080", "h2c": "prior-knowledge", "proxy_protocol": {"from": ["10.0.0.0/8"]}, "defer_accept": "1s" },
      { "address": "[::]:8443", "tls": { "certificates": [ { "name": "a", "certificate": "a.crt", "key": "/k/a.key" } ], "min_version": "1.3" } }
    ],
    "trusted_proxies": ["::1"],
    "routes": [
      { "path": "/api/status", "status": {} },
      { "path": "/old/*", "redirect": { "to": "https://{host}/new/{rest}", "code": 301 } },
      { "path": "/hello", "host": "a.example", "methods": ["GET"], "listener": "https", "headers": {"X-A": "b"},
        "respond": { "code": 418, "content_type": "application/json", "body": "{}" } },
      { "path": "/echo", "request_body": "1M", "echo": {} },
      { "path": "/*", "static": { "root": "www", "index": ["a.html", "b.html"], "fallback": "a.html", "listing": true } }
    ],
    "limits": { "request_body": "1G", "connections": 5000 },
    "reactors": 3,
    "redaction": { "client_address": "truncate" }
  })");
  ASSERT_EQ(config.traffic.listeners.size(), 2u);
  EXPECT_EQ(config.traffic.listeners[0].h2c, H2c::prior_knowledge);
  EXPECT_EQ(config.traffic.listeners[0].defer_accept, 1s);
  EXPECT_EQ(config.traffic.listeners[0].proxy_protocol_from, (std::vector<std::string>{"10.0.0.0/8"}));
  EXPECT_EQ(config.traffic.listeners[1].name, "https");
  ASSERT_TRUE(config.traffic.listeners[1].tls);
  EXPECT_EQ(config.traffic.listeners[1].tls->min_version, "1.3");
  ASSERT_EQ(config.routes.size(), 5u);
  EXPECT_EQ(config.routes[1].redirect_code, 301);
  EXPECT_EQ(config.routes[2].methods, (std::vector<Method>{Method::get}));
  EXPECT_EQ(config.routes[2].respond_code, 418);
  EXPECT_EQ(config.routes[3].request_body_max_bytes, 1024u * 1024u);
  EXPECT_EQ(config.routes[4].static_index, (std::vector<std::string>{"a.html", "b.html"}));
  EXPECT_TRUE(config.routes[4].static_listing);
  EXPECT_EQ(config.traffic.limits.request_body, 1024u * 1024u * 1024u);
  EXPECT_EQ(config.traffic.reactors, 3u);
  EXPECT_TRUE(config.traffic.redaction.truncate_client_address);
  EXPECT_EQ(config.settings.origin("reactors"), "f.json:17:17");
}

TEST(Config, LogFilesAreRelativeToTheConfigurationsFolderToo) {
  constexpr std::string_view kText = R"({"log": {"target": "server.log", "access": "log/access.log"}})";
  const LoadedConfig out = load_config(kText, "/etc/equinox/equinox.json", {});
  EXPECT_EQ(out.config->traffic.log.target, "/etc/equinox/server.log");
  EXPECT_EQ(out.config->traffic.log.access, "/etc/equinox/log/access.log");
  const auto problems = check_logs(*load_config(kText, "/nonexistent/equinox.json", {}).config);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_THAT(problems[0].to_string(), testing::HasSubstr("\"/nonexistent/server.log\": No such file"));

  ConfigFlags flags;
  flags.values = {{"log.access", "access.log", "--access-log"}};
  EXPECT_EQ(load_config("{}", "/etc/equinox/equinox.json", flags).config->traffic.log.access, "access.log");
  for (const std::string word : {"stdout", "stderr", "off", "-"}) {
    const std::string text = R"({"log": {"access": ")" + word + "\"}}";
    EXPECT_EQ(load_config(text, "/etc/equinox/equinox.json", {}).config->traffic.log.access, word);
  }
}

TEST(Config, NamesOfFilesAreRelativeToTheConfigurationsFolder) {
  const LoadedConfig out = load_config(
      R"({"listeners": [{"address": ":1", "tls": {"certificates": [{"certificate": "a.crt", "key": "/k/a.key"}]}}]})",
      "etc/equinox/f.json", {});
  ASSERT_TRUE(out.config);
  const auto& certificate = out.config->traffic.listeners[0].tls->certificates[0];
  EXPECT_EQ(certificate.certificate, "etc/equinox/a.crt");
  EXPECT_EQ(certificate.key, "/k/a.key");
}

TEST(Config, AFlagWinsOverTheFile) {
  ConfigFlags flags;
  flags.values = {{"timeouts.idle", "5s", "--idle-timeout"}};
  const ApplianceConfig config = load(R"({"timeouts": {"idle": "90s", "body": "91s"}})", flags);
  EXPECT_EQ(config.traffic.timeouts.idle, 5s);
  EXPECT_EQ(config.settings.origin("timeouts.idle"), "--idle-timeout");
  EXPECT_EQ(config.traffic.timeouts.body, 91s);
}

TEST(Config, ListenReplacesTheCleartextListenersOnly) {
  ConfigFlags flags;
  flags.listen = {"127.0.0.1:1", "127.0.0.1:2"};
  const ApplianceConfig config = load(
      R"({"listeners": [{"address": ":80"}, {"address": ":443", "tls": {"self_signed": true}}, {"address": ":81", "name": "b"}]})",
      flags);
  ASSERT_EQ(config.traffic.listeners.size(), 3u);
  EXPECT_EQ(config.traffic.listeners[0].address, ":443");
  EXPECT_EQ(config.traffic.listeners[1].address, "127.0.0.1:1");
  EXPECT_EQ(config.traffic.listeners[2].address, "127.0.0.1:2");
  EXPECT_EQ(config.traffic.listeners[2].name, "http-2");
}

TEST(Config, ListenReplacesTheOnlyListenerToo) {
  ConfigFlags flags;
  flags.listen = {"127.0.0.1:1"};
  const ApplianceConfig config = load(R"({"listeners": [{"address": ":80"}]})", flags);
  ASSERT_EQ(config.traffic.listeners.size(), 1u);
  EXPECT_EQ(config.traffic.listeners[0].address, "127.0.0.1:1");
}

TEST(Config, TlsListenReplacesTheTlsListenersOnly) {
  ConfigFlags flags;
  flags.tls_listen = "127.0.0.1:1";
  flags.tls_self_signed = true;
  for (const char* name : {"https", "secure"}) {
    const ApplianceConfig config = load(std::string{R"({"listeners": [{"address": ":443", "name": ")"} + name +
                                            R"(", "tls": {"self_signed": true}}, {"address": ":80"}]})",
                                        flags);
    ASSERT_EQ(config.traffic.listeners.size(), 2u);
    EXPECT_EQ(config.traffic.listeners[0].address, ":80");
    EXPECT_EQ(config.traffic.listeners[1].address, "127.0.0.1:1");
    EXPECT_EQ(config.traffic.listeners[1].name, "https");
  }
  EXPECT_EQ(
      load(R"({"listeners": [{"address": ":443", "tls": {"self_signed": true}}]})", flags).traffic.listeners.size(),
      1u);
}

TEST(Config, ACertificateOfTheCommandLineIsForTheFilesTlsListeners) {
  ConfigFlags flags;
  flags.tls_certificate = "a.crt";
  flags.tls_key = "a.key";
  const LoadedConfig out = load_config(
      R"({"listeners": [{"address": ":80"}, {"address": ":443", "tls": {"self_signed": true, "min_version": "1.3"}},
          {"address": ":444", "name": "two", "tls": {"certificates": [
            {"certificate": "b.crt", "key": "b.key"}, {"name": "c", "certificate": "c.crt", "key": "c.key"}]}}]})",
      "etc/f.json", flags);
  ASSERT_TRUE(out.config);
  ASSERT_EQ(out.config->traffic.listeners.size(), 3u);
  for (const std::size_t i : {1u, 2u}) {
    const TlsConfig& tls = *out.config->traffic.listeners[i].tls;
    EXPECT_FALSE(tls.self_signed);
    ASSERT_EQ(tls.certificates.size(), 1u);
    EXPECT_EQ(tls.certificates[0].certificate, "a.crt") << "below the working folder";
    EXPECT_EQ(tls.certificates[0].key, "a.key");
  }
  EXPECT_EQ(out.config->traffic.listeners[1].tls->min_version, "1.3");
  EXPECT_EQ(out.config->settings.origin("listeners[1].tls.certificates[0].key"), "--tls-key");
}

TEST(Config, AKeyOfTheCommandLineLeavesTheCertificateOfTheFile) {
  ConfigFlags flags;
  flags.tls_key = "/run/key";
  const ApplianceConfig config = load(
      R"({"listeners": [{"address": ":443", "tls": {"certificates": [{"name": "a", "certificate": "/a.crt", "key": "/a.key"}]}}]})",
      flags);
  const auto& certificates = config.traffic.listeners[0].tls->certificates;
  ASSERT_EQ(certificates.size(), 1u);
  EXPECT_EQ(certificates[0].name, "a");
  EXPECT_EQ(certificates[0].certificate, "/a.crt");
  EXPECT_EQ(certificates[0].key, "/run/key");
}

TEST(Config, SelfSignedOnTheCommandLineReplacesTheFilesCertificates) {
  ConfigFlags flags;
  flags.tls_self_signed = true;
  const ApplianceConfig config = load(
      R"({"listeners": [{"address": ":443", "tls": {"certificates": [{"certificate": "/a.crt", "key": "/a.key"}]}}]})",
      flags);
  ASSERT_EQ(config.traffic.listeners.size(), 1u);
  EXPECT_TRUE(config.traffic.listeners[0].tls->self_signed);
  EXPECT_TRUE(config.traffic.listeners[0].tls->certificates.empty());
}

TEST(Config, ASelfSignedListenerNeedsNoFile) {
  ConfigFlags flags;
  flags.tls_listen = "127.0.0.1:0";
  flags.tls_self_signed = true;
  const ApplianceConfig config = load("{}", flags);
  ASSERT_EQ(config.traffic.listeners.size(), 2u);
  EXPECT_TRUE(config.traffic.listeners[1].tls->self_signed);
}

TEST(Config, AListenerIsAttributedToTheOptionThatMadeIt) {
  ConfigFlags flags;
  flags.tls_self_signed = true;
  const Settings self_signed = load_config_file("", flags).config->settings;
  EXPECT_EQ(self_signed.origin("listeners[1].tls"), "--tls-self-signed");
  EXPECT_EQ(self_signed.origin("listeners[1].address"), "default");
  flags.tls_listen = ":443";
  EXPECT_EQ(load_config_file("", flags).config->settings.origin("listeners[1].tls"), "--tls-listen");
}

TEST(Config, WhatWasLeftOutIsToldAsWell) {
  const Settings settings =
      load(R"({"listeners": [{"address": ":1"}, {"address": ":2", "tls": {"self_signed": true}}]})").settings;
  EXPECT_THAT(settings.ordered_paths(), testing::IsSupersetOf({"listeners[0].name", "trusted_proxies", "admin.hosts"}));
  EXPECT_EQ(settings.text("listeners[0].name"), "http");
  EXPECT_EQ(settings.text("listeners[1].name"), "https");
  EXPECT_EQ(settings.origin("listeners[0].name"), "by its scheme (default)");
  EXPECT_EQ(to_text(settings.all().find("trusted_proxies")->second), "[]");
}

TEST(Config, RootPutsAStaticSiteAtTheEnd) {
  ConfigFlags flags;
  flags.root = "www";
  ApplianceConfig config = load("{}", flags);
  ASSERT_EQ(config.routes.size(), 2u);
  EXPECT_EQ(config.routes[1].path, "/*");
  EXPECT_EQ(config.routes[1].static_root, "www");
  config = load(R"({"routes": [{"path": "/a", "echo": {}}, {"path": "/*", "static": {"root": "/other"}}]})", flags);
  ASSERT_EQ(config.routes.size(), 2u);
  EXPECT_EQ(config.routes[0].path, "/a");
  EXPECT_EQ(config.routes[1].static_root, "www");
}

TEST(Config, ASurfaceCanBeOff) {
  const ApplianceConfig config = load(R"({"ops": {"address": "off"}, "admin": {"address": "off"}})");
  EXPECT_FALSE(config.ops.is_on);
  EXPECT_FALSE(config.admin.is_on);
}

TEST(Config, TellsWhatAReloadMayChange) {
  const ApplianceConfig before =
      load(R"({"reactors": 1, "timeouts": {"idle": "5s"}, "routes": [{"path": "/a", "echo": {}}]})");
  const ApplianceConfig after = load(R"({"reactors": 2, "timeouts": {"idle": "6s"}, "routes": []})");
  const ConfigChange change = compare(before.settings, after.settings);
  EXPECT_EQ(change.restart, (std::vector<std::string>{"reactors"}));
  EXPECT_THAT(change.live, testing::Contains("timeouts.idle"));
  EXPECT_THAT(change.live, testing::Contains("routes"));
  EXPECT_TRUE(compare(before.settings, before.settings).live.empty());
}

TEST(Config, AListenersTlsReloadsButComesAndGoesWithARestartOnly) {
  const auto with = [](const std::string& members) {
    return load(R"({"listeners": [{"name": "a", "address": ":1")" + members + "}]}");
  };
  const ApplianceConfig plain = with("");
  const ApplianceConfig encrypted = with(R"(, "tls": {"self_signed": true})");
  EXPECT_EQ(compare(plain.settings, encrypted.settings).restart, (std::vector<std::string>{"listeners[0].tls"}));
  EXPECT_EQ(compare(encrypted.settings, plain.settings).restart, (std::vector<std::string>{"listeners[0].tls"}));
  const ApplianceConfig newer = with(R"(, "tls": {"self_signed": true, "min_version": "1.3"})");
  const ConfigChange change = compare(encrypted.settings, newer.settings);
  EXPECT_TRUE(change.restart.empty());
  EXPECT_EQ(change.live, (std::vector<std::string>{"listeners[0].tls.min_version"}));
}

TEST(Config, NoRoutesAtAllAreNotThoseThatAreThereWhenNothingIsWritten) {
  EXPECT_EQ(load("{}").routes.size(), 2u);
  EXPECT_EQ(load(R"({"routes": []})").routes.size(), 0u);
}

TEST(Config, AGroupThatIsWrittenForTheFirstTimeIsNoChangeOfItsOwn) {
  const ApplianceConfig before = load("{}");
  EXPECT_TRUE(compare(before.settings, load(R"({"log": {}, "rings": {}})").settings).restart.empty());
  const ApplianceConfig louder = load(R"({"log": {"level": "debug"}})");
  EXPECT_EQ(compare(before.settings, louder.settings).live, (std::vector<std::string>{"log.level"}));
  EXPECT_TRUE(compare(before.settings, louder.settings).restart.empty());
  EXPECT_TRUE(compare(louder.settings, before.settings).restart.empty());
}

TEST(Config, EveryKeyOfTheTableHasAParentAndAReadableDefault) {
  for (const KeySpec& key : config_keys()) {
    const auto dot = key.path.rfind('.');
    if (dot != std::string_view::npos) {
      std::string_view parent = key.path.substr(0, dot);
      if (parent.ends_with("[]")) parent.remove_suffix(2);
      EXPECT_NE(find_key(parent), nullptr) << key.path;
    }
    EXPECT_FALSE(key.help.empty()) << key.path;
  }
}

}  // namespace
}  // namespace equinox::appliance
