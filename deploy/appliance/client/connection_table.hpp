#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "admin_client.hpp"

namespace equinox::appliance {

/// Parameters of GET /connections for what the command line says.
AdminClient::Query connection_query(const Options& options, int limit);
/// A page of connections as a table.
std::string connection_table(const nlohmann::json& page, std::size_t width_max);

}  // namespace equinox::appliance
