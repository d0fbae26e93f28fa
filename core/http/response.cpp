#include <equinox/response.hpp>
#include <nlohmann/json.hpp>

#include "http/headers.hpp"

namespace equinox {

using http::is_codecs_own;

namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kJson = "application/json";

}  // namespace

Response Response::literal(std::string_view body, std::string_view content_type, Status status) noexcept {
  Response response{status};  // filled in place: this one is made for most requests
  response.content_type_ = content_type;
  response.body_.emplace<std::string_view>(body);
  return response;
}
Response Response::text(std::string body, Status status) { return {status, Body{std::move(body)}, Text{kText}}; }
Response Response::html(std::string body, Status status) { return {status, Body{std::move(body)}, Text{kHtml}}; }
Response Response::json(const nlohmann::json& value, Status status) {
  // Bytes that are not UTF-8 become U+FFFD: an answer with a mark in it is better than an exception half-way.
  return json_text(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), status);
}
Response Response::json_text(std::string body, Status status) { return {status, Body{std::move(body)}, Text{kJson}}; }
Response Response::shared(std::shared_ptr<const std::string> body, std::string_view content_type, Status status) {
  return {status, Body{std::move(body)}, Text{content_type}};
}
Response Response::file(FileBody body, std::string_view content_type, Status status) {
  return {status, Body{std::move(body)}, Text{content_type}};
}
Response Response::stream(std::unique_ptr<BodySource> source, std::string_view content_type, Status status) {
  return {status, Body{std::move(source)}, Text{content_type}};
}
Response Response::redirect(std::string location, Status status) {
  Response response{status};
  response.with("Location", std::move(location));
  return response;
}
Response Response::error(Status status) {
  std::string body = std::to_string(status.code());
  body.append(" ").append(status.reason()).append("\n");
  return text(std::move(body), status);
}

Response& Response::with(std::string_view name, std::string value) & {
  if (is_codecs_own(name)) return *this;
  if (!http::is_token(name) || !http::is_safe_value(value)) return refuse_field();
  if (http::has_outer_blank(value)) value = std::string{http::trim(value)};
  if (http::equals_ignoring_case(name, "content-type")) return content_type(std::move(value));
  if (count_ < kInlineFields) {
    new (fields() + count_) OutField{name, std::move(value)};
    ++count_;
  } else {
    extra().fields.emplace_back(std::string{name}, std::move(value));
  }
  return *this;
}

Response& Response::with(std::string_view name, std::string_view literal) & {
  if (is_codecs_own(name)) return *this;
  if (!http::is_token(name) || !http::is_safe_value(literal)) return refuse_field();
  if (http::has_outer_blank(literal)) literal = http::trim(literal);
  if (http::equals_ignoring_case(name, "content-type")) return content_type(literal);
  if (count_ < kInlineFields) {
    new (fields() + count_) OutField{name, literal};
    ++count_;
  } else {
    extra().fields.emplace_back(std::string{name}, std::string{literal});
  }
  return *this;
}

Response& Response::with_dynamic(std::string name, std::string value) {
  if (is_codecs_own(name)) return *this;
  if (!http::is_token(name) || !http::is_safe_value(value)) return refuse_field();
  if (http::has_outer_blank(value)) value = std::string{http::trim(value)};
  if (http::equals_ignoring_case(name, "content-type")) return content_type(std::move(value));
  extra().fields.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response& Response::trailer(std::string name, std::string value) {
  if (!http::is_token(name) || !http::is_safe_value(value)) return refuse_field();
  if (http::has_outer_blank(value)) value = std::string{http::trim(value)};
  if (!http::is_forbidden_in_trailers(name)) extra().trailers.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response& Response::refuse_field() noexcept {
  status_ = 500;
  return *this;
}

const std::vector<std::pair<std::string, std::string>>& Response::more_fields() const noexcept {
  static const std::vector<std::pair<std::string, std::string>> kNone;
  return extra_ == nullptr ? kNone : extra_->fields;
}

const std::vector<std::pair<std::string, std::string>>& Response::trailers() const noexcept {
  static const std::vector<std::pair<std::string, std::string>> kNone;
  return extra_ == nullptr ? kNone : extra_->trailers;
}

std::string_view Response::field(std::string_view name) const noexcept {
  if (http::equals_ignoring_case(name, "content-type")) return content_type();
  for (std::size_t i = 0; i < count_; ++i) {
    if (http::equals_ignoring_case(fields()[i].name, name)) return fields()[i].view();
  }
  for (const auto& [key, value] : more_fields()) {
    if (http::equals_ignoring_case(key, name)) return value;
  }
  return {};
}

std::optional<std::uint64_t> Response::other_body_length() const noexcept {
  struct Length {
    std::optional<std::uint64_t> operator()(std::monostate) const noexcept { return 0; }
    std::optional<std::uint64_t> operator()(std::string_view view) const noexcept { return view.size(); }
    std::optional<std::uint64_t> operator()(const std::string& text) const noexcept { return text.size(); }
    std::optional<std::uint64_t> operator()(const std::shared_ptr<const std::string>& text) const noexcept {
      return text == nullptr ? 0 : text->size();
    }
    std::optional<std::uint64_t> operator()(const FileBody& body) const noexcept {
      return body.file == nullptr ? 0 : body.length;
    }
    std::optional<std::uint64_t> operator()(const std::unique_ptr<BodySource>& source) const noexcept {
      return source == nullptr ? std::optional<std::uint64_t>{0} : source->length();
    }
  };
  return std::visit(Length{}, body_);
}

// Most texts are views, and those need no visitor.
void Response::take(Response&& other) noexcept {
  status_ = other.status_;
  close_ = other.close_;
  count_ = other.count_;
  if (const auto* type = std::get_if<std::string_view>(&other.content_type_)) {
    content_type_ = *type;
  } else {
    content_type_ = std::move(other.content_type_);
  }
  if (const auto* body = std::get_if<std::string_view>(&other.body_)) {
    body_ = *body;
  } else {
    body_ = std::move(other.body_);
  }
  extra_ = std::move(other.extra_);
  for (std::size_t i = 0; i < count_; ++i) {
    OutField& field = other.fields()[i];
    if (const auto* value = std::get_if<std::string_view>(&field.value)) {
      new (fields() + i) OutField{field.name, *value};
    } else {
      new (fields() + i) OutField{std::move(field)};
    }
  }
  other.drop_fields();
}

void Response::destroy_fields() noexcept {
  for (std::size_t i = 0; i < count_; ++i) fields()[i].~OutField();
  count_ = 0;
}

Response::Extra& Response::extra() {
  if (extra_ == nullptr) extra_ = std::make_unique<Extra>();
  return *extra_;
}

}  // namespace equinox
