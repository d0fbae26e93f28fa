if(TARGET equinox::admin)
  equinox_fuzz(query SOURCES query_fuzz.cpp
    LINK equinox::admin equinox::telemetry ${http_layers} OpenSSL::Crypto ZLIB::ZLIB)
endif()
