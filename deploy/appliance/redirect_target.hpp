#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace equinox::appliance {

/// The statuses that a redirect may have.
inline constexpr std::array<std::int64_t, 5> kRedirectCodes{301, 302, 303, 307, 308};

/// The first placeholder of a redirect's target that could make another host of it, or be one, as that of
/// "https://example.net{rest}" for a rest of ".evil.example"; empty when there is none. "{host}" and "{authority}" name
/// where the client is, and of "https://{id}.example.net/" the parameter names a host below one that is written out.
std::string_view host_naming_placeholder(std::string_view to) noexcept;

}  // namespace equinox::appliance
