#include "http/http2_stream.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "http/headers.hpp"
#include "http/known_methods.hpp"
#include "http/target.hpp"

namespace equinox::http {
namespace {

constexpr std::string_view kRequestId = "x-request-id";
constexpr std::size_t kRequestIdMaxBytes = 64;
constexpr std::size_t kHeadRoomBytes = 704;  // eight fields and their texts

std::optional<std::uint64_t> parse_length(std::string_view digits) noexcept {
  std::uint64_t length = 0;
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return length;
}

}  // namespace

Http2Arena::~Http2Arena() { clear(); }

void Http2Arena::clear() noexcept {
  while (last_ != nullptr) {
    Block* previous = last_->previous;
    memory_.release(last_);
    last_ = previous;
  }
  left_ = 0;
}

void Http2Arena::add_block(std::size_t bytes) noexcept {
  const std::size_t size = std::max(kBlockBytes, sizeof(Block) + bytes);
  auto* block = static_cast<Block*>(memory_.allocate(size));
  block->previous = last_;
  last_ = block;
  free_ = reinterpret_cast<char*>(block + 1);
  left_ = size - sizeof(Block);
}

// The bytes of a usual head stand behind the stream, in the same block of memory.
Http2Stream::Http2Stream(StreamId stream, Http2SessionMemory& memory, Scheme scheme,
                         ReleaseShared release_shared) noexcept
    : id{stream},
      memory_{memory},
      release_shared_{release_shared},
      arena_{memory, reinterpret_cast<char*>(this + 1), kHeadRoomBytes} {
  head.version = HttpVersion::http2;
  head.scheme = scheme;
}

Http2Stream::~Http2Stream() { drop_head(); }

Http2Stream* Http2Stream::create(StreamId stream, Http2SessionMemory& memory, Scheme scheme,
                                 ReleaseShared release_shared) {
  void* block = memory.allocate(sizeof(Http2Stream) + kHeadRoomBytes);
  return new (block) Http2Stream{stream, memory, scheme, release_shared};
}

void Http2Stream::destroy(Http2Stream* stream) noexcept {
  Http2SessionMemory& memory = stream->memory_;
  memory.discharge(stream->body.owned_bytes());
  stream->~Http2Stream();
  memory.release(stream);
}

void Http2Stream::hold(void* shared) noexcept {
  auto* held = new (arena_.allocate(sizeof(Held))) Held{shared, held_};
  held_ = held;
}

void Http2Stream::drop_head() noexcept {
  for (Held* held = held_; held != nullptr; held = held->next) release_shared_(held->shared);
  held_ = nullptr;
  arena_.clear();
  trailers_ = nullptr;
  fields_ = nullptr;
  fields_stored_ = fields_room_ = 0;
}

void Http2Stream::add_field_room() noexcept {
  const std::uint32_t room = std::max(8U, fields_room_ * 2);
  auto* larger = reinterpret_cast<Field*>(arena_.allocate(room * sizeof(Field)));
  std::uninitialized_copy_n(fields_, fields_stored_, larger);
  fields_ = larger;
  fields_room_ = room;
}

bool Http2Stream::store_pseudo(std::string_view name, std::string_view value, const Limits& limits) noexcept {
  bool is_shared = false;
  switch (name.size() > 1 ? name[1] : '\0') {  // the library lets only the four of RFC 9113 §8.3.1 through
    case 'p':
      target_is_too_long_ = value.size() > limits.target_max_bytes;
      if (!target_is_too_long_) head.target = store(value, is_shared);
      break;
    case 'm':
      head.method = parse_method(value);
      head.method_name = head.method == Method::other ? store(value, is_shared) : to_string(head.method);
      break;
    case 'a': head.authority = store(value, is_shared); break;
    default: break;
  }
  return is_shared;
}

bool Http2Stream::store_field(std::string_view name, std::string_view value) noexcept {
  bool is_shared = false;
  const std::string_view stored_name = arena_.copy(name);
  const Field& field = push_field(stored_name, store(value, is_shared));
  switch (name.size()) {  // by length first: most names are none of these
    case 4:
      if (name == "host") ++host_count_, host_ = field.value;
      break;
    case 6:
      if (name == "cookie") ++cookie_count_;
      if (name == "expect" && !expectation_) expectation_ = field.value;
      break;
    case 8:
      if (name == "priority") priority = parse_priority(field.value, priority);
      break;
    case 14:
      if (name == "content-length") head.content_length = parse_length(field.value);
      break;
    default: break;
  }
  return is_shared;
}

bool Http2Stream::add_trailer(std::string_view name, std::string_view value, const Limits& limits) noexcept {
  trailer_bytes_ += name.size() + value.size() + kFieldOverhead;
  ++field_count_;
  if (trailers_exceed(limits) || is_refused || is_answering || is_given_up) return false;
  if (name.starts_with(':') || is_forbidden_in_trailers(name)) return false;
  bool is_shared = false;
  const Field field{arena_.copy(name), store(value, is_shared)};
  trailers_ = new (arena_.allocate(sizeof(Trailer))) Trailer{field, trailers_};
  ++trailers_stored_;
  return is_shared;
}

const std::span<const Field>* Http2Stream::finish_trailers() noexcept {
  if (trailers_ == nullptr) return nullptr;
  auto* const fields = reinterpret_cast<Field*>(arena_.allocate(trailers_stored_ * sizeof(Field)));
  Field* at = fields + trailers_stored_;
  for (const Trailer* last = trailers_; last != nullptr; last = last->before) new (--at) Field{last->field};
  return new (arena_.allocate(sizeof(std::span<const Field>))) std::span<const Field>{fields, trailers_stored_};
}

// RFC 9113 §8.2.3: crumbs become one field again before anything else sees them.
void Http2Stream::join_cookies() noexcept {
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < fields_stored_; ++i) {
    if (fields_[i].name == "cookie") size += fields_[i].value.size() + 2;
  }
  char* joined = arena_.allocate(size);
  char* end = joined;
  Field* first = nullptr;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < fields_stored_; ++i) {
    const Field field = fields_[i];
    if (field.name != "cookie") {
      fields_[kept++] = field;
      continue;
    }
    if (first == nullptr) {
      first = fields_ + kept;
      fields_[kept++] = field;
    } else {
      end = std::copy_n("; ", 2, end);
    }
    end = std::copy(field.value.begin(), field.value.end(), end);
  }
  first->value = {joined, static_cast<std::size_t>(end - joined)};
  fields_stored_ = kept;
}

Result<void> Http2Stream::take_target() {
  if (target_is_too_long_) return Errc::target_too_long;
  if (!is_known(head.method, head.method_name)) return Errc::method_unknown;
  if (head.method == Method::connect) head.target = head.authority;
  std::string scratch;
  const auto target = parse_target(head.method, head.target, scratch);
  if (!target) return target.error().code;
  const std::string_view path = scratch.empty() ? target->path : arena_.copy(target->path);
  head.path = {path.data(), path.size()};
  head.query = {target->query.data(), target->query.size()};
  return {};
}

// RFC 9113 §8.3.1: :authority and Host must not name different origins, and neither carries userinfo.
Result<void> Http2Stream::take_authority() {
  if (host_count_ > 1) return Errc::bad_host;
  if (head.authority.empty()) {
    head.authority = host_;
  } else {
    if (host_count_ == 1 && !equals_ignoring_case(host_, head.authority)) return Errc::bad_host;
    if (authority_is_valid_) return {};
  }
  if (!is_valid_authority(head.authority)) return Errc::bad_host;
  return {};
}

Result<void> Http2Stream::take_expectation(bool end_of_stream) {
  if (!expectation_) return {};
  if (!equals_ignoring_case(*expectation_, "100-continue")) return Errc::expectation_failed;
  head.expects_continue = !end_of_stream;
  return {};
}

Result<void> Http2Stream::finish_head(bool end_of_stream, const Limits& limits) {
  is_remote_closed = end_of_stream;
  head.has_body = !end_of_stream;
  if (cookie_count_ > 1) join_cookies();
  head.fields = {fields_, fields_stored_};
  Result<void> sound;
  if (head_bytes_ > limits.head_max_bytes || field_count_ > limits.fields_max_count) sound = Errc::head_too_large;
  if (sound) sound = take_target();
  if (sound) sound = take_authority();
  if (sound) sound = take_expectation(end_of_stream);
  head.urgency = priority.urgency;
  head.incremental = priority.incremental;
  if (!sound) {
    // Nobody reads the head of a refused request but what names it; a thousand of them must not hold a thousand heads.
    std::array<char, kRequestIdMaxBytes> own;
    const std::string_view named = head.field(kRequestId).value_or("");
    const std::size_t own_size = named.size() > own.size() ? 0 : named.copy(own.data(), own.size());
    drop_head_but_what_is_shown();
    if (own_size != 0) push_field(kRequestId, arena_.copy({own.data(), own_size}));
    head.fields = {fields_, fields_stored_};
    is_refused = true;
  }
  return sound;
}

void Http2Stream::release_head() noexcept {
  if (head_bytes_ + trailer_bytes_ >= kReleaseMinBytes) drop_head_but_what_is_shown();
}

void Http2Stream::drop_head_but_what_is_shown() noexcept {
  std::array<char, kShownTargetBytes> shown;
  const std::size_t size = head.target.copy(shown.data(), shown.size());
  RequestHead left;
  left.method = head.method;
  std::array<char, kShownMethodBytes> method;
  const std::size_t method_size = head.method_name.copy(method.data(), method.size());
  left.version = head.version;
  left.scheme = head.scheme;
  left.urgency = head.urgency;
  left.incremental = head.incremental;
  drop_head();
  left.target = arena_.copy({shown.data(), size});
  left.method_name = head.method == Method::other ? arena_.copy({method.data(), method_size}) : to_string(head.method);
  head = left;
}

void Http2Stream::adopt_head(const RequestHead& other) {
  head = other;
  head.version = HttpVersion::http2;
  head.has_body = head.expects_continue = head.upgrades_to_h2c = false;
  head.keep_alive = true;
  head.method_name = arena_.copy(other.method_name);
  head.target = arena_.copy(other.target);
  head.path = arena_.copy(other.path);
  head.query = arena_.copy(other.query);
  head.authority = arena_.copy(other.authority);
  for (const Field& field : other.fields) {
    if (equals_ignoring_case(field.name, "connection") || equals_ignoring_case(field.name, "upgrade") ||
        equals_ignoring_case(field.name, "http2-settings")) {
      continue;  // they spoke of the connection before the upgrade
    }
    push_field(arena_.copy(field.name), arena_.copy(field.value));
    if (equals_ignoring_case(field.name, "priority")) priority = parse_priority(field.value, priority);
  }
  head.fields = {fields_, fields_stored_};
  head.urgency = priority.urgency;
  head.incremental = priority.incremental;
  is_remote_closed = true;
}

}  // namespace equinox::http
