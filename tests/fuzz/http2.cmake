equinox_fuzz(http2_session SOURCES http2_session_fuzz.cpp LINK ${http_layers})
