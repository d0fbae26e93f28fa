#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "http/proxy_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace equinox;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  http::ProxyStatus decided = http::ProxyStatus::need_more;
  const std::size_t step = size > 2048 ? 61 : 1;
  for (std::size_t known = 0; known <= size; known += step) {
    const http::ProxyHeader header = http::parse_proxy_header(bytes.substr(0, known));
    if (decided != http::ProxyStatus::need_more) FUZZ_REQUIRE(header.status == decided);
    decided = header.status;
    if (decided == http::ProxyStatus::complete) {
      FUZZ_REQUIRE(header.size <= known && header.size != 0);
      FUZZ_REQUIRE(header.is_local != header.source.is_known);
    }
  }
  if (size > http::kProxyHeaderMaxBytes) {
    FUZZ_REQUIRE(http::parse_proxy_header(bytes).status != http::ProxyStatus::need_more);
  }
  return 0;
}
