#pragma once

#include <cstdint>
#include <optional>

namespace equinox::net {

/// What the kernel knows of a TCP socket (Linux TCP_INFO), as far as anybody here asks. Times in microseconds.
struct TcpInfo {
  std::uint32_t rtt_us{0};
  std::uint32_t rtt_variance_us{0};
  std::uint32_t congestion_window_segments{0};
  std::uint32_t receive_space_bytes{0};
  std::uint32_t retransmits{0};
  std::uint32_t mss_bytes{0};
  std::uint32_t segments_sent{0};
  std::uint32_t unacknowledged_segments{0};  ///< listening socket: connections in the accept queue
  std::uint32_t selective_acks{0};           ///< listening socket: the queue's limit
  std::uint32_t not_sent_bytes{0};
  std::uint64_t delivery_bytes_per_second{0};
  std::uint64_t busy_us{0};  ///< there was something to send
  std::uint64_t receiver_limited_us{0};
  std::uint64_t send_buffer_limited_us{0};
};

/// Nothing when the descriptor is no TCP socket.
std::optional<TcpInfo> read_tcp_info(int descriptor) noexcept;

}  // namespace equinox::net
