#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/body.hpp>
#include <equinox/request.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/codec.hpp"
#include "http/http1_head.hpp"
#include "http/limits.hpp"

namespace equinox::http {

/// What one HTTP/1 message needs while it is parsed and answered: llhttp (trapped in http1_parser.cpp), the field
/// array, decoding scratch, and the state of a streamed answer. Lent by a pool; knows nothing of the connection. One
/// thread.
class Http1Parser {
 public:
  Http1Parser();
  Http1Parser(const Http1Parser&) = delete;
  Http1Parser& operator=(const Http1Parser&) = delete;
  ~Http1Parser();

  /// Parses one whole head that scan_head() has found, and interprets it: fills head(). Views point into `bytes` and
  /// into this parser.
  /// @error bad_request_line, bad_target, bad_field, bad_host, conflicting_framing, transfer_coding_unknown,
  ///        method_unknown, expectation_failed, version_unsupported
  Result<void> parse_head(std::string_view bytes, Scheme scheme, const Limits& limits);
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }
  [[nodiscard]] RequestHead& head() noexcept { return head_; }

  /// Parses body bytes; stops behind the last byte of the message. Appends body events, the last one with
  /// end_of_message.
  /// @error bad_chunk, bad_field, chunk_overhead, trailers_too_large
  Result<std::size_t> parse_body(std::span<const std::byte> input, StreamId stream, std::vector<CodecEvent>& events,
                                 const Limits& limits);
  [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }
  /// Content received so far, bytes.
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }
  [[nodiscard]] std::span<const Field> trailers() const noexcept { return trailer_span_; }
  /// Bytes of memory held: this object and its room for fields and texts.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return sizeof(*this) + (fields_.capacity() + trailers_.capacity()) * sizeof(Field) + scratch_.capacity() +
           spaced_.capacity() + trailer_bytes_.capacity() + trailer_pieces_.capacity() * sizeof(Piece);
  }

  /// A streamed answer.
  struct Answer {
    std::unique_ptr<BodySource> source;
    std::vector<std::pair<std::string, std::string>> trailers;
    std::uint64_t remaining_bytes{0};  ///< of an announced length
    std::uint64_t discard_until{0};    ///< body_bytes() at which discarding an unread body ends
    bool has_length{false};
    bool is_chunked{false};
  };
  Answer answer;

 private:
  friend struct Http1ParserCallbacks;
  friend class Http1ParserPool;
  struct Piece {  ///< of a trailer: where it lies in trailer_bytes_
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  void begin(const Limits& limits);
  void begin_body(const Limits& limits);
  std::span<const Field> split_fields(const char* at, const char* end) noexcept;
  Result<void> check_gap(const char* from, const char* to);
  Result<void> count_overhead();
  void scan_line_octet(char c) noexcept;
  void finish_trailers();

  static constexpr std::size_t kEngineBytes = 112;
  alignas(16) unsigned char engine_[kEngineBytes];  // llhttp_t, kept out of this header
  RequestHead head_;
  std::vector<Field> fields_;
  std::string scratch_;
  KnownAuthority authority_;
  std::string spaced_;  ///< the head with tabs made spaces, when llhttp could not take them
  const Limits* limits_{nullptr};

  // Body.
  std::vector<CodecEvent>* events_{nullptr};
  StreamId stream_{0};
  const char* gap_{nullptr};  // first byte not yet known to be content
  std::uint64_t body_bytes_{0};
  std::uint64_t overhead_bytes_{0};
  std::uint64_t trailer_size_{0};
  Errc failure_{Errc::bad_chunk};
  bool is_complete_{false};
  bool headers_complete_{false};
  bool in_value_{false};
  // Chunk framing as the gap scanner sees it.
  bool last_cr_{false};
  bool line_begins_{true};
  bool line_is_zero_{false};
  bool line_has_size_{false};
  bool in_size_{false};
  bool in_trailers_{false};
  std::string trailer_bytes_;
  std::vector<Piece> trailer_pieces_;
  std::vector<Field> trailers_;
  std::span<const Field> trailer_span_;
  Http1Parser* next_free_{nullptr};
};

/// Lends parsers to the codecs of one reactor. Must outlive them. One thread.
class Http1ParserPool {
 public:
  explicit Http1ParserPool(std::size_t keep_max = 64) noexcept : keep_max_{keep_max} {}
  Http1ParserPool(const Http1ParserPool&) = delete;
  Http1ParserPool& operator=(const Http1ParserPool&) = delete;
  ~Http1ParserPool();

  Http1Parser* borrow();
  /// What the parser holds stays readable until the next borrow() from this pool.
  void give_back(Http1Parser* parser) noexcept;
  [[nodiscard]] std::size_t lent() const noexcept { return lent_; }
  [[nodiscard]] std::size_t free_count() const noexcept { return free_count_; }
  [[nodiscard]] std::uint64_t reused_count() const noexcept { return reused_count_; }
  [[nodiscard]] std::uint64_t made_count() const noexcept { return made_count_; }

 private:
  Http1Parser* free_{nullptr};
  std::size_t free_count_{0};
  std::size_t lent_{0};
  std::uint64_t reused_count_{0};
  std::uint64_t made_count_{0};
  std::size_t keep_max_;
};

}  // namespace equinox::http
