#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/egress_batch.hpp"
#include "base/result.hpp"

namespace equinox::net {

/// What one write may move before others get their turn: a peer that reads as fast as we send never makes it block.
inline constexpr std::size_t kWriteShareBytes = 1024 * 1024;

enum class IoStatus : std::uint8_t {
  ok,           ///< bytes moved; ask again. A read that fills less than asked has had its share: ask in the next turn
  would_block,  ///< everything that could be moved was; wait for an edge
  closed,       ///< read: the peer sent its last byte (FIN, close_notify)
  failed,       ///< `error` says why; the connection is over
};

struct IoResult {
  IoStatus status{IoStatus::ok};
  std::size_t bytes{0};  ///< moved by this call, also when the status is would_block, closed or failed
  Error error{};
};

/// What the handshake settled; views live as long as the transport.
struct TlsFacts {
  std::string_view version;      ///< "TLSv1.3"
  std::string_view cipher;       ///< OpenSSL's name
  std::string_view alpn;         ///< "h2", "http/1.1" or empty
  std::string_view sni;          ///< server name as sent by the client, at most 255 bytes, unchecked bytes: escape it
  std::string_view certificate;  ///< configured name of the one that was presented
  bool resumed{false};
};

/// What passed the socket.
struct SocketBytes {
  std::uint64_t received{0};
  std::uint64_t sent{0};
};

/// Bytes in and out of one connected socket. Non-blocking; owning reactor's thread only; never throws.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Moves the handshake on: ok when it is complete (at once for TCP), would_block while the peer's turn.
  virtual IoResult handshake() = 0;
  /// Reads at most `into.size()` bytes with one system call (TLS: until the record layer has no more).
  /// A TCP read that fills less than asked returns would_block with bytes > 0: a short read means drained.
  virtual IoResult read(std::span<std::byte> into) = 0;
  /// Writes from the front of `batch` and consumes what was taken, until the batch is empty (ok), the share of a turn
  /// is used (ok, and the batch is not empty: ask in the next turn), or the kernel takes no more (would_block). A file
  /// that ends early is Errc::file_changed.
  virtual IoResult write(EgressBatch& batch) = 0;
  /// The poller has announced a hang-up: no further edge comes, so only the end itself, or a refusal to read, means
  /// drained, and a short read no longer does. TCP leaves that to whoever reads.
  virtual void note_hang_up() noexcept {}
  /// The socket takes bytes again: a read that had to send something first may go on, see has_pending().
  virtual void note_writable() noexcept {}
  /// True when bytes already decrypted wait inside the transport: no edge will announce them.
  [[nodiscard]] virtual bool has_pending() const noexcept = 0;
  /// Says that no more bytes will be sent: close_notify on TLS, then FIN.
  virtual void shutdown_send() noexcept = 0;
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
  /// What passed the socket since the last call, where that is more than read() and write() have moved (TLS: records,
  /// handshake, alerts). TCP: nothing, the bytes moved are the socket's.
  virtual SocketBytes take_socket_bytes() noexcept { return {}; }
  /// Bytes of memory held beyond sizeof(TcpTransport), which a connection has room for; without the library's own,
  /// but for an estimate while a handshake goes on.
  [[nodiscard]] virtual std::size_t memory_bytes() const noexcept { return 0; }
  /// Null on cleartext, and before the handshake is complete.
  [[nodiscard]] virtual const TlsFacts* tls() const noexcept = 0;
  /// With TLS the server name asked for, also while the handshake runs or after it failed; empty when none. Unchecked
  /// bytes.
  [[nodiscard]] virtual std::string_view server_name() const noexcept { return {}; }
};

}  // namespace equinox::net
