#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "deploy/appliance/config.hpp"
#include "handlers/temporary_folder.hpp"

namespace equinox::appliance {
namespace {

struct WrongConfig {
  const char* name;
  const char* text;
  const char* message;  ///< whole, as printed
};

std::string all_messages(const std::vector<ConfigProblem>& problems) {
  std::string out;
  for (const auto& problem : problems) out += (out.empty() ? "" : "\n") + problem.to_string();
  return out;
}

class WrongConfigs : public testing::TestWithParam<WrongConfig> {};

TEST_P(WrongConfigs, AreRefusedWithPlaceReasonAndRemedy) {
  const LoadedConfig out = load_config(GetParam().text, "f.json", {});
  EXPECT_FALSE(out.config);
  EXPECT_EQ(all_messages(out.problems), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongConfigs,
    testing::Values(
        WrongConfig{"NotAnObject", "[]", "f.json:1:1: the configuration is a list, allowed is an object"},
        WrongConfig{"UnknownKey", R"({"timeout": {}})", "f.json:1:2: timeout: unknown key; did you mean \"timeouts\"?"},
        WrongConfig{"UnknownInner", R"({"limits": {"conections": 1}})",
                    "f.json:1:13: limits.conections: unknown key; did you mean \"connections\"?"},
        WrongConfig{"UnknownFar", R"({"drain": {"xyzzy": 1}})",
                    "f.json:1:12: drain.xyzzy: unknown key; allowed here: delay, timeout"},
        WrongConfig{"UnknownBelowNothing", R"({"routes": [{"path": "/", "echo": {"a": 1}}]})",
                    "f.json:1:36: routes[0].echo.a: unknown key; no key is allowed here"},
        WrongConfig{"Twice", "{\"reactors\": 1,\n\"reactors\": 2}",
                    "f.json:2:1: reactors: given twice, first on line 1; a key may be given once"},
        WrongConfig{"TwiceInside", R"({"timeouts": {"idle": "1s", "idle": "2s"}})",
                    "f.json:1:29: timeouts.idle: given twice, first on line 1; a key may be given once"},
        WrongConfig{"TwiceInAList",
                    R"({"routes": [{"path": "/", "status": {}}, {"echo": {}, "path": "/a", "echo": {}}]})",
                    "f.json:1:69: routes[1].echo: given twice, first on line 1; a key may be given once"},
        WrongConfig{"IntegerBeyond64Bits", R"({"limits": {"fields": 99999999999999999999}})",
                    "f.json:1:23: limits.fields: is a whole number beyond 64 bits, allowed is a whole number from 8 to "
                    "1000"},
        WrongConfig{"NameOnTwoLines", R"({"listeners": [{"address": ":1", "name": "a\nb"}]})",
                    "f.json:1:42: listeners[0].name: \"a\\nb\" is no name, allowed are 1 to 32 of a-z 0-9 _ -"},
        WrongConfig{"ZeroOutOfBounds", R"({"timeouts": {"idle": 0}})",
                    "f.json:1:23: timeouts.idle: \"0\" is out of bounds, allowed is a duration from 100ms to 24h"},
        WrongConfig{
            "DurationWithoutUnit", R"({"timeouts": {"idle": "60"}})",
            "f.json:1:23: timeouts.idle: \"60\" is no duration, allowed is a duration such as \"250ms\", \"30s\", "
            "\"5m\" or \"2h\" from 100ms to 24h"},
        WrongConfig{"DurationAsNumber", R"({"timeouts": {"idle": 60}})",
                    "f.json:1:23: timeouts.idle: is a whole number without a unit, allowed is a duration such as "
                    "\"250ms\", \"30s\", \"5m\" or \"2h\" from 100ms to 24h"},
        WrongConfig{"DurationOutOfBounds", R"({"timeouts": {"idle": "25h"}})",
                    "f.json:1:23: timeouts.idle: \"25h\" is out of bounds, allowed is a duration from 100ms to 24h"},
        WrongConfig{
            "PingsAtOnce", R"({"timeouts": {"ping_after": "500ms"}})",
            "f.json:1:29: timeouts.ping_after: \"500ms\" is out of bounds, allowed is a duration from 1s to 24h, "
            "or 0"},
        WrongConfig{"AgeOfNothing", R"({"timeouts": {"max_age": 0.001}})",
                    "f.json:1:26: timeouts.max_age: is a number with a fraction without a unit, allowed is a duration "
                    "such as \"250ms\", \"30s\", \"5m\" or \"2h\" from 1s to 720h, or 0"},
        WrongConfig{
            "SizeWithWrongUnit", R"({"limits": {"request_head": "64KB"}})",
            "f.json:1:29: limits.request_head: \"64KB\" is no size, allowed is a number of bytes or a size such as "
            "\"64k\", \"16M\" or \"2G\" from 1k to 1M"},
        WrongConfig{"SizeNegative", R"({"limits": {"request_head": -1}})",
                    "f.json:1:29: limits.request_head: -1 is no size, allowed is a number of bytes or a size such as "
                    "\"64k\", \"16M\" or \"2G\" from 1k to 1M"},
        WrongConfig{"SizeOutOfBounds", R"({"limits": {"request_head": "2M"}})",
                    "f.json:1:29: limits.request_head: \"2M\" is out of bounds, allowed is a size from 1k to 1M"},
        WrongConfig{"IntegerOutOfBounds", R"({"reactors": 256})",
                    "f.json:1:14: reactors: 256 is out of bounds, allowed is a whole number from 1 to 255 or \"auto\""},
        WrongConfig{"IntegerAsText", R"({"reactors": "many"})",
                    "f.json:1:14: reactors: is \"many\", allowed is a whole number from 1 to 255 or \"auto\""},
        WrongConfig{
            "IntegerWithFraction", R"({"limits": {"fields": 10.5}})",
            "f.json:1:23: limits.fields: is a number with a fraction, allowed is a whole number from 8 to 1000"},
        WrongConfig{
            "Choice", R"({"log": {"level": "loud"}})",
            "f.json:1:19: log.level: \"loud\" is not known, allowed is \"debug\", \"info\", \"warn\", \"warning\", "
            "\"error\" or \"off\""},
        WrongConfig{"Boolean", R"({"request_ids": "yes"})",
                    "f.json:1:17: request_ids: is a string, allowed is true or false"},
        WrongConfig{"Object", R"({"limits": 3})", "f.json:1:12: limits: is a whole number, allowed is an object"},
        WrongConfig{"List", R"({"listeners": {}})",
                    "f.json:1:15: listeners: is an object, allowed is a list of objects"},
        WrongConfig{"NoListener", R"({"listeners": []})", "f.json:1:15: listeners: has 0 items, allowed are 1 to 64"},
        WrongConfig{"Address", R"({"listeners": [{"address": "localhost:80"}]})",
                    "f.json:1:28: listeners[0].address: \"localhost:80\" is no address, allowed is \"1.2.3.4:80\", "
                    "\"[::1]:80\" or \":80\""},
        WrongConfig{"AddressMissing", R"({"listeners": [{"name": "a"}]})",
                    "f.json:1:16: listeners[0].address: is missing; it is required here"},
        WrongConfig{"SameName", R"({"listeners": [{"address": ":1"}, {"address": ":2"}]})",
                    "f.json:1:35: listeners[1].name: \"http\" is already the name of listeners[0]; allowed are "
                    "different names"},
        WrongConfig{
            "SameAddress", R"({"listeners": [{"address": "127.0.0.1:9180"}]})",
            "f.json:1:28: listeners[0].address: \"127.0.0.1:9180\" is also the address of ops.address; allowed are "
            "different addresses"},
        WrongConfig{
            "OverlappingAddress", R"({"listeners": [{"address": ":1"}, {"address": "[::]:1", "name": "b"}]})",
            "f.json:1:47: listeners[1].address: \"[::]:1\" and \":1\" of listeners[0].address are one address and port "
            "to the kernel; allowed is another port, or hosts of which none holds the other"},
        WrongConfig{
            "AddressHoldsASurface", R"({"listeners": [{"address": "0.0.0.0:9180"}]})",
            "f.json:1:28: listeners[0].address: \"0.0.0.0:9180\" and \"127.0.0.1:9180\" of ops.address are one address "
            "and port to the kernel; allowed is another port, or hosts of which none holds the other"},
        WrongConfig{"ReservedName", R"({"listeners": [{"address": ":1", "name": "admin"}]})",
                    "f.json:1:42: listeners[0].name: \"admin\" is the name of a surface; allowed is another"},
        WrongConfig{
            "TlsWithoutCertificate", R"({"listeners": [{"address": ":1", "tls": {}}]})",
            "f.json:1:41: listeners[0].tls: has no certificate; give \"certificates\" or set \"self_signed\" to true"},
        WrongConfig{"Network", R"({"trusted_proxies": ["10.0.0.0/40"]})",
                    "f.json:1:22: trusted_proxies[0]: \"10.0.0.0/40\" is no network, allowed is \"10.0.0.0/8\", "
                    "\"2001:db8::/32\" or one address"},
        WrongConfig{"NetworkWithHostBits", R"({"trusted_proxies": ["10.0.0.1/8"]})",
                    "f.json:1:22: trusted_proxies[0]: \"10.0.0.1/8\" is no network, allowed is \"10.0.0.0/8\", "
                    "\"2001:db8::/32\" or one address"},
        WrongConfig{"NulInAList", R"({"admin": {"hosts": ["a\u0000b"]}})",
                    "f.json:1:22: admin.hosts[0]: holds a NUL, allowed is text without it"},
        WrongConfig{"NulInAMap", R"({"routes": [{"path": "/", "echo": {}, "headers": {"X-A": "a\u0000b"}}]})",
                    "f.json:1:58: routes[0].headers.X-A: holds a NUL, allowed is text without it"},
        WrongConfig{"AdminHostWithPort", R"({"admin": {"hosts": ["dash.example:443"]}})",
                    "f.json:1:21: admin.hosts: \"dash.example:443\" can never match; allowed is a name or address "
                    "without port, \"*.name\", or \"*\" for every host"},
        WrongConfig{
            "OpenAdmin", R"({"admin": {"address": "0.0.0.0:9181"}})",
            "f.json:1:23: admin.address: \"0.0.0.0:9181\" is not a loopback address and there are no tokens; allowed "
            "is 127.0.0.1 or [::1], or \"tokens_file\" with a line made by: equinox token --role viewer --name NAME"},
        WrongConfig{
            "OpenAdminInTheClear", R"({"admin": {"address": ":9181", "tokens_file": "t"}})",
            "f.json:1:23: admin.address: \":9181\" is not a loopback address and tokens would travel in the clear; "
            "allowed is \"tls\", or \"cleartext\": true when something in front encrypts"},
        WrongConfig{
            "NoHandler", R"({"routes": [{"path": "/"}]})",
            "f.json:1:13: routes[0]: has no handler; allowed is one of status, redirect, respond, static, echo, "
            "metrics, health, welcome"},
        WrongConfig{"TwoHandlers", R"({"routes": [{"path": "/", "echo": {}, "status": {}}]})",
                    "f.json:1:13: routes[0]: has the handlers status and echo; allowed is one"},
        WrongConfig{"RelativePath", R"({"routes": [{"path": "a", "echo": {}}]})",
                    "f.json:1:22: routes[0].path: \"a\" does not begin with \"/\"; allowed is \"/…\""},
        WrongConfig{"StarInside", R"({"routes": [{"path": "/a*/b", "echo": {}}]})",
                    "f.json:1:22: routes[0].path: \"/a*/b\" has a \"*\" elsewhere than as its last segment; allowed is "
                    "\"/…/*\""},
        WrongConfig{
            "SameRoute", R"({"routes": [{"path": "/a", "echo": {}}, {"path": "/a", "status": {}}]})",
            "f.json:1:50: routes[1].path: \"/a\" is already routed by routes[0]; allowed is one route for the same "
            "path, host, listener and methods"},
        WrongConfig{"HostWithPort", R"({"routes": [{"path": "/a", "host": "a.example:80", "echo": {}}]})",
                    "f.json:1:36: routes[0].host: \"a.example:80\" is no host; allowed is a name or address without "
                    "port, or \"*.name\""},
        WrongConfig{"HostOfAnything", R"({"routes": [{"path": "/a", "host": "*", "echo": {}}]})",
                    "f.json:1:36: routes[0].host: \"*\" is no host; allowed is a name or address without port, or "
                    "\"*.name\""},
        WrongConfig{"HostOfNoName", R"({"routes": [{"path": "/a", "host": ".", "echo": {}}]})",
                    "f.json:1:36: routes[0].host: \".\" is no host; allowed is a name or address without port, or "
                    "\"*.name\""},
        WrongConfig{"HostBelowNoName", R"({"routes": [{"path": "/a", "host": "*..", "echo": {}}]})",
                    "f.json:1:36: routes[0].host: \"*..\" is no host; allowed is a name or address without port, or "
                    "\"*.name\""},
        WrongConfig{"NameOfTheMetrics", R"({"routes": [{"path": "/a", "name": "_unmatched", "echo": {}}]})",
                    "f.json:1:36: routes[0].name: \"_unmatched\" begins with \"_\", as the server's own do in metrics "
                    "(_unmatched, _other); allowed is another name"},
        WrongConfig{
            "Method", R"({"routes": [{"path": "/a", "methods": ["FETCH"], "echo": {}}]})",
            "f.json:1:39: routes[0].methods: \"FETCH\" is no method served here, allowed are GET, HEAD, POST, PUT, "
            "DELETE, OPTIONS, TRACE, PATCH"},
        WrongConfig{"RouteListener", R"({"routes": [{"path": "/a", "listener": "https", "echo": {}}]})",
                    "f.json:1:40: routes[0].listener: \"https\" is no listener, allowed: http"},
        WrongConfig{
            "OwnField", R"({"routes": [{"path": "/a", "headers": {"Content-Length": "1"}, "echo": {}}]})",
            "f.json:1:39: routes[0].headers: \"Content-Length\" is set by the server itself; allowed are other fields"},
        WrongConfig{"FieldOfTheHandler",
                    R"({"routes": [{"path": "/a", "headers": {"location": "/c"}, "redirect": {"to": "/b"}}]})",
                    "f.json:1:39: routes[0].headers: \"location\" is set by \"redirect\" itself, and an answer has it "
                    "once; allowed are other fields"},
        WrongConfig{"FieldOfRequestIds",
                    R"({"routes": [{"path": "/a", "headers": {"X-Request-ID": "1"}, "echo": {}}]})",
                    "f.json:1:39: routes[0].headers: \"X-Request-ID\" is set by \"request_ids\" itself, and an answer "
                    "has it once; allowed are other fields"},
        WrongConfig{
            "SplitField", R"({"routes": [{"path": "/a", "headers": {"X": "a\r\nb: c"}, "echo": {}}]})",
            "f.json:1:39: routes[0].headers: \"X\" has a value with control characters; allowed is text on one line"},
        WrongConfig{"Placeholder", R"({"routes": [{"path": "/a", "redirect": {"to": "/b/{rest}"}}]})",
                    "f.json:1:47: routes[0].redirect.to: \"{rest}\" is not known here, allowed are {host}, "
                    "{authority}, {path}, "
                    "{query}, {rest} behind a \"*\" and parameters of the path"},
        WrongConfig{"PlaceholderBehindAHost",
                    R"({"routes": [{"path": "/a/*", "redirect": {"to": "https://a.example{rest}"}}]})",
                    "f.json:1:49: routes[0].redirect.to: \"{rest}\" could name any host here; allowed is it behind a "
                    "\"/\", as in \"https://{host}/{rest}\" or \"/{rest}\""},
        WrongConfig{"RedirectCode", R"({"routes": [{"path": "/a", "redirect": {"to": "/b", "code": 304}}]})",
                    "f.json:1:61: routes[0].redirect.code: 304 is no redirect, allowed are 301, 302, 303, 307 and 308"},
        WrongConfig{
            "BlankBehindHeader", R"({"routes": [{"path": "/", "echo": {}, "headers": {"X": "a "}}]})",
            "f.json:1:50: routes[0].headers: \"X\" has a value that begins or ends with a blank; allowed is text "
            "without blanks around it"},
        WrongConfig{"BlankBeforeContentType", R"({"routes": [{"path": "/", "respond": {"content_type": "\ta/b"}}]})",
                    "f.json:1:55: routes[0].respond.content_type: begins or ends with a blank; allowed is text without "
                    "blanks around it"},
        WrongConfig{"BlankAsCacheControl",
                    R"({"routes": [{"path": "/", "static": {"root": "r", "cache_control": " "}}]})",
                    "f.json:1:68: routes[0].static.cache_control: begins or ends with a blank; allowed is text without "
                    "blanks around it"},
        WrongConfig{"BlankAroundServerField", R"({"server_field": " a"})",
                    "f.json:1:18: server_field: begins or ends with a blank; allowed is text without blanks around it"},
        WrongConfig{"TabInRedirect", R"({"routes": [{"path": "/", "redirect": {"to": "/a\t"}}]})",
                    "f.json:1:46: routes[0].redirect.to: is no target; allowed is a URL or path without blanks and "
                    "control characters"},
        WrongConfig{"SplitServerField", R"({"server_field": "a\r\nb: c"})",
                    "f.json:1:18: server_field: holds control characters; allowed is text on one line, or none"},
        WrongConfig{"FallbackOutside",
                    R"({"routes": [{"path": "/*", "static": {"root": "/srv", "fallback": "../c.json"}}]})",
                    "f.json:1:67: routes[0].static.fallback: \"../c.json\" can never be sent; allowed is a file below "
                    "\"root\", without \"/\" in front and without \"..\""},
        WrongConfig{"StaticWithPost",
                    R"({"routes": [{"path": "/*", "methods": ["GET", "POST"], "static": {"root": "/srv"}}]})",
                    "f.json:1:39: routes[0].methods: \"POST\" is not for files, allowed are GET and HEAD"},
        WrongConfig{"LogWithoutName", R"({"log": {"access": ""}})",
                    "f.json:1:20: log.access: is empty; allowed is \"off\", \"-\" or a file"},
        WrongConfig{"ServerLogWithoutName", R"({"log": {"target": ""}})",
                    "f.json:1:20: log.target: is empty; allowed is \"stdout\", \"stderr\", \"off\" or a file"},
        WrongConfig{
            "TargetAboveHead", R"({"limits": {"request_head": "4k"}})",
            "f.json:1:29: limits.request_head: a request target (8k) may not be longer than the whole head (4k); "
            "allowed is a limits.request_target of at most limits.request_head"},
        WrongConfig{"TwoMistakes", "{\"reactors\": 0,\n \"log\": {\"format\": \"xml\"}}",
                    "f.json:1:14: reactors: 0 is out of bounds, allowed is a whole number from 1 to 255 or \"auto\"\n"
                    "f.json:2:20: log.format: \"xml\" is not known, allowed is \"auto\", \"text\" or \"json\""}),
    [](const auto& test) { return std::string{test.param.name}; });

/// Of a route with `count` fields of 8192 bytes each and one of `last` bytes.
std::string problems_of_fields(std::size_t count, std::size_t last) {
  std::string fields;
  for (std::size_t i = 0; i < count; ++i) fields += fmt::format(R"("X-{}": "{}", )", i, std::string(8192, 'x'));
  fields += R"("X-L": ")" + std::string(last, 'x') + '"';
  const std::string text = R"({"routes": [{"path": "/", "headers": {)" + fields + R"(}, "echo": {}}]})";
  return all_messages(load_config(text, "f.json", {}).problems);
}

TEST(RouteFields, AreNoMoreThanPeersTake) {
  EXPECT_EQ(problems_of_fields(0, 8192), "");
  EXPECT_EQ(problems_of_fields(0, 70'000),
            "f.json:1:38: routes[0].headers: \"X-L\": 70000 bytes are more than clients take in one field; allowed are "
            "8192 at most\n"
            "f.json:1:38: routes[0].headers: the fields of this route are 70035 bytes, 32 beside each name and value; "
            "allowed are 32768 at most in one answer");
  constexpr std::size_t kLeft = 32'768 - 3 * (8192 + 35) - 35;
  EXPECT_EQ(problems_of_fields(3, kLeft), "");
  EXPECT_EQ(problems_of_fields(3, kLeft + 1),
            "f.json:1:38: routes[0].headers: the fields of this route are 32769 bytes, 32 beside each name and value; "
            "allowed are 32768 at most in one answer");
}

TEST(RouteFields, AreNotThoseTheHandlerSets) {
  const auto problems = [](const std::string& name, const std::string& handler, const std::string& more = {}) {
    const std::string text =
        R"({"routes": [{"path": "/*", "headers": {")" + name + R"(": "x"}, )" + handler + "}]" + more + "}";
    return all_messages(load_config(text, "f.json", {}).problems);
  };
  const std::string files = R"("static": {"root": "r"})";
  const std::string fixed = R"("respond": {})";
  const std::string elsewhere = R"("redirect": {"to": "/b"})";
  for (const char* name :
       {"ETag", "etag", "Last-Modified", "Accept-Ranges", "Content-Range", "Content-Encoding", "Allow", "Location"}) {
    EXPECT_THAT(problems(name, files), testing::HasSubstr("is set by \"static\" itself")) << name;
    EXPECT_EQ(problems(name, fixed), "") << name << ", of an answer that is known";
  }
  EXPECT_EQ(problems("Location", fixed), "");
  EXPECT_EQ(problems("ETag", elsewhere), "");
  EXPECT_THAT(problems("Cache-Control", R"("status": {})"), testing::HasSubstr("is set by \"status\" itself"));
  for (const char* name : {"Vary", "Cache-Control", "X-Content-Type-Options", "Strict-Transport-Security"}) {
    EXPECT_EQ(problems(name, files), "") << name;
    EXPECT_EQ(problems(name, elsewhere), "") << name;
  }
  EXPECT_EQ(problems("X-Request-Id", fixed, R"(, "request_ids": false)"), "");
  EXPECT_THAT(problems("Server", fixed), testing::HasSubstr("is set by \"server_field\" itself"));
  EXPECT_EQ(problems("Server", fixed, R"(, "server_field": "")"), "");
}

TEST(WrongFlags, AreNamedByTheirFlag) {
  ConfigFlags flags;
  flags.values = {{"timeouts.idle", "60", "--idle-timeout"}};
  flags.listen = {"80"};
  const LoadedConfig out = load_config_file("", flags);
  EXPECT_EQ(all_messages(out.problems),
            "--idle-timeout: timeouts.idle: \"60\" is no duration, allowed is a duration such as \"250ms\", \"30s\", "
            "\"5m\" or "
            "\"2h\" from 100ms to 24h\n"
            "--listen: listeners[0].address: \"80\" is no address, allowed is \"1.2.3.4:80\", \"[::1]:80\" or \":80\"");
}

TEST(WrongFlags, ATlsListenerWithoutACertificateNamesTheFlagsForOne) {
  ConfigFlags flags;
  flags.tls_listen = ":19444";
  EXPECT_EQ(all_messages(load_config_file("", flags).problems),
            "--tls-listen: listeners[1].tls: has no certificate; give --tls-cert FILE and --tls-key FILE, or "
            "--tls-self-signed");
  flags.tls_certificate = "a.crt";
  flags.tls_key = "a.key";
  flags.tls_self_signed = true;
  EXPECT_EQ(all_messages(load_config_file("", flags).problems),
            "--tls-self-signed: listeners[1].tls.self_signed: excludes --tls-cert and --tls-key; allowed is one of the "
            "two");
}

TEST(WholeNumbers, MayBeWrittenWithAFractionOfZero) {
  const LoadedConfig out = load_config(
      R"({"reactors": 2.0, "limits": {"fields": 1e2, "request_body": 1024.0}, "timeouts": {"max_age": 0.0}})", "f.json",
      {});
  ASSERT_TRUE(out.config) << all_messages(out.problems);
  EXPECT_EQ(out.config->traffic.reactors, 2u);
  EXPECT_EQ(out.config->traffic.limits.fields, 100u);
  EXPECT_EQ(out.config->traffic.limits.request_body, 1024u);
  EXPECT_EQ(all_messages(load_config(R"({"reactors": 1e300})", "f.json", {}).problems),
            "f.json:1:14: reactors: is a number with a fraction, allowed is a whole number from 1 to 255 or \"auto\"");
}

TEST(Durations, OfZeroNeedNoUnit) {
  const LoadedConfig out = load_config(R"({"timeouts": {"max_age": 0, "linger": "0"}})", "f.json", {});
  ASSERT_TRUE(out.config) << all_messages(out.problems);
  EXPECT_EQ(out.config->traffic.timeouts.max_age.count(), 0);
  EXPECT_EQ(out.config->traffic.timeouts.linger.count(), 0);
}

TEST(WrongFlags, ACertificateNeedsItsKey) {
  ConfigFlags flags;
  flags.tls_listen = ":443";
  flags.tls_certificate = "a.crt";
  EXPECT_EQ(all_messages(load_config_file("", flags).problems),
            "--tls-cert: listeners[1].tls.certificates[0].key: is missing; it is required here");
}

TEST(WrongFlags, ACertificateNeedsAListenerWithTls) {
  ConfigFlags flags;
  flags.tls_certificate = "a.crt";
  flags.tls_key = "a.key";
  EXPECT_EQ(
      all_messages(load_config(R"({"listeners": [{"address": ":80"}]})", "f.json", flags).problems),
      "--tls-cert: listeners: no listener of the file has \"tls\" that --tls-cert and --tls-key could be meant for; "
      "allowed is --tls-listen ADDR, or a listener with \"tls\"");
}

TEST(MissingFiles, AreNamedWithTheirReason) {
  EXPECT_EQ(all_messages(load_config_file("/nonexistent/f.json", {}).problems),
            "/nonexistent/f.json: the configuration cannot be read: No such file or directory");
  const LoadedConfig out =
      load_config(R"({"routes": [{"path": "/*", "static": {"root": "/nonexistent"}}]})", "f.json", {});
  ASSERT_TRUE(out.config);
  EXPECT_EQ(
      all_messages(check_files(*out.config)),
      "f.json:1:47: routes[0].static.root: \"/nonexistent\": No such file or directory; allowed is a folder that is "
      "there");
}

TEST(TokensFile, ThatCannotBeUsedHasPlacesOfItsOwn) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "t.json").string();
  const auto problems = [&](const std::string& text) {
    std::ofstream{file} << text;
    const LoadedConfig out = load_config(R"({"admin": {"tokens_file": ")" + file + R"("}})", "f.json", {});
    return out.config ? all_messages(check_tokens(*out.config)) : all_messages(out.problems);
  };
  const std::string hash(64, 'a');
  EXPECT_EQ(problems(R"({"tokens": [{"name": "a", "role": "viewer", "sha256": ")" + hash + R"("}]})"), "");
  EXPECT_EQ(problems("{\"tokens\": [\n{\"role\": \"root\", \"sha256\": \"" + hash + "\"}]}"),
            file + ":2:10: tokens[0].role: \"root\" is no role, allowed is \"viewer\", \"operator\" or \"admin\"");
  EXPECT_EQ(problems(R"({"tokens": [{"role": "admin", "sha256": "AB"}]})"),
            file + ":1:41: tokens[0].sha256: is no hash, allowed are 64 hexadecimal digits in lower case");
  EXPECT_EQ(problems(R"({"tokens": [{"role": "admin"}]})"),
            file + ":1:13: tokens[0].sha256: is missing; it is required here");
  EXPECT_EQ(problems("{}"), file + ":1:1: tokens: is missing; it is required here");
  EXPECT_EQ(problems(R"({"tokens": {}})"), file + ":1:12: tokens: is an object, allowed is a list of objects");
  EXPECT_THAT(problems("{"), testing::StartsWith(file + ":1:2: "));
}

TEST(TokensFile, MustHoldATokenBeyondLoopback) {
  const TemporaryFolder folder;
  const auto problems = [&](const std::string& address, const std::string& text) {
    const std::string file = folder.write("t.json", text).string();
    const LoadedConfig out = load_config(
        R"({"admin": {"cleartext": true, "address": ")" + address + R"(", "tokens_file": ")" + file + R"("}})",
        "f.json", {});
    return out.config ? all_messages(check_first_token(*out.config)) : all_messages(out.problems);
  };
  EXPECT_EQ(
      problems("0.0.0.0:9181", "{\n\"tokens\": []}"),
      (folder.path() / "t.json").string() +
          ":2:11: tokens: is empty and \"0.0.0.0:9181\" of admin.address is not a loopback address; allowed is at "
          "least one line made by: equinox token --role viewer --name NAME");
  EXPECT_EQ(problems("127.0.0.1:9181", R"({"tokens": []})"), "");
  EXPECT_EQ(problems("off", R"({"tokens": []})"), "");
  EXPECT_EQ(problems("0.0.0.0:9181", R"({"tokens": [{}]})"), "") << "the rest is for check_tokens()";
  EXPECT_EQ(problems("0.0.0.0:9181", "{"), "");
}

TEST(Logs, ThatCannotBeOpenedAreNamedWithTheirReasonAndNoneIsMade) {
  const TemporaryFolder folder;
  const auto problems = [&](const std::string& name) {
    const LoadedConfig out = load_config(R"({"log": {"access": ")" + name + R"("}})", "f.json", {});
    return out.config ? all_messages(check_logs(*out.config)) : all_messages(out.problems);
  };
  EXPECT_EQ(
      problems("/nonexistent/dir/a.log"),
      "f.json:1:20: log.access: \"/nonexistent/dir/a.log\": No such file or directory; allowed is a file that can "
      "be written, in a folder that is there");
  EXPECT_THAT(problems(folder.path().string()), testing::HasSubstr("Is a directory"));
  const auto fresh = folder.path() / "fresh.log";
  EXPECT_EQ(problems(fresh.string()), "");
  EXPECT_FALSE(std::filesystem::exists(fresh)) << "the file belongs to whoever serves";
  EXPECT_THAT(problems((fresh / "inner.log").string()), testing::HasSubstr("No such file or directory"));
  for (const char* word : {"-", "off", "stderr", "stdout"}) EXPECT_EQ(problems(word), "");
}

}  // namespace
}  // namespace equinox::appliance
