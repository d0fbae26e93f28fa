#pragma once

#include <equinox/request.hpp>
#include <span>
#include <string_view>

namespace equinox::http {

/// The weights in thousandths that a request's Accept-Encoding gives `codings`, in their order (RFC 9110 §12.5.3): "*"
/// stands for what is not named, "x-gzip" for "gzip". 0: not taken, or less wanted than the plain content. Without the
/// field all are 0: a client that does not ask may not understand.
void weigh_codings(std::span<const Field> fields, std::span<const std::string_view> codings,
                   std::span<int> weights) noexcept;

}  // namespace equinox::http
