#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "net/tls_context.hpp"
#include "net/transport.hpp"

struct ssl_st;  // SSL

namespace equinox::net {

/// What OpenSSL's callbacks find out.
struct TlsHandshakeNotes {
  std::string server_name;      ///< as sent by the peer
  std::uint32_t late_steps{0};  ///< steps of the handshake machine after the handshake: key updates, renegotiation
  std::uint8_t alert{0};        ///< last fatal alert sent or received
  bool is_established{false};
  bool sni_refused{false};
};

/// The server's end of a TLS connection. OpenSSL reads and writes through our own calls, so SIGPIPE cannot arise and
/// the fault seam reaches what is below it; OpenSSL itself is called through the seam too.
/// @error tls_handshake, tls_no_shared_cipher, tls_version, tls_sni_unknown, tls_plaintext: handshake() only;
///        `detail` is the alert sent, 0 when none. tls_alert: a fatal alert of the peer, or any later one. tls_flood:
///        more key updates than the bytes that were moved call for. Others as TcpTransport, also for what failed
///        inside OpenSSL for want of memory or of the system.
/// Nothing of OpenSSL's is allocated before the peer's first byte: a silent connection costs its socket only.
/// `closed` with peer_closed and detail 1 when the peer's bytes ended without close_notify (RFC 8446 §6.1).
///
/// After handshake() says ok, read() at once: the first request may already be inside, and no edge will announce it.
class TlsTransport final : public Transport {
 public:
  static constexpr std::size_t kRecordBytes = 16 * 1024;

  /// About what OpenSSL holds from the first byte to the end of the handshake, as measured: most of it are buffers for
  /// records of full size, whatever the peer has sent of its first one.
  static constexpr std::size_t kHandshakeBytes = 48 * 1024;

  /// @param handshake_bytes  a sum that kHandshakeBytes are part of while the handshake goes on; outlives this object
  TlsTransport(UniqueFd socket, std::shared_ptr<const TlsContext> context,
               std::uint64_t* handshake_bytes = nullptr) noexcept;
  ~TlsTransport() override;
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  IoResult handshake() override;
  IoResult read(std::span<std::byte> into) override;
  IoResult write(EgressBatch& batch) override;
  void note_hang_up() noexcept override { has_hung_up_ = true; }
  void note_writable() noexcept override { may_read_on_ |= std::exchange(waits_for_write_, false); }
  [[nodiscard]] bool has_pending() const noexcept override;
  void shutdown_send() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override { return socket_.get(); }
  [[nodiscard]] const TlsFacts* tls() const noexcept override { return is_established_ ? &facts_ : nullptr; }

  /// Everything, also of a handshake that fails, and the alert that ends it.
  SocketBytes take_socket_bytes() noexcept override { return std::exchange(socket_bytes_, {}); }
  /// This object, the server name, and the estimate of a handshake. What else OpenSSL holds is not counted: it
  /// allocates for all of a process from one heap, and says of none whose it is.
  [[nodiscard]] std::size_t memory_bytes() const noexcept override {
    return sizeof(*this) + notes_.server_name.capacity() + counted_bytes_;
  }

  [[nodiscard]] std::string_view server_name() const noexcept override { return notes_.server_name; }

  struct Bio;  ///< OpenSSL's way to the socket; in the .cpp only

 private:
  [[nodiscard]] bool open() noexcept;
  void count_handshake(std::size_t bytes) noexcept;
  [[nodiscard]] IoResult await_first_byte() noexcept;
  [[nodiscard]] bool is_flooded() const noexcept;
  [[nodiscard]] bool must_write_first() const noexcept;
  void keep_for_retry(std::size_t bytes) noexcept;
  IoResult stop(int result, std::size_t moved);
  [[nodiscard]] Error broken_record() const noexcept;
  [[nodiscard]] IoResult handshake_failure();
  void settle();

  UniqueFd socket_;
  std::shared_ptr<const TlsContext> context_;
  std::uint64_t* handshake_bytes_;
  std::size_t counted_bytes_{0};  ///< within that
  ssl_st* ssl_{nullptr};
  TlsHandshakeNotes notes_;
  TlsFacts facts_;
  std::size_t retry_bytes_{0};  ///< plain length of a record that OpenSSL holds encrypted and could not send
  std::size_t raw_left_{0};     ///< bytes this call may still take from the socket
  std::uint64_t moved_bytes_{0};
  SocketBytes socket_bytes_;  ///< not yet taken
  int io_errno_{0};
  bool is_established_{false};
  bool is_broken_{false};   ///< a fatal error happened: no close_notify can be sent
  bool is_drained_{false};  ///< the kernel's buffer was emptied during this call
  bool has_ended_{false};   ///< the peer's FIN was read
  bool has_hung_up_{false};
  bool saw_first_byte_{false};
  bool saw_plaintext_{false};
  bool is_cut_short_{false};    ///< the last read ended because its buffer was full
  bool is_interrupted_{false};  ///< … or because it had taken its share of the socket
  bool has_flooded_{false};
  bool waits_for_write_{false};  ///< the last read ended because a record must go out first
  bool may_read_on_{false};      ///< … which it has; no edge announces what was left
};

}  // namespace equinox::net
