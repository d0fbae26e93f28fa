#pragma once

#include <cstddef>
#include <cstdint>

namespace equinox::http {

/// Every protocol bound in one place. Units are in the names.
struct Limits {
  std::size_t head_max_bytes{64 * 1024};  ///< request line and fields, or the HTTP/2 field list by RFC 9113 §6.5.2: 431
  std::size_t target_max_bytes{8 * 1024};          ///< 414
  std::size_t fields_max_count{100};               ///< 431
  std::uint64_t body_max_bytes{16 * 1024 * 1024};  ///< 413; a route may set its own
  std::size_t trailers_max_bytes{8 * 1024};        ///< 431
  std::size_t chunk_overhead_max_bytes{16 *
                                       1024};  ///< chunk-size lines and extensions beyond one per 16 body bytes: 413
  std::uint32_t h2_concurrent_streams{128};
  std::uint32_t h2_stream_window_bytes{64 * 1024};
  std::uint32_t h2_connection_window_bytes{1024 * 1024};
  std::size_t h2_output_backlog_max_bytes{256 * 1024};  ///< stop receiving while more than this waits to be sent
  std::uint32_t h2_reset_burst{256};                    ///< peer's RST_STREAM: bucket size (2 × concurrent streams)
  std::uint32_t h2_reset_per_second{33};
  std::uint32_t h2_own_reset_burst{100};  ///< resets the peer provokes (CVE-2025-8671)
  std::uint32_t h2_own_reset_per_second{10};
  std::uint32_t h2_control_burst{
      1000};  ///< PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty and unknown frames: each kind
  std::uint32_t h2_control_per_second{200};
  std::uint32_t h2_max_continuations{8};  ///< in one header block (CVE-2024-27316)
};

}  // namespace equinox::http
