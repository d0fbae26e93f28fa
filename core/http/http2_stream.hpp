#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/result.hpp"
#include "http/http2_frame_scanner.hpp"
#include "http/http2_session_memory.hpp"
#include "http/limits.hpp"
#include "http/priority.hpp"

namespace equinox::http {

/// Bytes that live as long as their stream, first in room its owner has, then in blocks from the reactor's memory.
/// Nothing is freed singly.
class Http2Arena {
 public:
  Http2Arena(Http2SessionMemory& memory, char* room, std::size_t room_bytes) noexcept
      : memory_{memory}, free_{room}, left_{room_bytes} {}
  ~Http2Arena();
  Http2Arena(const Http2Arena&) = delete;
  Http2Arena& operator=(const Http2Arena&) = delete;

  /// Uninitialised bytes, aligned to 8.
  char* allocate(std::size_t bytes) noexcept {
    bytes = (bytes + 7U) & ~std::size_t{7};
    if (bytes > left_) add_block(bytes);
    char* taken = free_;
    free_ += bytes;
    left_ -= bytes;
    return taken;
  }
  std::string_view copy(std::string_view text) noexcept {
    if (text.empty()) return {};
    char* target = allocate(text.size());
    std::memcpy(target, text.data(), text.size());
    return {target, text.size()};
  }
  /// Gives the blocks back. What is left of the owner's room is not used again.
  void clear() noexcept;

 private:
  struct Block {
    Block* previous;
  };
  static constexpr std::size_t kBlockBytes = 1024;
  void add_block(std::size_t bytes) noexcept;

  Http2SessionMemory& memory_;
  Block* last_{nullptr};
  char* free_;
  std::size_t left_;
};

/// Where the body of a response stands: what is left, and how it gets into an egress batch.
class Http2BodyCursor {
 public:
  enum class Step : std::uint8_t {
    bytes,    ///< `count` bytes are ready; emit() puts them into the batch
    pending,  ///< nothing now
    failed,   ///< the source gave up, or it or the file did not keep to the length it announced
  };
  struct Plan {
    Step step{Step::bytes};
    std::size_t count{0};
    bool is_last{false};
  };

  /// Takes the body of `response`, which stays where it is; owned text of 1 KiB and more becomes shared, so that a
  /// batch may outlive the stream.
  void start(Response& response);
  [[nodiscard]] bool has_bytes() const noexcept { return kind_ != Kind::none; }
  /// Bytes left when known, else 0.
  [[nodiscard]] std::uint64_t remaining_bytes() const noexcept { return remaining_; }
  /// Memory of a text that nobody else holds; it goes to the batch with the text's last piece.
  [[nodiscard]] std::size_t owned_bytes() const noexcept { return owned_bytes_; }

  /// Says how many of at most `max` bytes come next. Those of a source or a file go into `batch` at once, behind room
  /// for a frame header; emit() must follow before anything else is appended.
  Plan plan(std::size_t max, EgressBatch& batch) noexcept;
  /// Appends a frame: its header and the `count` bytes planned.
  void emit(std::string_view frame_header, std::size_t count, EgressBatch& batch);

 private:
  enum class Kind : std::uint8_t { none, small, borrowed, file, source };
  static constexpr std::size_t kBorrowMinBytes = 1024;  ///< below this a copy costs less than an iovec
  void start_text(std::string_view text, std::shared_ptr<const void> keeper, std::size_t owned_bytes = 0) noexcept;
  Plan pull(std::size_t max, EgressBatch& batch) noexcept;
  bool read(std::size_t count, EgressBatch& batch) noexcept;

  Kind kind_{Kind::none};
  bool has_length_{true};
  const char* data_{nullptr};
  char* pulled_{nullptr};
  BodySource* source_{nullptr};
  std::shared_ptr<const void> keeper_;
  std::shared_ptr<const OpenFile> file_;
  std::uint64_t offset_{0};
  std::uint64_t remaining_{0};
  std::size_t owned_bytes_{0};
};

/// One stream: the request's head with all its bytes, the response and how far both are. Views in `head` live as long
/// as the stream.
class Http2Stream {
 public:
  /// Gives back what hold() was given.
  using ReleaseShared = void (*)(void* shared) noexcept;

  ~Http2Stream();
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;
  static Http2Stream* create(StreamId id, Http2SessionMemory& memory, Scheme scheme, ReleaseShared release_shared);
  static void destroy(Http2Stream* stream) noexcept;

  /// Values from this size on may be shared with the decoder's table instead of copied: one octet on the wire can stand
  /// for 4 KiB, and a thousand of them must not become megabytes.
  static constexpr std::size_t kShareMinBytes = 256;

  /// Stores one field line of the head, counting by RFC 9113 §6.5.2 (32 octets a field besides its bytes). Beyond a
  /// limit nothing more is stored, only counted.
  /// @return true when `value` was stored without copying: its owner must be given to hold()
  bool add_field(std::string_view name, std::string_view value, const Limits& limits) noexcept {
    const bool is_pseudo = name.starts_with(':');
    head_bytes_ += name.size() + value.size() + kFieldOverhead;
    field_count_ += is_pseudo ? 0U : 1U;
    if (head_bytes_ > limits.head_max_bytes || field_count_ > limits.fields_max_count) return false;
    return is_pseudo ? store_pseudo(name, value, limits) : store_field(name, value);
  }
  /// Keeps a counted reference until the stream goes.
  void hold(void* shared) noexcept;
  /// A trailer field (RFC 9113 §8.1), counted like those of the head but against its own limit. Not stored beyond it,
  /// when nobody will read it, and when it frames or routes (RFC 9110 §6.5.1).
  /// @return true when `value` was stored without copying: its owner must be given to hold()
  bool add_trailer(std::string_view name, std::string_view value, const Limits& limits) noexcept;
  /// The trailers stored, in the order they came; nullptr when there are none. They go with the head. Call once.
  const std::span<const Field>* finish_trailers() noexcept;
  /// Makes `head` of what was stored.
  /// @error why the request cannot be served
  Result<void> finish_head(bool end_of_stream, const Limits& limits);
  /// The response has begun and nobody reads head and trailers any more. Large ones must not be held while their answer
  /// waits for the peer's window (CVE-2026-49975); what observers show of the head stays.
  void release_head() noexcept;
  /// Copies a head that another codec delivered (h2c Upgrade).
  void adopt_head(const RequestHead& other);
  [[nodiscard]] bool trailers_exceed(const Limits& limits) const noexcept {
    return trailer_bytes_ > limits.trailers_max_bytes || field_count_ > limits.fields_max_count;
  }
  /// The value of :authority is known to be valid: it need not be looked at again.
  void trust_authority() noexcept { authority_is_valid_ = true; }
  /// Octets of the head so far by RFC 9113 §6.5.2, also those not stored.
  [[nodiscard]] std::size_t head_bytes() const noexcept { return head_bytes_; }
  /// The same of the trailers.
  [[nodiscard]] std::size_t trailer_bytes() const noexcept { return trailer_bytes_; }

  const StreamId id;
  RequestHead head;
  Priority priority;
  bool is_announced : 1 {false};      ///< a head or refused event was appended and the exchange lives
  bool is_refused : 1 {false};        ///< its body is thrown away
  bool is_remote_closed : 1 {false};  ///< END_STREAM was received
  bool is_answering : 1 {false};      ///< respond() was called
  bool is_answered : 1 {false};       ///< END_STREAM is in the batch
  bool is_deferred : 1 {false};       ///< the body source said `pending`
  bool is_refused_here : 1 {false};   ///< reset by the library, for what the peer did
  bool is_given_up : 1 {false};       ///< reset by the application or by a failed body: no event is due
  bool is_blocked : 1 {false};        ///< data ready, window closed, when last looked at
  bool was_blocked : 1 {false};       ///< the same when the connection's write window began
  std::uint64_t unconsumed_bytes{0};  ///< body bytes delivered and not yet consumed
  std::uint64_t consumed_bytes{0};    ///< of its body, since its window was made this wide
  std::uint32_t window_bytes{0};      ///< its receive window; 0: the one that SETTINGS announce
  std::uint64_t blocked_ns{0};
  std::uint64_t moved_bytes{0};  ///< of its body, since the connection's write window began
  TimePoint spent_at{kNever};    ///< when END_STREAM was sent while the request was incomplete
  Response response;
  Http2BodyCursor body;
  // Texts of the response's fields that are made here: the library points at them until it has sent the head.
  std::array<char, 4> status_digits;
  std::array<char, 20> length_digits;
  std::array<char, 32> date;
  Http2Stream* next{nullptr};
  Http2Stream* previous{nullptr};

 private:
  static constexpr std::size_t kFieldOverhead = 32;      ///< RFC 9113 §6.5.2
  static constexpr std::size_t kReleaseMinBytes = 2048;  ///< below this a head is no burden
  static constexpr std::size_t kShownTargetBytes = 96;
  static constexpr std::size_t kShownMethodBytes = 32;
  struct Held {
    void* shared;
    Held* next;
  };
  struct Trailer {
    Field field;
    Trailer* before;
  };
  Http2Stream(StreamId id, Http2SessionMemory& memory, Scheme scheme, ReleaseShared release_shared) noexcept;
  std::string_view store(std::string_view value, bool& is_shared) noexcept {
    is_shared = value.size() >= kShareMinBytes;
    return is_shared ? value : arena_.copy(value);
  }
  bool store_pseudo(std::string_view name, std::string_view value, const Limits& limits) noexcept;
  bool store_field(std::string_view name, std::string_view value) noexcept;
  void drop_head() noexcept;
  void drop_head_but_what_is_shown() noexcept;
  Field& push_field(std::string_view name, std::string_view value) noexcept {
    if (fields_stored_ == fields_room_) add_field_room();
    return *new (fields_ + fields_stored_++) Field{name, value};
  }
  void add_field_room() noexcept;
  void join_cookies() noexcept;
  Result<void> take_target();
  Result<void> take_authority();
  Result<void> take_expectation(bool end_of_stream);

  Http2SessionMemory& memory_;
  ReleaseShared release_shared_;
  Http2Arena arena_;
  Held* held_{nullptr};
  Trailer* trailers_{nullptr};  ///< the last one stored
  Field* fields_{nullptr};
  std::uint32_t fields_stored_{0};
  std::uint32_t fields_room_{0};
  std::uint32_t field_count_{0};
  std::uint32_t trailers_stored_{0};
  std::size_t head_bytes_{0};
  std::size_t trailer_bytes_{0};
  std::uint32_t cookie_count_{0};
  std::uint32_t host_count_{0};
  std::string_view host_;  ///< the last Host field
  std::optional<std::string_view> expectation_;
  bool target_is_too_long_{false};
  bool authority_is_valid_{false};
};

}  // namespace equinox::http
