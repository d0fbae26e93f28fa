#pragma once

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "net/socket_address.hpp"

namespace equinox::net {

struct ListenerOptions {
  bool reuse_port{true};        ///< one listener per reactor on the same address
  int backlog{4096};            ///< the kernel caps it at net.core.somaxconn
  int defer_accept_seconds{0};  ///< TCP_DEFER_ACCEPT; 0: off
  bool v6_only{false};          ///< for "[::]:80"; ":80" always takes both families
};

/// A connection taken from the accept queue: non-blocking, close-on-exec, TCP_NODELAY, SO_KEEPALIVE.
struct Accepted {
  UniqueFd socket;
  Endpoint peer;
};

/// As `ss -lt` shows them.
struct AcceptQueue {
  std::uint32_t length{0};
  std::uint32_t limit{0};
};

/// A listening socket. Owning reactor's thread only, except accept_queue() (any thread while it is open).
class Listener {
 public:
  Listener() = default;

  /// @error system (os_errno: EADDRINUSE, EACCES, EADDRNOTAVAIL …)
  static Result<Listener> open(const SocketAddress& address, const ListenerOptions& options = {});
  /// One for each of `count` reactors on the same address, with a queue each; port 0: the kernel's choice for all.
  /// Of `options`, `reuse_port` is decided here. @error as open(); none is left open then
  static Result<std::vector<Listener>> open_group(const SocketAddress& address, ListenerOptions options,
                                                  std::uint32_t count);
  /// Takes a socket that is already bound and listening (hand-over, socket activation).
  /// @error invalid_argument when it is not a listening stream socket of an IP family; the descriptor is closed
  static Result<Listener> adopt(UniqueFd socket);

  /// One connection; nullopt when the queue is empty. Goes on after EINTR, ECONNABORTED and the peer's network errors.
  /// @error descriptors_exhausted (EMFILE, ENFILE): pause and try again by timer, the edge does not come back;
  ///        out_of_memory (ENOBUFS, ENOMEM): likewise; system: the listener is broken
  Result<std::optional<Accepted>> accept();

  /// The address the kernel chose, port included.
  [[nodiscard]] const SocketAddress& bound_address() const noexcept { return address_; }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(socket_); }
  [[nodiscard]] AcceptQueue accept_queue() const noexcept;
  /// Connections still queued are reset by the kernel: accept until nullopt before.
  void close() noexcept { socket_.reset(); }
  /// Gives the socket away (hand-over to a new process).
  [[nodiscard]] UniqueFd release() noexcept { return std::move(socket_); }

 private:
  Listener(UniqueFd socket, const SocketAddress& address) noexcept : socket_{std::move(socket)}, address_{address} {}

  UniqueFd socket_;
  SocketAddress address_;
};

}  // namespace equinox::net
