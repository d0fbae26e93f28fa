#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "http/negotiate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace equinox::http;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  Negotiated decided = Negotiated::need_more;
  const std::size_t step = size > 2048 ? 97 : 1;
  for (std::size_t known = 0; known <= size; known += step) {
    const Negotiated now = negotiate(bytes.substr(0, known));
    if (decided != Negotiated::need_more) FUZZ_REQUIRE(now == decided);  // a decision is for good
    decided = now;
  }
  if (size >= kNegotiationMaxBytes) FUZZ_REQUIRE(negotiate(bytes) != Negotiated::need_more);
  return 0;
}
