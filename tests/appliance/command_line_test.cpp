#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "deploy/appliance/client/admin_client.hpp"
#include "deploy/appliance/client/wire.hpp"
#include "deploy/appliance/commands.hpp"
#include "deploy/appliance/options.hpp"
#include "deploy/appliance/site.hpp"
#include "handlers/temporary_folder.hpp"

namespace equinox::appliance {
namespace {

Options parse(std::vector<std::string> arguments) {
  Options options;
  const auto app = make_command_line(options);
  parse_command_line(*app, std::move(arguments));
  return options;
}

TEST(CommandLine, EveryOptionOfServeSetsItsKey) {
  const Options options = parse({"serve", "--config", "f.json", "--listen", ":1", "--listen", ":2", "--idle-timeout",
                                 "5s", "--reactors", "2", "--tls-self-signed", "--root", "www"});
  EXPECT_EQ(options.config_file, "f.json");
  EXPECT_EQ(options.flags.listen, (std::vector<std::string>{":1", ":2"}));
  ASSERT_EQ(options.flags.values.size(), 2u);
  // In the order of the keys, not of the command line.
  EXPECT_EQ(options.flags.values[0].path, "reactors");
  EXPECT_EQ(options.flags.values[0].origin, "--reactors");
  EXPECT_EQ(options.flags.values[1].path, "timeouts.idle");
  EXPECT_EQ(options.flags.values[1].origin, "--idle-timeout");
  EXPECT_TRUE(options.flags.tls_self_signed);
  EXPECT_EQ(options.flags.root, "www");
}

TEST(CommandLine, ServesWithoutACommandToo) {
  EXPECT_EQ(parse({"--listen", ":1"}).flags.listen, (std::vector<std::string>{":1"}));
}

std::string refusal(std::vector<std::string> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const CLI::ParseError& mistake) {
    return mistake.what();
  }
  return "";
}

TEST(CommandLine, TheAdminAddressMayStandInFrontOfACommandThatNeedsIt) {
  for (const char* command : {"conns", "why", "close", "top", "drain", "undrain"}) {
    EXPECT_EQ(parse({"--admin", "127.0.0.1:1", command}).admin.address, "127.0.0.1:1") << command;
    EXPECT_EQ(parse({"--admin", "127.0.0.1:1", command, "--admin", "127.0.0.1:2"}).admin.address, "127.0.0.1:2");
    for (const char* wrong : {"nonsense", "", "ftp://a", "127.0.0.1:0", "127.0.0.1:99999", "http://a/admin/"}) {
      EXPECT_THAT(refusal({command, "--admin", wrong}), testing::StartsWith("--admin: ")) << command << " " << wrong;
      EXPECT_THAT(refusal({"--admin", wrong, command}), testing::StartsWith("--admin: ")) << command << " " << wrong;
    }
  }
}

TEST(CommandLine, NoOptionOfServeIsSwallowedByAnotherCommand) {
  EXPECT_EQ(refusal({"--listen", ":1", "conns"}),
            "--listen: is an option of serve and check, not of conns; allowed is: equinox serve --listen");
  EXPECT_THAT(refusal({"--admin", "127.0.0.1:1", "probe", "http://a/"}), testing::StartsWith("--admin: "));
  EXPECT_THAT(refusal({"--tls-self-signed", "version"}), testing::StartsWith("--tls-self-signed: "));
  EXPECT_THAT(refusal({"--config", "f.json", "token", "--role", "viewer"}), testing::StartsWith("--config: "));
  EXPECT_EQ(parse({"--config", "f.json", "check"}).config_file, "f.json");
  EXPECT_EQ(parse({"--root", "www", "serve"}).flags.root, "www");
}

TEST(CommandLine, TheEnvironmentsConfigurationStopsNoCommand) {
  ::setenv("EQUINOX_CONFIG", "f.json", 1);
  EXPECT_EQ(refusal({"conns"}), "");
  ::unsetenv("EQUINOX_CONFIG");
}

std::string man_page() {
  std::ifstream file{EQUINOX_MAN_PAGE};
  std::stringstream text;
  text << file.rdbuf();
  std::string page = text.str();
  std::erase(page, '\\');  // "\\-\\-json"
  return page;
}

TEST(CommandLine, EveryOptionIsInTheManPage) {
  Options options;
  const auto app = make_command_line(options);
  const std::string page = man_page();
  ASSERT_FALSE(page.empty());
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    for (const CLI::Option* option : command->get_options()) {
      const std::string name = option->get_name();
      if (!name.starts_with("--") || name.starts_with("--help")) continue;
      EXPECT_THAT(page, testing::HasSubstr(name)) << command->get_name();
    }
  }
}

TEST(CommandLine, EveryFlagOfTheTableIsAnOption) {
  Options options;
  const auto app = make_command_line(options);
  const CLI::App* serve = app->get_subcommand("serve");
  for (const KeySpec& key : config_keys()) {
    if (key.flag.empty()) continue;
    EXPECT_NE(serve->get_option_no_throw(std::string{key.flag}), nullptr) << key.flag;
  }
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse({"serve", "--no-such-option"}), CLI::ParseError);
  EXPECT_THROW(parse({"conns", "--limit", "501"}), CLI::ParseError);
  EXPECT_THROW(parse({"token", "--role", "king"}), CLI::ParseError);
  EXPECT_TRUE(parse({"close", "--all"}).all);
}

TEST(CommandLine, AQueryMayBeSeveralWordsAndSomeOfThemNegated) {
  EXPECT_EQ(parse({"conns", "protocol:h2", "-state:idle", "idle>30s"}).query, "protocol:h2 -state:idle idle>30s");
  EXPECT_EQ(parse({"conns", "-state:idle"}).query, "-state:idle");
  EXPECT_EQ(parse({"why", "-idle>30s reason:drain", "--json"}).query, "-idle>30s reason:drain");
  EXPECT_TRUE(parse({"why", "-idle>30s", "--json"}).json);
  EXPECT_EQ(parse({"close", "10.1.2.3", "--rate", "5/s"}).query, "10.1.2.3");
  EXPECT_EQ(parse({"conns", "-State:idle"}).query, "-State:idle");
  EXPECT_THROW(parse({"conns", "-s"}), CLI::ParseError);
}

TEST(CommandLine, ANegatedWordWithoutAFieldStandsBehindTwoDashes) {
  EXPECT_EQ(parse({"conns", "--", "-idle"}).query, "-idle");
  EXPECT_EQ(parse({"conns", "protocol:h2 -idle"}).query, "protocol:h2 -idle");
  EXPECT_THAT(refusal({"close", "-idle"}), testing::EndsWith("as in: equinox close -- -idle"));
  EXPECT_THAT(refusal({"close", "-rate", "5/s"}), testing::HasSubstr("-rate")) << "a dash is missing";
  EXPECT_THAT(refusal({"conns", "--no-such-option"}), testing::Not(testing::HasSubstr("negated")));
}

TEST(CommandLine, AnEmptyNameIsNoName) {
  for (const char* option : {"--config", "--tls-listen", "--tls-cert", "--tls-key", "--root"}) {
    EXPECT_THAT(refusal({"serve", option, ""}), testing::StartsWith(std::string{option} + ": is empty, allowed is"));
    EXPECT_NE(refusal({option, "", "check"}), "") << option;
  }
  for (const char* option : {"--token-file", "--ca-file"}) {
    EXPECT_THAT(refusal({"conns", option, ""}), testing::StartsWith(std::string{option} + ": is empty"));
  }
  ::setenv("EQUINOX_CONFIG", "", 1);
  EXPECT_EQ(refusal({"serve"}), "") << "an empty variable is none, as everywhere";
  ::unsetenv("EQUINOX_CONFIG");
}

TEST(CommandLine, SecondsAreFinite) {
  for (const char* option : {"--timeout", "--wait"}) {
    for (const char* seconds : {"nan", "-nan", "inf", "-1", "1e9", "soon"}) {
      EXPECT_NE(refusal({"probe", "http://a/", option, seconds}), "") << option << " " << seconds;
    }
  }
  EXPECT_EQ(parse({"probe", "http://a/", "--timeout", "2.5"}).probe_timeout_s, 2.5);
}

TEST(CommandLine, AnAuthorityIsAHostAndMayNameAPort) {
  const auto parts = [](std::string_view text) {
    const Authority authority = split_authority(text);
    return std::pair{std::string{authority.host}, std::string{authority.port}};
  };
  using Parts = std::pair<std::string, std::string>;
  EXPECT_EQ(parts("a.example:80"), (Parts{"a.example", "80"}));
  EXPECT_EQ(parts("a.example"), (Parts{"a.example", ""}));
  EXPECT_EQ(parts("a.example:"), (Parts{"a.example", ""}));
  EXPECT_EQ(parts("[::1]:80"), (Parts{"::1", "80"}));
  EXPECT_EQ(parts("[::1]"), (Parts{"::1", ""}));
}

TEST(CommandLine, AdminAddressesComeInSeveralForms) {
  EXPECT_EQ(parse_origin("127.0.0.1:9181").base, "http://127.0.0.1:9181");
  EXPECT_EQ(parse_origin(":9181").base, "http://127.0.0.1:9181");
  EXPECT_EQ(parse_origin("https://a.example:1/x?y").base, "https://a.example:1");
  EXPECT_EQ(parse_origin("https://a.example:1/x?y").path, "/x?y");
  EXPECT_EQ(parse_origin("http://a").path, "/");
  EXPECT_EQ(parse_origin("HTTPS://A.example:1/X").base, "https://A.example:1");
  EXPECT_EQ(parse_origin("http://a:80?x=1").base, "http://a:80");
  EXPECT_EQ(parse_origin("http://a:80?x=1").path, "/?x=1");
  EXPECT_EQ(parse_origin("http://a/b?c=d#e/f").path, "/b?c=d");
  EXPECT_EQ(parse_origin("http://a:80#b").path, "/");
  EXPECT_EQ(parse_origin("a:80/b?u=http://c/").path, "/b?u=http://c/");
  EXPECT_EQ(parse_origin("[::1]:65535").base, "http://[::1]:65535");
  EXPECT_EQ(parse_origin("http://[::1]/").base, "http://[::1]");
  for (const char* port : {"0", "65536", "99999", "-1", "80x", "99999999999999999999"}) {
    EXPECT_THROW(parse_origin(std::string{"127.0.0.1:"} + port), std::runtime_error) << port;
    EXPECT_THROW(parse_origin(std::string{"https://a:"} + port + "/x"), std::runtime_error) << port;
  }
  EXPECT_THROW(parse_origin("http://?x"), std::runtime_error);
  EXPECT_THROW(parse_origin("ftp://a"), std::runtime_error);
  EXPECT_THROW(parse_origin("nowhere"), std::runtime_error);
}

TEST(Site, ARouteThatIsNeverReachedIsNamed) {
  const LoadedConfig loaded =
      load_config(R"({"routes": [{"path": "/*", "echo": {}}, {"path": "/a", "status": {}}]})", "f.json", {});
  ASSERT_TRUE(loaded.config);
  const auto problems = check_site(*loaded.config);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].origin, "f.json:1:50");
  EXPECT_EQ(problems[0].key, "routes[1].path");
}

TEST(Site, WhatNeedsNoFileIsToldWithoutAny) {
  const LoadedConfig loaded = load_config(
      R"({"listeners": [{"address": ":0", "tls": {"certificates": [{"certificate": "missing", "key": "missing"}]}}],
          "routes": [{"path": "/*", "echo": {}}, {"path": "/a", "status": {}}]})",
      "f.json", {});
  ASSERT_TRUE(loaded.config);
  const auto problems = check_rules(*loaded.config);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].key, "routes[1].path");
}

TEST(Site, ACertificateThatIsNoneIsNamed) {
  const TemporaryFolder folder;
  folder.write("a.crt", "no certificate");
  folder.write("a.key", "no key");
  const LoadedConfig loaded = load_config(
      R"({"listeners": [{"address": ":0", "tls": {"certificates": [{"certificate": "a.crt", "key": "a.key"}]}}]})",
      (folder.path() / "f.json").string(), {});
  ASSERT_TRUE(loaded.config);
  EXPECT_TRUE(check_files(*loaded.config).empty());
  const auto problems = check_site(*loaded.config);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].origin, testing::EndsWith("f.json:1:75"));
  EXPECT_EQ(problems[0].key, "listeners[0].tls.certificates[0].certificate");
  EXPECT_EQ(problems[0].message, "certificate \"main\": " + (folder.path() / "a.crt").string() +
                                     ": no start line; allowed is a PEM file, the leaf first, then its chain");
}

TEST(Site, EveryTlsBlockIsLookedAtAdminsToo) {
  const LoadedConfig loaded = load_config(
      "{\"listeners\": [{\"address\": \":0\", \"tls\": {\"self_signed\": true, \"ciphers\": \"NONE\"}}],\n"
      "\"admin\": {\"tls\": {\"self_signed\": true, \"ciphers\": \"NEITHER\"}}}",
      "f.json", {});
  ASSERT_TRUE(loaded.config);
  const auto problems = check_site(*loaded.config);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].to_string(),
            "f.json:1:74: listeners[0].tls.ciphers: cipher list \"NONE\": no cipher match; allowed is a list in "
            "OpenSSL's syntax such as \"ECDHE+AESGCM\", or none");
  EXPECT_EQ(problems[1].origin, "f.json:2:51");
  EXPECT_EQ(problems[1].key, "admin.tls.ciphers");
}

TEST(Site, ServesEachConfiguredRoute) {
  const LoadedConfig loaded = load_config(
      R"({"routes": [{"path": "/a", "name": "first", "respond": {"code": 204}}, {"path": "/b", "methods": ["PUT"], "echo": {}}]})",
      "f.json", {});
  ASSERT_TRUE(loaded.config);
  const auto entries = make_site(*loaded.config, {}).entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].options.name, "first");
  EXPECT_TRUE(entries[0].methods.empty());
  EXPECT_EQ(entries[1].methods, (std::vector<Method>{Method::put}));
}

}  // namespace
}  // namespace equinox::appliance
