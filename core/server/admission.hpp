#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "http/negotiate.hpp"

namespace equinox::server {

/// To HTTP/1, where a limit leaves no room for a connection.
inline constexpr std::string_view kBusyAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 24\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n503 Service Unavailable\n";

/// The one count of open connections of a server, shared by its reactors. Thread-safe.
class Admission {
 public:
  enum class Verdict : std::uint8_t { admitted, full, client_full, memory };

  /// @param limit       most open connections
  /// @param per_client  most from one address; 0: any number
  Admission(std::uint32_t limit, std::uint32_t per_client) noexcept : limit_{limit}, per_client_{per_client} {}

  /// @param client      nullptr where a load balancer is still to name it: see count_client()
  /// @param counted_in  which count by client the connection entered; keep it for release(). 0: none
  Verdict admit(const Endpoint* client, std::uint16_t& counted_in);
  /// The client of an admitted connection has become known. False: it has as many as it may, and is not counted.
  bool count_client(const Endpoint& client, std::uint16_t& counted_in);
  void release(const Endpoint& client, std::uint16_t counted_in) noexcept;
  [[nodiscard]] std::uint32_t open() const noexcept { return open_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  /// A reload: those above a smaller limit stay.
  void set_limits(std::uint32_t limit, std::uint32_t per_client) noexcept;
  /// Above this many bytes of buffers nobody is admitted; 0: any number.
  void set_memory_limit(std::uint64_t bytes) noexcept { memory_limit_.store(bytes, std::memory_order_relaxed); }
  /// Whether a connection that holds so many bytes of request bodies may hold more. Nobody may above three quarters of
  /// the limit, so that bodies alone never keep newcomers out; and above half of it only who holds little: one
  /// connection must not take the place of all others.
  /// @param untold  what its reactor has not told yet; wraps where that has become less
  [[nodiscard]] bool may_hold(std::uint64_t bytes, std::uint64_t untold) const noexcept {
    const std::uint64_t limit = memory_limit_.load(std::memory_order_relaxed);
    const std::uint64_t used = memory_.load(std::memory_order_relaxed) + untold;
    return limit == 0 || used <= limit / 2 || (used <= limit - limit / 4 && bytes <= limit / 16);
  }
  /// One reactor's buffers have changed from one size to another; told once a second and at each large step.
  void tell_memory(std::uint64_t before, std::uint64_t now) noexcept {
    memory_.fetch_add(now - before, std::memory_order_relaxed);  // wraps, as it should
  }

 private:
  struct AddressHash {
    std::size_t operator()(const std::array<std::uint8_t, 16>& address) const noexcept;
  };
  std::atomic<std::uint32_t> limit_;
  std::atomic<std::uint32_t> per_client_;
  std::atomic<std::uint32_t> open_{0};
  std::atomic<std::uint64_t> memory_limit_{0};
  std::atomic<std::uint64_t> memory_{0};
  std::mutex mutex_;        // only taken while a limit per client is set
  std::uint16_t count_{1};  // which count by client this is: a new one begins when the limit comes or goes
  std::unordered_map<std::array<std::uint8_t, 16>, std::uint32_t, AddressHash> by_client_;
};

/// Newcomers that are turned away politely: a few at a time get a second to say what they speak; HTTP/1 is answered 503
/// with Retry-After and a lingering close, anything else is closed. One reactor's thread.
class RefusalSlots {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr Duration kPatience = std::chrono::seconds{1};
  static constexpr int kMostReads = 64;  ///< of 16 KB, in all: a body that was on its way is read and forgotten

  explicit RefusalSlots(std::size_t slots) : slots_(slots) {}
  /// @param expects_proxy_header  what it speaks comes behind a header of the PROXY protocol
  /// @return the slot to register with the poller, or nothing: then the socket was closed
  std::optional<std::uint32_t> take(UniqueFd socket, TimePoint now, bool expects_proxy_header);
  void on_ready(std::uint32_t slot) noexcept;
  void expire(TimePoint now) noexcept;
  [[nodiscard]] int descriptor(std::uint32_t slot) const noexcept { return slots_[slot].socket.get(); }
  /// When expire() has something to do; kNever without any.
  [[nodiscard]] TimePoint next_due() const noexcept { return used_ == 0 ? kNever : first_due(); }

 private:
  struct Slot {
    UniqueFd socket;
    TimePoint due{};
    int reads{0};
    bool is_answered{false};
    bool awaits_proxy_header{false};
    /// What has come of a first line that does not tell the protocol yet. All known methods are much shorter.
    std::array<char, 64> begun{};
    std::size_t begun_bytes{0};
  };
  bool skip_proxy_header(Slot& slot) noexcept;
  [[nodiscard]] static http::Negotiated spoken_in(Slot& slot, std::string_view bytes) noexcept;
  [[nodiscard]] TimePoint first_due() const noexcept;
  void free(Slot& slot) noexcept;

  std::vector<Slot> slots_;
  std::size_t used_{0};
};

}  // namespace equinox::server
