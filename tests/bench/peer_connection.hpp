#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

enum class Turn : std::uint8_t { waiting, closed, failed };

/// One client connection of the load program: non-blocking TCP, with TLS when a context is given.
class PeerConnection {
 public:
  PeerConnection() = default;
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;
  PeerConnection(PeerConnection&& other) noexcept;
  PeerConnection& operator=(PeerConnection&& other) noexcept;
  ~PeerConnection() { close(); }

  /// Starts connecting to 127.0.0.1:port. @return false with errno when the kernel refuses at once
  bool open(std::uint16_t port, SSL_CTX* context);
  /// @param resets ends with RST, so that no port stays in TIME_WAIT on this side
  void close(bool resets = false);

  /// Goes on with the TLS handshake. @return true when bytes may flow
  bool handshake();
  /// @return bytes taken; 0 when none fits now; -1 on failure
  long write(std::string_view bytes);
  /// @return bytes read; 0 when the peer closed; -1 with would_block() or a failure
  long read(char* into, std::size_t size);
  [[nodiscard]] bool would_block() const noexcept { return would_block_; }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  [[nodiscard]] bool is_secure() const noexcept { return tls_ != nullptr; }

 private:
  bool note(int result);

  int fd_{-1};
  SSL* tls_{nullptr};
  bool would_block_{false};
};

/// Counts whole HTTP/1.1 answers with Content-Length in a stream of bytes.
class AnswerCounter {
 public:
  /// @return how many answers ended inside `bytes`; refused() tells of statuses other than 2xx
  std::size_t receive(std::string_view bytes);
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  bool finish_head(std::string_view head);

  std::string head_;       ///< a head that is cut in two
  std::string last_head_;  ///< the one before: heads repeat, and the generator must be cheaper than the server
  std::uint64_t last_length_{0};
  bool last_refused_{false};
  std::uint64_t body_left_{0};
  std::uint64_t refused_{0};
};

}  // namespace bench
