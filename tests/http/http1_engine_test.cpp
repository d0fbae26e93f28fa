#include "http/http1_engine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http1_corpus.hpp"

namespace equinox::http::test {
namespace {

/// Everything an engine says of some bytes: callbacks with their place and size, the end, the place of an error.
std::vector<std::string> told(Http1Engine engine, std::string_view wire, std::size_t piece) {
  static std::vector<std::string> said;
  static const char* base;
  said.clear();
  base = wire.data();
  llhttp_settings_t settings{};
  const auto note = [](const char* what, const char* at, std::size_t size) {
    said.push_back(what + std::to_string(at - base) + "+" + std::to_string(size));
    return 0;
  };
  static const auto kNote = note;
  settings.on_url = [](llhttp_t*, const char* at, std::size_t size) { return kNote("url ", at, size); };
  settings.on_header_field = [](llhttp_t*, const char* at, std::size_t size) { return kNote("field ", at, size); };
  settings.on_header_value = [](llhttp_t*, const char* at, std::size_t size) { return kNote("value ", at, size); };
  settings.on_body = [](llhttp_t*, const char* at, std::size_t size) { return kNote("body ", at, size); };
  settings.on_message_complete = [](llhttp_t*) { return kNote("complete ", base, 0); };
  llhttp_t state{};
  llhttp_init(&state, HTTP_REQUEST, &settings);
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    const std::string_view part = wire.substr(at, piece);
    const int code = engine(&state, part.data(), part.data() + part.size());
    if (code == HPE_OK) continue;
    said.push_back("error " + std::to_string(code) + " at " + std::to_string(llhttp_get_error_pos(&state) - base));
    break;
  }
  return said;
}

TEST(Http1Engine, BothEnginesSayTheSameOfEveryCaseHoweverItIsCut) {
  if (best_engine() == portable_engine()) GTEST_SKIP() << "no SSE4.2: there is one engine here";
  for (const WireCase& wire : wire_cases()) {
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{33}, wire.wire.size()}) {
      ASSERT_EQ(told(portable_engine(), wire.wire, piece), told(best_engine(), wire.wire, piece)) << wire.name << piece;
    }
  }
}

TEST(Http1Engine, BothEnginesStopAtTheSameOctetOfALongValue) {
  if (best_engine() == portable_engine()) GTEST_SKIP() << "no SSE4.2: there is one engine here";
  for (int octet = 0; octet < 256; ++octet) {
    for (const std::size_t place : {0UL, 5UL, 15UL, 16UL, 31UL, 40UL}) {
      std::string value(48, 'v');
      value[place] = static_cast<char>(octet);
      const std::string field = "GET / HTTP/1.1\r\nX-Field: " + value + "\r\n\r\n";
      const std::string target = "GET /" + value + " HTTP/1.1\r\nHost: a\r\n\r\n";
      const std::string name = "GET / HTTP/1.1\r\n" + value + ": a\r\n\r\n";
      for (const std::string& wire : {field, target, name}) {
        ASSERT_EQ(told(portable_engine(), wire, wire.size()), told(best_engine(), wire, wire.size()))
            << octet << " at " << place;
      }
    }
  }
}

}  // namespace
}  // namespace equinox::http::test
