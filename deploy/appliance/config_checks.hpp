#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

namespace equinox::appliance {

/// Peers refuse an answer with more: many have room for a field of 8 KiB, and for 64 KiB of all fields over HTTP/2.
inline constexpr std::size_t kFieldValueMaxBytes = 8 * 1024;
/// What one route adds to its answers, as HTTP/2 counts it (RFC 9113 §6.5.2): the rest is for the server's own fields.
inline constexpr std::size_t kRouteFieldsMaxBytes = 32 * 1024;

/// The rules that span several keys: names that must be unique, sections that exclude each other, surfaces that may not
/// be open to everybody. Each broken rule becomes one problem at the key that should change.
void check_listeners(const Settings& settings, std::vector<ConfigProblem>& problems);
void check_surfaces(const Settings& settings, std::vector<ConfigProblem>& problems);
void check_routes(const Settings& settings, std::vector<ConfigProblem>& problems);
void check_texts(const Settings& settings, std::vector<ConfigProblem>& problems);
void check_limits(const Settings& settings, std::vector<ConfigProblem>& problems);

/// Why the admin surface must not be open at `address`: beyond loopback it wants tokens, and those TLS.
std::optional<std::string> admin_exposure(const Settings& settings, std::string_view address);

/// What somebody does who has no token yet.
inline constexpr std::string_view kHowToMakeAToken = "equinox token --role viewer --name NAME";

/// The name of listener `index`: as written, else "http" or "https".
std::string listener_name(const Settings& settings, std::size_t index);
/// The handler keys present in a route, e.g. {"static"}.
std::vector<std::string> handlers_of(const Settings& settings, const std::string& route);

}  // namespace equinox::appliance
