#include "server/connection.hpp"

namespace equinox::server {

ConnectionMemory Connection::memory() const noexcept {
  ConnectionMemory out;
  out.connection_bytes = sizeof(Connection) + sizeof(telemetry::RecordSlot);
  if (h2_ != nullptr) {
    out.connection_bytes += sizeof(Http2Facts);
    constexpr std::size_t kIndexEntry = 4 * sizeof(void*);  // about: a node and its share of the buckets
    if (h2_->index != nullptr) out.connection_bytes += h2_->index->size() * kIndexEntry;
  }
  if (aside_ != nullptr) out.connection_bytes += sizeof(Aside);
  if (held_ != nullptr) out.input_bytes = sizeof(ByteHold) + held_->capacity();
  if (egress_ != nullptr) out.output_bytes = egress_->memory_bytes();
  for (const Exchange* x = exchanges_; x != nullptr; x = x->next) {
    out.requests_bytes += sizeof(Exchange) + x->held_bytes;
    if (x->kept != nullptr) out.requests_bytes += sizeof(Request) + x->kept->owned_bytes();
  }
  if (codec_ != nullptr) out.codec_bytes = codec_->memory_bytes();
  if (transport_ != nullptr) out.tls_bytes = transport_->memory_bytes();
  return out;
}

}  // namespace equinox::server
