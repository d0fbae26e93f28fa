if(TARGET equinox::appliance_config)
  equinox_fuzz(config SOURCES config_fuzz.cpp LINK equinox::appliance_config equinox::net ${http_layers} OpenSSL::SSL OpenSSL::Crypto)
endif()
