#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <equinox/method.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace equinox {

enum class HttpVersion : std::uint8_t { http10, http11, http2 };
enum class Scheme : std::uint8_t { http, https };

/// One field line (RFC 9110 §5): name as received (lower case on HTTP/2), value without surrounding white space.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// One path parameter: `/users/{id}` on `/users/7` gives {"id", "7"}, percent-decoded.
struct PathParameter {
  std::string_view name;
  std::string_view value;
};

/// The head of a request as a codec delivers it. Views are as stable as their codec says (see codec.hpp).
struct RequestHead {
  Method method{Method::get};
  HttpVersion version{HttpVersion::http11};
  Scheme scheme{Scheme::http};
  bool has_body{false};          ///< content or trailers may follow the head
  bool expects_continue{false};  ///< Expect: 100-continue on HTTP/1.1 or HTTP/2, and a body follows
  bool keep_alive{true};         ///< what the peer asked for; always true on HTTP/2
  bool upgrades_to_h2c{false};   ///< HTTP/1.1 request that may continue as stream 1 of HTTP/2 (RFC 7540 §3.2)
  std::uint8_t urgency{3};       ///< RFC 9218 §4.1, 0–7
  bool incremental{false};       ///< RFC 9218 §4.2
  std::optional<std::uint64_t> content_length;  ///< as announced, bytes
  std::string_view method_name;
  std::string_view target;  ///< as received
  /// Percent-decoded except %2F and a %25 that would make one, dot segments removed, always starting with '/'; "*" for
  /// OPTIONS *.
  std::string_view path;
  std::string_view query;      ///< without '?', undecoded
  std::string_view authority;  ///< Host, :authority or the absolute-form's authority
  std::span<const Field> fields;

  /// First field of that name, compared without case (RFC 9110 §5.1).
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept;
};

/// What the server knows of a request besides its bytes. Lives as long as the exchange.
struct RequestContext {
  Endpoint peer;    ///< the other end of the socket
  Endpoint client;  ///< behind trusted proxies or the PROXY protocol; else the peer
  ConnectionId connection;
  StreamId stream{0};
  std::string_view
      request_id;  ///< X-Request-Id as accepted or made, ≤ 64 bytes of visible ASCII; empty when request ids are off
  std::string_view trace_id;  ///< 32 hex digits of a valid traceparent, else empty
  std::string_view listener;  ///< name of the listener
};

namespace http {
class OwnedRequest;
}

/// One request, whichever protocol brought it. A handler that gets `const Request&` sees views that die when it
/// returns; one that gets it by value owns everything. Not shared between threads at the same time.
class Request {
 public:
  Request(const RequestHead& head, const RequestContext& context, std::string_view body = {},
          std::span<const PathParameter> parameters = {}, std::span<const Field> trailers = {}) noexcept;
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  [[nodiscard]] Method method() const noexcept { return head_->method; }
  [[nodiscard]] std::string_view method_name() const noexcept { return head_->method_name; }
  [[nodiscard]] HttpVersion version() const noexcept { return head_->version; }
  [[nodiscard]] Scheme scheme() const noexcept { return head_->scheme; }
  [[nodiscard]] std::string_view target() const noexcept { return head_->target; }
  [[nodiscard]] std::string_view path() const noexcept { return head_->path; }
  [[nodiscard]] std::string_view query() const noexcept { return head_->query; }
  [[nodiscard]] std::string_view authority() const noexcept { return head_->authority; }
  [[nodiscard]] std::span<const Field> fields() const noexcept { return head_->fields; }
  /// First field of that name, without case; nothing when absent.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept {
    return head_->field(name);
  }
  /// Whether the client takes content in this coding ("gzip") and does not rather have it plain (Accept-Encoding,
  /// RFC 9110 §12.5.3).
  [[nodiscard]] bool accepts_encoding(std::string_view coding) const noexcept;
  [[nodiscard]] std::string_view body() const noexcept { return body_; }
  [[nodiscard]] std::span<const Field> trailers() const noexcept { return trailers_; }
  [[nodiscard]] std::span<const PathParameter> parameters() const noexcept { return parameters_; }
  /// A path parameter by name; for a prefix route ("/files/*") the name is "*" and the value the rest. Empty when
  /// absent.
  [[nodiscard]] std::string_view parameter(std::string_view name) const noexcept;
  [[nodiscard]] const RequestHead& head() const noexcept { return *head_; }
  [[nodiscard]] const RequestContext& context() const noexcept { return *context_; }
  [[nodiscard]] const Endpoint& peer() const noexcept { return context_->peer; }
  [[nodiscard]] const Endpoint& client() const noexcept { return context_->client; }
  [[nodiscard]] std::string_view request_id() const noexcept { return context_->request_id; }

  [[nodiscard]] bool is_owning() const noexcept { return owner_ != nullptr; }
  /// Bytes allocated by a copy that owns them; 0 for views.
  [[nodiscard]] std::size_t owned_bytes() const noexcept;
  /// A copy that owns all its bytes (one allocation).
  [[nodiscard]] Request to_owned() const;

 private:
  Request() noexcept;
  const RequestHead* head_;
  const RequestContext* context_;
  std::string_view body_;
  std::span<const PathParameter> parameters_;
  std::span<const Field> trailers_;
  std::unique_ptr<http::OwnedRequest> owner_;
};

}  // namespace equinox
