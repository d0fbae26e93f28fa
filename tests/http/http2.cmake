equinox_test(http2_test
  SOURCES http2_codec_test.cpp http2_body_test.cpp http2_abuse_test.cpp http2_budget_test.cpp http2_parts_test.cpp http2_upload_test.cpp http2_client.cpp priority_test.cpp http2_wishes_test.cpp
  LINK equinox::http equinox::base PkgConfig::nghttp2 nlohmann_json::nlohmann_json)
