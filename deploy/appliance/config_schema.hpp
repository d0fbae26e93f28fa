#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace equinox::appliance {

/// The JSON Schema (draft-07) of the configuration, made from the table of keys: docs/config.schema.json.
nlohmann::ordered_json config_schema();

/// The tables of docs/configuration.md, made from the same table: one section per group of keys.
std::string config_reference();

}  // namespace equinox::appliance
