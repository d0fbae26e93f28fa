// Who asked, by Forwarded and X-Forwarded-For (RFC 7239): a client says what it wants in both, in any number of lines,
// and the trusted proxy adds the client's address at the end of one of them. The client must never become another's.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.hpp"
#include "fuzz/require.hpp"
#include "http/forwarded.hpp"

namespace {

using namespace equinox;

const Endpoint kProxy = Endpoint::v4({10, 0, 0, 1}, 4000);
const Endpoint kClient = Endpoint::v4({198, 51, 100, 7}, 0);
const std::vector<Network> kTrusted{*Network::parse("10.0.0.0/8")};

bool is_same_host(const Endpoint& one, const Endpoint& other) {
  return one.is_known && other.is_known && one.address == other.address;
}

/// The proxy adds to the last line of `field` as RFC 9110 §5.2 lets it, or writes a line of its own.
void add_by_proxy(std::string_view field, std::string_view addition, bool own_line, const std::vector<Field>& sent,
                  std::vector<std::string>& texts, std::vector<Field>& fields) {
  fields = sent;
  Field* last = nullptr;
  for (Field& line : fields) {
    if (line.name == field) last = &line;
  }
  if (last == nullptr || own_line) {
    fields.push_back({field, addition});
    return;
  }
  texts.push_back(std::string{last->value} + ", " + std::string{addition});
  last->value = texts.back();
}

}  // namespace

// Lines of the input are field values; the first octet of each says whose.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  static_cast<void>(http::parse_node(rest));

  std::vector<Field> sent;
  bool has_standard = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty()) continue;
    const bool is_standard = line.front() == 'F';
    has_standard = has_standard || is_standard;
    sent.push_back({is_standard ? "forwarded" : "x-forwarded-for", line.substr(1)});
  }

  // Nobody trusts a stranger.
  FUZZ_REQUIRE(http::client_of(sent, kClient, kTrusted) == kClient);

  for (const bool own_line : {false, true}) {
    std::vector<std::string> texts;
    texts.reserve(1);
    std::vector<Field> fields;
    add_by_proxy("x-forwarded-for", "198.51.100.7", own_line, sent, texts, fields);
    const Endpoint by_usual = http::client_of(fields, kProxy, kTrusted);
    FUZZ_REQUIRE(is_same_host(by_usual, kClient) || by_usual == kProxy);
    if (!has_standard) FUZZ_REQUIRE(is_same_host(by_usual, kClient));  // it has no quotes that could hide it

    texts.clear();
    add_by_proxy("forwarded", "for=198.51.100.7;proto=https", own_line, sent, texts, fields);
    const Endpoint by_standard = http::client_of(fields, kProxy, kTrusted);
    FUZZ_REQUIRE(is_same_host(by_standard, kClient) || by_standard == kProxy);
    if (sent.empty()) FUZZ_REQUIRE(is_same_host(by_standard, kClient));
  }
  return 0;
}
