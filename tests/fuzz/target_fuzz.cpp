// Request target to path: whatever the encoding, no path that leaves here climbs or holds NUL, each encoding is undone
// once, and the path written out again is the same path.

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.hpp"
#include "http/target.hpp"

namespace {

void check_path(std::string_view path) {
  FUZZ_REQUIRE(!path.empty() && path.front() == '/');
  FUZZ_REQUIRE(path.find('\0') == std::string_view::npos);
  for (std::size_t at = 0; at != std::string_view::npos && at < path.size(); at = path.find('/', at + 1)) {
    const std::string_view segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
    FUZZ_REQUIRE(segment != "." && segment != "..");
  }
}

/// Sent again, the path is the same.
void check_round_trip(std::string_view path) {
  for (const auto kept : {equinox::http::Kept::unreserved, equinox::http::Kept::of_paths}) {
    const std::string again = equinox::http::encode_normalized(path, kept);
    std::string scratch;
    const auto parsed = equinox::http::parse_target(equinox::Method::get, again, scratch);
    FUZZ_REQUIRE(parsed.has_value() && parsed->path == path && parsed->query.empty());
  }
}

/// Where there is no dot segment, both steps together decode each encoding once.
void check_decoding(std::string_view raw, std::string_view decoded) {
  const std::string once = equinox::http::percent_decode(raw);
  if ((once + "/").find("/./") != std::string::npos || (once + "/").find("/../") != std::string::npos) return;
  FUZZ_REQUIRE(decoded == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace equinox;
  if (size < 1) return 0;
  const auto method = static_cast<Method>(data[0] % kMethodCount);
  const std::string target{reinterpret_cast<const char*>(data) + 1, size - 1};
  std::string scratch;
  const auto parsed = http::parse_target(method, target, scratch);
  if (!parsed) return 0;
  if (method == Method::connect) {
    FUZZ_REQUIRE(parsed->path.empty() && !parsed->authority.empty());
  } else if (parsed->path != "*") {
    check_path(parsed->path);
    std::string rest;
    rest.reserve(parsed->path.size());
    const char* const storage = rest.data();
    const std::string decoded{http::decode_rest(parsed->path, rest)};
    FUZZ_REQUIRE(rest.data() == storage);  // views into it stay valid
    const std::string encoded = http::encode_path(parsed->path);
    FUZZ_REQUIRE(http::percent_decode(encoded) == parsed->path);
    check_round_trip(parsed->path);
    if (target.front() == '/') check_decoding(target.substr(0, target.find('?')), decoded);
  }
  return 0;
}
