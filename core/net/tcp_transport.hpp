#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "net/transport.hpp"

namespace equinox::net {

/// A plain socket. Bytes leave by sendmsg of up to 64 segments, files by sendfile; what stands before a file goes in a
/// send of its own.
/// @error peer_reset (ECONNRESET, EPIPE), timed_out (ETIMEDOUT), file_changed, out_of_memory, system
class TcpTransport final : public Transport {
 public:
  static constexpr std::size_t kMaxSegmentsPerWrite = 64;

  /// `socket` is connected and non-blocking.
  explicit TcpTransport(UniqueFd socket) noexcept : socket_{std::move(socket)} {}

  IoResult handshake() override { return {}; }
  IoResult read(std::span<std::byte> into) override;
  IoResult write(EgressBatch& batch) override;
  [[nodiscard]] bool has_pending() const noexcept override { return false; }
  void shutdown_send() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override { return socket_.get(); }
  [[nodiscard]] const TlsFacts* tls() const noexcept override { return nullptr; }

 private:
  UniqueFd socket_;
};

/// Makes closing this socket a reset: what the kernel still holds for a peer that does not read goes at once, instead
/// of staying with an orphan for minutes. Tens of thousands of slow readers would otherwise outlive their eviction
/// there.
void drop_unsent(int descriptor) noexcept;
/// What the kernel holds of all that was sent, because the peer has not acknowledged it yet.
std::uint64_t unacknowledged_bytes(int descriptor) noexcept;

/// What a failed socket call means: the one place that maps errno for transports.
Error io_error(int os_errno) noexcept;

}  // namespace equinox::net
