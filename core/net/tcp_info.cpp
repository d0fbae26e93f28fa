#include "net/tcp_info.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace equinox::net {

std::optional<TcpInfo> read_tcp_info(int descriptor) noexcept {
  ::tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return TcpInfo{.rtt_us = info.tcpi_rtt,
                 .rtt_variance_us = info.tcpi_rttvar,
                 .congestion_window_segments = info.tcpi_snd_cwnd,
                 .receive_space_bytes = info.tcpi_rcv_space,
                 .retransmits = info.tcpi_total_retrans,
                 .mss_bytes = info.tcpi_snd_mss,
                 .segments_sent = info.tcpi_segs_out,
                 .unacknowledged_segments = info.tcpi_unacked,
                 .selective_acks = info.tcpi_sacked,
                 .not_sent_bytes = info.tcpi_notsent_bytes,
                 .delivery_bytes_per_second = info.tcpi_delivery_rate,
                 .busy_us = info.tcpi_busy_time,
                 .receiver_limited_us = info.tcpi_rwnd_limited,
                 .send_buffer_limited_us = info.tcpi_sndbuf_limited};
}

}  // namespace equinox::net
