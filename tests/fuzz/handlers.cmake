equinox_fuzz(static_path SOURCES static_path_fuzz.cpp LINK equinox::handlers equinox::telemetry ${http_layers})
equinox_fuzz(conditional SOURCES conditional_fuzz.cpp LINK equinox::handlers equinox::telemetry ${http_layers})
