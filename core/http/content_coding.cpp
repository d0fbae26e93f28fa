#include "http/content_coding.hpp"

#include <algorithm>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

/// Of the parameters behind a coding, each with its ';'; 1000 when there is no weight.
int weight_among(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // ';'
    const auto end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(end);
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    return weight_of(parameter.substr(2));
  }
  return 1000;
}

}  // namespace

void weigh_codings(std::span<const Field> fields, std::span<const std::string_view> codings,
                   std::span<int> weights) noexcept {
  constexpr int kNotNamed = -1;
  std::ranges::fill(weights, kNotNamed);
  int any = 0;
  int plain = 0;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "accept-encoding")) continue;
    std::string_view list = field.value;
    while (const auto member = next_member(list)) {
      const auto end = std::min(member->find(';'), member->size());
      std::string_view name = trim(member->substr(0, end));
      const int weight = weight_among(member->substr(end));
      if (equals_ignoring_case(name, "x-gzip")) name = "gzip";
      if (name == "*") any = weight;
      if (equals_ignoring_case(name, "identity")) plain = weight;
      for (std::size_t i = 0; i < codings.size(); ++i) {
        if (equals_ignoring_case(name, codings[i])) weights[i] = weight;
      }
    }
  }
  for (int& weight : weights) {
    if (weight == kNotNamed) weight = any;
    if (weight < plain) weight = 0;
  }
}

}  // namespace equinox::http
