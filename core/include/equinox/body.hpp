#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace equinox {

struct OpenFile;
class EgressBatch;

namespace http {
struct ExchangeLink;
}

/// Wakes an exchange that waits: a body source that said `pending`, or a body sink that said `wait`. A value, callable
/// from any thread, any number of times, also after the exchange, its connection or the server is gone (then nothing
/// happens).
class Resumer {
 public:
  Resumer() = default;
  explicit Resumer(std::shared_ptr<http::ExchangeLink> link) noexcept : link_{std::move(link)} {}
  void resume() const;
  /// True once the exchange is known to be over: producing more is pointless.
  [[nodiscard]] bool is_gone() const noexcept;

 private:
  std::shared_ptr<http::ExchangeLink> link_;
};

enum class PullStatus : std::uint8_t {
  bytes,    ///< `count` bytes, at least one, were written; ask again
  pending,  ///< `count` (mostly 0) bytes were written, no more now; the source will call its Resumer, and may be asked
            ///< before
  end,      ///< `count` (possibly 0) last bytes were written; the body is complete
  failed,   ///< the body cannot be completed: the response is cut (HTTP/1: close; HTTP/2: RST_STREAM INTERNAL_ERROR)
};
struct PullResult {
  PullStatus status{PullStatus::end};
  std::size_t count{0};
};

/// What a response body is pulled from. Owning reactor's thread only. An exception out of pull() is `failed`, one out
/// of attach() makes the answer 500.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Writes at most `into.size()` (≥ 1) bytes.
  virtual PullResult pull(std::span<char> into) = 0;
  /// Called once before the first pull; a source that may say `pending` keeps the Resumer.
  virtual void attach(Resumer resumer) { static_cast<void>(resumer); }
  /// Bytes in all when known beforehand: sent as Content-Length.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const noexcept { return std::nullopt; }
};

/// A part of an open file.
struct FileBody {
  std::shared_ptr<const OpenFile> file;
  std::uint64_t offset{0};  ///< bytes
  std::uint64_t length{0};  ///< bytes; the file must not get shorter than this while it is sent
};
/// Opens a regular file to be sent, the whole of it; `offset` and `length` may be narrowed. May be shared by any number
/// of responses, from any thread. Opening may wait for the disk: a handler that opens for each request is better
/// offloaded.
/// @throws std::system_error with the path: not there, not to be read, no regular file (EISDIR, EINVAL)
FileBody open_file(const std::string& path);

/// Content of a response. Small literals first: they cost nothing.
using Body = std::variant<std::monostate, std::string_view, std::string, std::shared_ptr<const std::string>, FileBody,
                          std::unique_ptr<BodySource>>;

/// Generator: called with room for bytes until it says `end`; see BodySource::pull.
using Generator = std::function<PullResult(std::span<char> into, const Resumer& resumer)>;

/// What happens when an event is sent into a full queue (server-sent events).
enum class Overflow : std::uint8_t {
  drop_newest,  ///< the event is lost
  drop_oldest,  ///< the oldest queued event is lost
  close,        ///< the event is lost, and the response ends behind those that are queued
};

/// The sending end of a server-sent event stream (WHATWG HTML §9.2). A value; any thread. The response ends with
/// close(), or when the last copy is gone. One that was moved from is a closed one.
class EventStream {
 public:
  struct Event {
    std::string data;     ///< may hold newlines
    std::string event{};  ///< event type; no newline
    std::string id{};     ///< no newline or NUL
  };
  struct Queue;
  explicit EventStream(std::shared_ptr<Queue> queue);
  /// @return false when the peer is known to be gone or the stream was closed.
  bool send(const Event& event);
  /// Sends a comment line, to keep intermediaries from timing out.
  bool comment(std::string_view text);
  void close();
  [[nodiscard]] bool is_open() const noexcept;
  /// Events lost to the overflow policy so far.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

 private:
  struct End;  ///< shared by the copies; closes as the last one goes
  std::shared_ptr<End> end_;
};

struct EventStreamOptions {
  std::size_t queue_max_bytes{64 * 1024};  ///< of events that wait for the peer; not 0
  Overflow overflow{Overflow::drop_oldest};
  std::uint32_t retry_ms{0};  ///< `retry:` sent first, whatever the overflow does; 0: not sent
};

}  // namespace equinox
