if(TARGET equinox::appliance_config)
  equinox_fuzz(config SOURCES config_fuzz.cpp LINK equinox::appliance_config equinox::net equinox::base OpenSSL::SSL OpenSSL::Crypto)
endif()
