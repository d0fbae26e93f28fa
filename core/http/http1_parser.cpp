#include "http/http1_parser.hpp"

#include <algorithm>
#include <cstring>

#include "http/headers.hpp"
#include "http/http1_engine.hpp"
#include "http/http1_guard.hpp"
#include "http/http1_head.hpp"

static_assert(LLHTTP_STRICT_MODE == 1, "without strict mode llhttp takes a bare CR for the end of a head");

namespace equinox::http {
namespace {

llhttp_t* engine_in(unsigned char* storage) noexcept { return std::launder(reinterpret_cast<llhttp_t*>(storage)); }

llhttp_errno_t execute(llhttp_t* engine, const char* at, std::size_t size) noexcept {
  static const Http1Engine kEngine = best_engine();
  return static_cast<llhttp_errno_t>(kEngine(engine, at, at + size));
}

/// Two pieces of one element are neighbours, because a head is always fed whole.
std::string_view extended(std::string_view first, const char* at, std::size_t size) noexcept {
  return first.empty() ? std::string_view{at, size}
                       : std::string_view{first.data(), static_cast<std::size_t>(at - first.data()) + size};
}

Errc head_error(llhttp_errno_t code) noexcept {
  switch (code) {
    case HPE_INVALID_URL: return Errc::bad_target;
    // The guard has seen a token in the method's place and a version it knows: what is left is a method that llhttp
    // does not know, or not for HTTP (DESCRIBE), or not for this version (PRI).
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE: return Errc::method_unknown;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH: return Errc::conflicting_framing;
    case HPE_INVALID_TRANSFER_ENCODING: return Errc::transfer_coding_unknown;
    default: return Errc::bad_field;
  }
}

}  // namespace

/// llhttp's callbacks. They only note; nothing is decided or answered inside one.
struct Http1ParserCallbacks {
  static Http1Parser& self(llhttp_t* engine) noexcept { return *static_cast<Http1Parser*>(engine->data); }

  static int on_url(llhttp_t* engine, const char* at, std::size_t size) noexcept {
    std::string_view& target = self(engine).head_.target;
    target = target.empty() ? std::string_view{at, size} : extended(target, at, size);
    return 0;
  }
  static int on_trailer_name(llhttp_t* engine, const char* at, std::size_t size) noexcept {
    Http1Parser& parser = self(engine);
    if (parser.in_value_ || parser.trailer_pieces_.empty()) {
      const auto start = static_cast<std::uint32_t>(parser.trailer_bytes_.size());
      if (parser.head_.fields.size() + parser.trailer_pieces_.size() >= parser.limits_->fields_max_count) {
        return stop(parser, Errc::trailers_too_large);
      }
      parser.trailer_pieces_.push_back({start, 0, start, 0});
      parser.in_value_ = false;
    }
    Http1Parser::Piece& piece = parser.trailer_pieces_.back();
    piece.name_size += static_cast<std::uint32_t>(size);
    piece.value_at = piece.name_at + piece.name_size;
    parser.trailer_bytes_.append(at, size);
    return parser.trailer_bytes_.size() > parser.limits_->trailers_max_bytes ? stop(parser, Errc::trailers_too_large)
                                                                             : 0;
  }
  static int on_trailer_value(llhttp_t* engine, const char* at, std::size_t size) noexcept {
    Http1Parser& parser = self(engine);
    if (parser.trailer_pieces_.empty()) return stop(parser, Errc::bad_field);
    parser.trailer_pieces_.back().value_size += static_cast<std::uint32_t>(size);
    parser.trailer_bytes_.append(at, size);
    parser.in_value_ = true;
    return parser.trailer_bytes_.size() > parser.limits_->trailers_max_bytes ? stop(parser, Errc::trailers_too_large)
                                                                             : 0;
  }
  static int on_headers_complete(llhttp_t* engine) noexcept {
    // Upgrade and CONNECT make llhttp hand over everything behind the head. What is taken up is decided elsewhere;
    // here the message is one like any other, or the next pipelined request would be lost.
    engine->upgrade = 0;
    Http1Parser& parser = self(engine);
    parser.headers_complete_ = true;
    return 0;
  }
  static int on_body(llhttp_t* engine, const char* at, std::size_t size) noexcept {
    Http1Parser& parser = self(engine);
    if (auto gap = parser.check_gap(parser.gap_, at); !gap) return stop(parser, gap.error().code);
    parser.gap_ = at + size;
    parser.body_bytes_ += size;
    CodecEvent event;
    event.kind = EventKind::body;
    event.stream = parser.stream_;
    event.data = reinterpret_cast<const std::byte*>(at);
    event.size = size;
    parser.events_->push_back(event);
    return 0;
  }
  static int on_chunk_header(llhttp_t* engine) noexcept {
    Http1Parser& parser = self(engine);
    if (engine->content_length == 0) return 0;
    CodecEvent event;
    event.kind = EventKind::announced;
    event.stream = parser.stream_;
    event.size = engine->content_length;
    parser.events_->push_back(event);
    return 0;
  }
  static int on_message_complete(llhttp_t* engine) noexcept {
    self(engine).is_complete_ = true;
    return HPE_PAUSED;  // the next request waits until this one is answered
  }
  static int stop(Http1Parser& parser, Errc why) noexcept {
    parser.failure_ = why;
    return HPE_USER;
  }

  /// A head's fields are taken from its lines, which the guard has checked: a call for each name and value less.
  static llhttp_settings_t for_heads() noexcept {
    llhttp_settings_t settings{};
    settings.on_url = on_url;
    settings.on_headers_complete = on_headers_complete;
    settings.on_message_complete = on_message_complete;
    return settings;
  }
  static llhttp_settings_t for_bodies() noexcept {
    llhttp_settings_t settings{};
    settings.on_header_field = on_trailer_name;
    settings.on_header_value = on_trailer_value;
    settings.on_body = on_body;
    settings.on_chunk_header = on_chunk_header;
    settings.on_message_complete = on_message_complete;
    return settings;
  }
};

namespace {

const llhttp_settings_t kForHeads = Http1ParserCallbacks::for_heads();
const llhttp_settings_t kForBodies = Http1ParserCallbacks::for_bodies();

/// An engine at the start of a message, to be copied.
llhttp_t fresh_engine() noexcept {
  llhttp_t engine{};
  llhttp_init(&engine, HTTP_REQUEST, &kForHeads);
  return engine;
}
const llhttp_t kFreshEngine = fresh_engine();

Method method_of(const llhttp_t& engine) noexcept {
  switch (engine.method) {
    case HTTP_GET: return Method::get;
    case HTTP_HEAD: return Method::head;
    case HTTP_POST: return Method::post;
    case HTTP_PUT: return Method::put;
    case HTTP_DELETE: return Method::del;
    case HTTP_CONNECT: return Method::connect;
    case HTTP_OPTIONS: return Method::options;
    case HTTP_TRACE: return Method::trace;
    case HTTP_PATCH: return Method::patch;
    default: return Method::other;
  }
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

}  // namespace

Http1Parser::Http1Parser() {
  static_assert(sizeof(llhttp_t) <= kEngineBytes && alignof(llhttp_t) <= 16);
  new (engine_) llhttp_t{};
}

Http1Parser::~Http1Parser() = default;

void Http1Parser::begin(const Limits& limits) {
  llhttp_t* const engine = engine_in(engine_);
  *engine = kFreshEngine;
  engine->data = this;
  if (fields_.size() < limits.fields_max_count) fields_.resize(limits.fields_max_count);
  // What parse_head() does not always set; the rest is written over.
  head_.has_body = head_.expects_continue = head_.upgrades_to_h2c = false;
  head_.content_length.reset();
  head_.target = {};
  body_bytes_ = 0;
  trailer_span_ = {};
  is_complete_ = headers_complete_ = false;
}

/// What only a message with a body needs, once its head is known.
void Http1Parser::begin_body(const Limits& limits) {
  engine_in(engine_)->settings = const_cast<llhttp_settings_t*>(&kForBodies);
  limits_ = &limits;
  overhead_bytes_ = 0;
  trailer_size_ = 0;
  in_value_ = last_cr_ = line_is_zero_ = line_has_size_ = in_size_ = in_trailers_ = false;
  line_begins_ = true;
  trailer_bytes_.clear();
  trailer_pieces_.clear();
  trailers_.clear();
}

/// Takes the field lines apart: `at` is the first octet behind the request line. The guard has seen that each line ends
/// in CRLF and that their number is within the limit.
std::span<const Field> Http1Parser::split_fields(const char* at, const char* end) noexcept {
  std::size_t count = 0;
  while (at < end && *at != '\r' && count < fields_.size()) {
    const auto* const colon = static_cast<const char*>(std::memchr(at, ':', static_cast<std::size_t>(end - at)));
    if (colon == nullptr) break;  // llhttp has refused this one
    const std::string_view name{at, static_cast<std::size_t>(colon - at)};
    at = colon + 1;
    while (is_blank(*at)) ++at;
    const auto* const line_end = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (line_end == nullptr) break;
    const char* value_end = line_end - 1;
    while (value_end > at && is_blank(value_end[-1])) --value_end;
    fields_[count++] = Field{name, {at, static_cast<std::size_t>(value_end - at)}};
    at = line_end + 1;
  }
  return {fields_.data(), count};
}

Result<void> Http1Parser::parse_head(std::string_view bytes, Scheme scheme, const Limits& limits) {
  begin(limits);
  llhttp_t* const engine = engine_in(engine_);
  llhttp_errno_t code = execute(engine, bytes.data(), bytes.size());
  const bool is_about_framing = code == HPE_INVALID_CONTENT_LENGTH || code == HPE_INVALID_TRANSFER_ENCODING;
  if (is_about_framing && bytes.find('\t') != std::string_view::npos) {
    // llhttp knows only spaces around a length and behind a coding; tabs are white space too (RFC 9110 §5.6.3). Rare
    // enough for a copy.
    spaced_.assign(bytes);
    std::replace(spaced_.begin(), spaced_.end(), '\t', ' ');
    bytes = spaced_;
    begin(limits);
    code = execute(engine, bytes.data(), bytes.size());
  }
  const char* const end = bytes.data() + bytes.size();
  if (code != HPE_OK && !(code == HPE_PAUSED && is_complete_)) {
    if (code != HPE_INVALID_TRANSFER_ENCODING) return head_error(code);
    const std::span<const Field> fields = split_fields(bytes.data() + bytes.find('\n') + 1, end);
    return count_fields(fields, "content-length") != 0 ? Errc::conflicting_framing : head_error(code);
  }
  if (!headers_complete_) return Errc::bad_field;  // llhttp and the guard disagree about the end of the head
  head_.method_name = {bytes.data(), static_cast<std::size_t>(head_.target.data() - bytes.data()) - 1};
  head_.method = method_of(*engine);
  head_.version = engine->http_minor == 1 ? HttpVersion::http11 : HttpVersion::http10;
  head_.scheme = scheme;
  head_.fields = split_fields(head_.target.data() + head_.target.size() + sizeof(" HTTP/1.1\r\n") - 1, end);
  if (auto meaning = interpret_head(head_, scratch_, authority_); !meaning) return meaning;
  if (head_.has_body) begin_body(limits);
  return {};
}

Result<std::size_t> Http1Parser::parse_body(std::span<const std::byte> input, StreamId stream,
                                            std::vector<CodecEvent>& events, const Limits& limits) {
  events_ = &events;
  stream_ = stream;
  limits_ = &limits;
  const auto* const first = reinterpret_cast<const char*>(input.data());
  gap_ = first;
  const std::size_t events_before = events.size();
  llhttp_t* const engine = engine_in(engine_);
  const llhttp_errno_t code = execute(engine, first, input.size());
  std::size_t used = input.size();
  if (code != HPE_OK) {
    const char* const stopped_at = llhttp_get_error_pos(engine);
    if (code == HPE_USER) return failure_;
    // What stands before the wrong octet is judged first: byte by byte it would have been, too.
    if (auto gap = check_gap(gap_, std::max(gap_, stopped_at)); !gap) return gap.error();
    if (code != HPE_PAUSED || !is_complete_) return in_trailers_ ? Errc::bad_field : Errc::bad_chunk;
    used = static_cast<std::size_t>(stopped_at - first);
  } else if (auto gap = check_gap(gap_, first + used); !gap) {
    return gap.error();
  }
  if (is_complete_) {
    finish_trailers();
    if (events.size() == events_before || events.back().kind != EventKind::body) {
      CodecEvent end;
      end.kind = EventKind::body;
      end.stream = stream;
      end.data = input.data();
      events.push_back(end);
    }
    events.back().end_of_message = true;
    if (!trailer_span_.empty()) events.back().trailer_fields = &trailer_span_;
  }
  return used;
}

/// Octets between content: size lines, extensions, the trailer section. llhttp bounds none of them, and takes an LF
/// alone and obs-fold.
Result<void> Http1Parser::check_gap(const char* from, const char* to) {
  for (const char* at = from; at < to; ++at) {
    const char c = *at;
    if (last_cr_ != (c == '\n')) return in_trailers_ ? Errc::bad_field : Errc::bad_chunk;
    last_cr_ = c == '\r';
    if (auto counted = count_overhead(); !counted) return counted;
    if (line_begins_ && in_trailers_ && (c == ' ' || c == '\t' || c == ':')) return Errc::bad_field;
    scan_line_octet(c);
  }
  return {};
}

Result<void> Http1Parser::count_overhead() {
  if (in_trailers_) {
    if (++trailer_size_ > limits_->trailers_max_bytes) return Errc::trailers_too_large;
  } else if (++overhead_bytes_ > limits_->chunk_overhead_max_bytes + body_bytes_ / 16) {
    return Errc::chunk_overhead;
  }
  return {};
}

void Http1Parser::scan_line_octet(char c) noexcept {
  if (c == '\r') return;
  if (c == '\n') {
    if (line_has_size_ && line_is_zero_) in_trailers_ = true;
    line_begins_ = true;
    line_has_size_ = false;
    return;
  }
  if (line_begins_) {
    line_begins_ = false;
    line_is_zero_ = in_size_ = !in_trailers_;
  }
  if (!in_size_) return;
  if (!is_octet(c, kHexDigit)) {
    in_size_ = false;
    return;
  }
  line_has_size_ = true;
  if (c != '0') line_is_zero_ = false;
}

void Http1Parser::finish_trailers() {
  for (const Piece& piece : trailer_pieces_) {
    const std::string_view bytes = trailer_bytes_;
    const Field field{bytes.substr(piece.name_at, piece.name_size),
                      trim(bytes.substr(piece.value_at, piece.value_size))};
    if (!is_forbidden_in_trailers(field.name)) trailers_.push_back(field);
  }
  trailer_span_ = trailers_;
}

Http1ParserPool::~Http1ParserPool() {
  while (free_ != nullptr) {
    Http1Parser* const next = free_->next_free_;
    delete free_;
    free_ = next;
  }
}

Http1Parser* Http1ParserPool::borrow() {
  ++lent_;
  if (free_ == nullptr) {
    ++made_count_;
    return new Http1Parser;
  }
  ++reused_count_;
  Http1Parser* const parser = free_;
  free_ = parser->next_free_;
  --free_count_;
  return parser;
}

void Http1ParserPool::give_back(Http1Parser* parser) noexcept {
  --lent_;
  if (free_count_ >= keep_max_ && free_ != nullptr) {
    // One too many: an older one goes, because the caller may still look at this one's head.
    Http1Parser* const second = free_->next_free_;
    delete free_;
    free_ = second;
    --free_count_;
  }
  parser->next_free_ = free_;
  free_ = parser;
  ++free_count_;
}

}  // namespace equinox::http
