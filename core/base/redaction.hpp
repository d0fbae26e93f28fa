#pragma once

#include <equinox/endpoint.hpp>
#include <string>
#include <string_view>

/// What those who observe may see of a request, in one place for logs and the dashboard.
namespace equinox {

/// "/a?x=1&y" → "/a?x=***&***". Text without a '?' stays as it is; twice is the same as once.
std::string masked_query(std::string_view text);
/// Keeps 24 bits of an IPv4 address and 48 of an IPv6 one, and no port.
Endpoint truncated(const Endpoint& endpoint) noexcept;

}  // namespace equinox
