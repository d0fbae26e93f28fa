#include <cstring>
#include <equinox/request.hpp>
#include <new>

#include "http/content_coding.hpp"
#include "http/headers.hpp"

namespace equinox {

std::optional<std::string_view> RequestHead::field(std::string_view name) const noexcept {
  return http::find_field(fields, name);
}

namespace http {

/// A request's values and all their bytes in one allocation: this object, then the arrays, then the text.
class OwnedRequest {
 public:
  RequestHead head;
  RequestContext context;
  std::string_view body;
  std::span<const PathParameter> parameters;
  std::span<const Field> trailers;
  std::size_t extra_bytes{0};  ///< behind this object

  static std::unique_ptr<OwnedRequest> copy(const Request& from);

  static void* operator new(std::size_t size, std::size_t extra) { return ::operator new(size + extra); }
  static void operator delete(void* memory) noexcept { ::operator delete(memory); }
  static void operator delete(void* memory, std::size_t /*extra*/) noexcept { ::operator delete(memory); }
};

namespace {

/// Hands out the bytes behind the object.
class Arena {
 public:
  explicit Arena(char* cursor) noexcept : cursor_{cursor} {}
  std::string_view text(std::string_view from) noexcept {
    if (from.empty()) return {};
    char* const at = cursor_;
    std::memcpy(at, from.data(), from.size());
    cursor_ += from.size();
    return {at, from.size()};
  }
  template <typename Pair>
  Pair* array(std::size_t count) noexcept {
    auto* const at = reinterpret_cast<Pair*>(cursor_);
    cursor_ += count * sizeof(Pair);
    return at;
  }
  template <typename Pair>
  std::span<const Pair> fill(Pair* into, std::span<const Pair> from) noexcept {
    for (std::size_t i = 0; i < from.size(); ++i) new (into + i) Pair{text(from[i].name), text(from[i].value)};
    return {into, from.size()};
  }

 private:
  char* cursor_;
};

template <typename Pair>
std::size_t bytes_of(std::span<const Pair> pairs) noexcept {
  std::size_t bytes = pairs.size() * sizeof(Pair);
  for (const Pair& pair : pairs) bytes += pair.name.size() + pair.value.size();
  return bytes;
}

}  // namespace

std::unique_ptr<OwnedRequest> OwnedRequest::copy(const Request& from) {
  const RequestHead& head = from.head();
  const RequestContext& context = from.context();
  const std::size_t extra = bytes_of(head.fields) + bytes_of(from.parameters()) + bytes_of(from.trailers()) +
                            head.method_name.size() + head.target.size() + head.path.size() + head.query.size() +
                            head.authority.size() + context.request_id.size() + context.trace_id.size() +
                            context.listener.size() + from.body().size();
  std::unique_ptr<OwnedRequest> owned{new (extra) OwnedRequest{}};
  static_assert(sizeof(OwnedRequest) % alignof(Field) == 0);
  Arena arena{reinterpret_cast<char*>(owned.get() + 1)};
  Field* const fields = arena.array<Field>(head.fields.size());  // arrays first: they need alignment, text does not
  Field* const trailers = arena.array<Field>(from.trailers().size());
  auto* const parameters = arena.array<PathParameter>(from.parameters().size());
  owned->extra_bytes = extra;
  owned->head = head;
  owned->head.fields = arena.fill(fields, head.fields);
  owned->head.method_name = arena.text(head.method_name);
  owned->head.target = arena.text(head.target);
  owned->head.path = arena.text(head.path);
  owned->head.query = arena.text(head.query);
  owned->head.authority = arena.text(head.authority);
  owned->context = context;
  owned->context.request_id = arena.text(context.request_id);
  owned->context.trace_id = arena.text(context.trace_id);
  owned->context.listener = arena.text(context.listener);
  owned->trailers = arena.fill(trailers, from.trailers());
  owned->parameters = arena.fill(parameters, from.parameters());
  owned->body = arena.text(from.body());
  return owned;
}

}  // namespace http

namespace {
const RequestHead kNoHead{};
const RequestContext kNoContext{};
}  // namespace

Request::Request(const RequestHead& head, const RequestContext& context, std::string_view body,
                 std::span<const PathParameter> parameters, std::span<const Field> trailers) noexcept
    // In the pieces in which they came: a copy of both halves at once would wait for those.
    : head_{&head},
      context_{&context},
      body_{body},
      parameters_{parameters.data(), parameters.size()},
      trailers_{trailers.data(), trailers.size()} {}
Request::Request() noexcept : head_{&kNoHead}, context_{&kNoContext} {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

bool Request::accepts_encoding(std::string_view coding) const noexcept {
  int weight = 0;
  http::weigh_codings(fields(), {&coding, 1}, {&weight, 1});
  return weight > 0;
}

std::string_view Request::parameter(std::string_view name) const noexcept {
  for (const PathParameter& parameter : parameters_) {
    if (parameter.name == name) return parameter.value;
  }
  return {};
}

std::size_t Request::owned_bytes() const noexcept {
  return owner_ == nullptr ? 0 : sizeof(http::OwnedRequest) + owner_->extra_bytes;
}

Request Request::to_owned() const {
  Request copy;
  copy.owner_ = http::OwnedRequest::copy(*this);
  copy.head_ = &copy.owner_->head;
  copy.context_ = &copy.owner_->context;
  copy.body_ = copy.owner_->body;
  copy.parameters_ = copy.owner_->parameters;
  copy.trailers_ = copy.owner_->trailers;
  return copy;
}

}  // namespace equinox
