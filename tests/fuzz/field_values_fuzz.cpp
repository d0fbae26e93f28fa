// Field values with a grammar of their own that a client chooses: Priority (RFC 9218, RFC 8941) and Accept-Encoding
// (RFC 9110 §12.5.3). What comes behind a value that can be read is read as if it stood alone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "http/content_coding.hpp"
#include "http/priority.hpp"

namespace {

using namespace equinox;

void read_priority(std::string_view value) {
  constexpr http::Priority kWish{6, true};
  const http::Priority plain = http::parse_priority(value);
  FUZZ_REQUIRE(plain.urgency <= http::Priority::kLowestUrgency);
  const http::Priority merged = http::parse_priority(value, kWish);
  FUZZ_REQUIRE(merged.urgency <= http::Priority::kLowestUrgency);
  // A member that is said means the same whatever the defaults are.
  if (plain.urgency != http::Priority::kDefaultUrgency) FUZZ_REQUIRE(merged.urgency == plain.urgency);
  if (plain.incremental) FUZZ_REQUIRE(merged.incremental);

  const http::Priority followed = http::parse_priority(std::string{value} + ", u=5, i");
  const bool is_dictionary = followed == http::Priority{5, true};
  if (!is_dictionary) {
    FUZZ_REQUIRE(followed == http::Priority{});
    if (value.find_first_not_of(" \t") != std::string_view::npos && value.find('"') == std::string_view::npos &&
        value.find('(') == std::string_view::npos) {
      FUZZ_REQUIRE(plain == http::Priority{});
    }
  }
}

void weigh(std::string_view value) {
  constexpr std::array<std::string_view, 2> kCodings{"br", "gzip"};
  std::array<int, 2> weights{};
  const std::array<Field, 1> alone{{{"accept-encoding", value}}};
  http::weigh_codings(alone, kCodings, weights);
  for (const int weight : weights) FUZZ_REQUIRE(weight >= 0 && weight <= 1000);
  // Lines of one name are one list (RFC 9110 §5.2), and the last word on a coding counts.
  const std::array<Field, 2> followed{
      {{"accept-encoding", value}, {"accept-encoding", "br;q=0, gzip, identity;q=0.1"}}};
  http::weigh_codings(followed, kCodings, weights);
  FUZZ_REQUIRE(weights[0] == 0 && weights[1] == 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value{reinterpret_cast<const char*>(data), size};
  read_priority(value);
  weigh(value);
  return 0;
}
