#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.hpp"
#include "http/h2c_upgrade.hpp"
#include "http/http1_peer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace equinox;
  const std::string_view fields{reinterpret_cast<const char*>(data), size};
  http::test::Http1Peer peer{{.scheme = Scheme::http, .h2c_upgrade_allowed = true}};
  peer.send("GET / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n\r\n");
  if (peer.head() == nullptr) return 0;
  const auto settings = http::h2c_settings(*peer.head());
  FUZZ_REQUIRE(settings.has_value() == peer.head()->upgrades_to_h2c);
  if (settings) {
    FUZZ_REQUIRE(settings->size() % 6 == 0);
    FUZZ_REQUIRE(!peer.head()->has_body);
    FUZZ_REQUIRE(http::is_valid_settings_payload(*settings));
  }
  return 0;
}
