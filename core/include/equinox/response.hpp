#pragma once

#include <cstdint>
#include <equinox/body.hpp>
#include <equinox/status.hpp>
#include <functional>
#include <memory>
#include <new>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace equinox {

namespace http {
struct ResponseAccess;
}

/// A response as a plain value, the same for HTTP/1 and HTTP/2. Content-Length, Date, Connection, Transfer-Encoding are
/// the codec's: setting them with `with` is ignored. Field names that are no token and values with control characters
/// but tabs are refused (the field is dropped and the response becomes 500): no response splitting. Blanks around a
/// value are dropped.
class Response {
 public:
  using Text = std::variant<std::string_view, std::string>;  ///< a view must be a literal or outlive the response
  struct OutField {
    std::string_view name;  ///< a literal
    Text value;
    [[nodiscard]] std::string_view view() const noexcept {
      return value.index() == 0 ? *std::get_if<0>(&value) : std::string_view{*std::get_if<1>(&value)};
    }
  };
  static constexpr std::size_t kInlineFields = 8;

  explicit Response(Status status = 200) noexcept : status_{status} {}
  Response(Response&& other) noexcept { take(std::move(other)); }
  Response& operator=(Response&& other) noexcept {
    if (this != &other) {
      drop_fields();
      take(std::move(other));
    }
    return *this;
  }
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;
  ~Response() { drop_fields(); }

  /// A literal body: not copied, must outlive the response.
  static Response literal(std::string_view body, std::string_view content_type, Status status = 200) noexcept;
  static Response text(std::string body, Status status = 200);
  static Response html(std::string body, Status status = 200);
  /// Needs <nlohmann/json.hpp>, which <equinox/server.hpp> includes.
  static Response json(const nlohmann::json& value, Status status = 200);
  /// Already serialised JSON.
  static Response json_text(std::string body, Status status = 200);
  /// A large constant shared by many responses.
  static Response shared(std::shared_ptr<const std::string> body, std::string_view content_type, Status status = 200);
  static Response file(FileBody body, std::string_view content_type, Status status = 200);
  static Response stream(std::unique_ptr<BodySource> source, std::string_view content_type, Status status = 200);
  /// @throws std::invalid_argument for an empty generator
  static Response generate(Generator generator, std::string_view content_type, Status status = 200);
  /// Server-sent events; `open` is called at once with the sending end.
  /// @throws std::invalid_argument for an empty `open`, and for a queue without room
  static Response events(const std::function<void(EventStream)>& open, EventStreamOptions options = {});
  static Response redirect(std::string location, Status status = 302);
  static Response empty(Status status = 204) noexcept { return Response{status}; }
  /// A short text/plain answer: "404 Not Found\n".
  static Response error(Status status);

  /// Appends a field; `name` is a literal that outlives the response. Chainable.
  Response& with(std::string_view name, std::string value) &;
  Response& with(std::string_view name, std::string_view literal) &;
  Response& with(std::string_view name, const char* literal) & { return with(name, std::string_view{literal}); }
  template <typename V>
  Response&& with(std::string_view name, V&& value) && {
    static_cast<void>(static_cast<Response&>(*this).with(name, std::forward<V>(value)));
    return std::move(*this);
  }
  /// Appends a field whose name is made at run time.
  Response& with_dynamic(std::string name, std::string value);
  Response& content_type(Text type) {
    content_type_ = std::move(type);
    return *this;
  }
  Response& content_type(const char* literal) { return content_type(Text{std::string_view{literal}}); }
  /// Asks for the connection to be closed after this response (HTTP/1: Connection: close; HTTP/2: ignored).
  Response& close_connection() noexcept {
    close_ = true;
    return *this;
  }
  /// Trailer fields sent after a streamed body (RFC 9110 §6.5).
  Response& trailer(std::string name, std::string value);

  [[nodiscard]] Status status() const noexcept { return status_; }
  Response& status(Status status) noexcept {
    status_ = status;
    return *this;
  }
  [[nodiscard]] std::string_view content_type() const noexcept {
    return content_type_.index() == 0 ? *std::get_if<0>(&content_type_)
                                      : std::string_view{*std::get_if<1>(&content_type_)};
  }
  [[nodiscard]] const Body& body() const noexcept { return body_; }
  Body& body() noexcept { return body_; }
  [[nodiscard]] bool closes_connection() const noexcept { return close_; }
  [[nodiscard]] std::size_t inline_field_count() const noexcept { return count_; }
  [[nodiscard]] const OutField& inline_field(std::size_t index) const noexcept { return fields()[index]; }
  /// Whether more_fields() or trailers() holds anything.
  [[nodiscard]] bool has_more() const noexcept { return extra_ != nullptr; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& more_fields() const noexcept;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& trailers() const noexcept;
  /// The value of the first field of that name, without case; empty when absent.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
  /// Bytes of the body when known without pulling.
  [[nodiscard]] std::optional<std::uint64_t> body_length() const noexcept {
    if (const auto* view = std::get_if<std::string_view>(&body_)) return view->size();
    return other_body_length();
  }

 private:
  friend struct http::ResponseAccess;
  Response(Status status, Body&& body, Text&& type) noexcept
      : status_{status}, content_type_{std::move(type)}, body_{std::move(body)} {}
  [[nodiscard]] std::optional<std::uint64_t> other_body_length() const noexcept;
  struct Extra {
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<std::pair<std::string, std::string>> trailers;
  };
  OutField* fields() noexcept { return std::launder(reinterpret_cast<OutField*>(storage_)); }
  [[nodiscard]] const OutField* fields() const noexcept {
    return std::launder(reinterpret_cast<const OutField*>(storage_));
  }
  void take(Response&& other) noexcept;
  void drop_fields() noexcept {
    if (count_ != 0) destroy_fields();
  }
  void destroy_fields() noexcept;
  Extra& extra();
  Response& refuse_field() noexcept;

  Status status_{200};
  bool close_{false};
  std::uint8_t count_{0};
  Text content_type_{std::string_view{}};
  Body body_;
  std::unique_ptr<Extra> extra_;
  // Only live elements are constructed: building eight empty fields for each response would cost more than sending it.
  alignas(OutField) unsigned char storage_[sizeof(OutField) * kInlineFields];
};

}  // namespace equinox
