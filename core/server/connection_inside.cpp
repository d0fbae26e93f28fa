#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "server/connection.hpp"

namespace equinox::server {

ConnectionInside Connection::inside() const {
  ConnectionInside out;
  if (codec_ != nullptr) {
    std::vector<http::StreamDescription> streams;
    codec_->describe(streams);
    for (http::StreamDescription& stream : streams) {
      StreamFacts facts;
      facts.stream = stream.stream;
      facts.method = static_cast<std::uint8_t>(stream.method);
      facts.urgency = stream.urgency;
      facts.incremental = stream.incremental;
      facts.local_closed = stream.is_local_closed;
      facts.remote_closed = stream.is_remote_closed;
      facts.send_window_bytes = stream.send_window_bytes;
      facts.receive_window_bytes = stream.receive_window_bytes;
      facts.pending_bytes = stream.pending_bytes;
      facts.blocked_ns = stream.blocked_ns;
      facts.target = std::move(stream.target);
      out.blocked_ns += facts.blocked_ns;
      out.streams.push_back(std::move(facts));
    }
    out.send_window_bytes = codec_->state().connection_window;
  }
  out.output_bytes = egress_ == nullptr ? 0 : egress_->capacity_bytes();
  out.input_bytes = held_bytes();
  if (const net::TlsFacts* tls = transport_->tls(); tls != nullptr) out.certificate = tls->certificate;
  ::tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    TcpFacts tcp;
    tcp.rtt_us = info.tcpi_rtt;
    tcp.rtt_variance_us = info.tcpi_rttvar;
    tcp.congestion_window_segments = info.tcpi_snd_cwnd;
    tcp.receiver_window_bytes = info.tcpi_rcv_space;
    tcp.retransmits = info.tcpi_total_retrans;
    tcp.mss_bytes = info.tcpi_snd_mss;
    tcp.segments_sent = info.tcpi_segs_out;
    tcp.unacknowledged_bytes = std::uint64_t{info.tcpi_unacked} * info.tcpi_snd_mss;
    tcp.not_sent_bytes = info.tcpi_notsent_bytes;
    tcp.delivery_bytes_per_second = info.tcpi_delivery_rate;
    const auto busy = static_cast<double>(info.tcpi_busy_time);
    if (busy > 0) {
      tcp.limited_receiver_ratio = static_cast<double>(info.tcpi_rwnd_limited) / busy;
      tcp.limited_send_buffer_ratio = static_cast<double>(info.tcpi_sndbuf_limited) / busy;
    }
    out.tcp = tcp;
  }
  return out;
}

}  // namespace equinox::server
