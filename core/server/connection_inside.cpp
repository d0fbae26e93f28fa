#include "net/tcp_info.hpp"
#include "server/connection.hpp"

namespace equinox::server {

ConnectionInside Connection::inside(TimePoint now) const {
  ConnectionInside out;
  if (codec_ != nullptr) {
    std::vector<http::StreamDescription> streams;
    codec_->describe(streams, now);
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
    out.receive_window_bytes = codec_->receive_window();
  }
  if (h2_ != nullptr) out.ping_rtt_ns = h2_->ping_rtt_ns;
  out.memory = memory();
  if (const net::TlsFacts* tls = transport_->tls(); tls != nullptr) out.certificate = tls->certificate;
  if (const auto info = net::read_tcp_info(descriptor())) {
    TcpFacts tcp;
    tcp.rtt_us = info->rtt_us;
    tcp.rtt_variance_us = info->rtt_variance_us;
    tcp.congestion_window_segments = info->congestion_window_segments;
    tcp.receiver_window_bytes = info->receive_space_bytes;
    tcp.retransmits = info->retransmits;
    tcp.mss_bytes = info->mss_bytes;
    tcp.segments_sent = info->segments_sent;
    tcp.unacknowledged_bytes = std::uint64_t{info->unacknowledged_segments} * info->mss_bytes;
    tcp.not_sent_bytes = info->not_sent_bytes;
    tcp.delivery_bytes_per_second = info->delivery_bytes_per_second;
    const auto busy = static_cast<double>(info->busy_us);
    if (busy > 0) {
      tcp.limited_receiver_ratio = static_cast<double>(info->receiver_limited_us) / busy;
      tcp.limited_send_buffer_ratio = static_cast<double>(info->send_buffer_limited_us) / busy;
    }
    out.tcp = tcp;
  }
  return out;
}

}  // namespace equinox::server
