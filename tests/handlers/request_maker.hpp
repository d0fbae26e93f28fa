#pragma once

#include <unistd.h>

#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/egress_batch.hpp"
#include "http/headers.hpp"

namespace equinox::handlers {

/// A request made of parts that it keeps alive.
class RequestMaker {
 public:
  explicit RequestMaker(std::string path, Method method = Method::get) : path_{std::move(path)} {
    head_.method = method;
    head_.method_name = to_string(method);
    head_.path = head_.target = path_;
    head_.authority = "a.example:8080";
  }
  RequestMaker& field(std::string name, std::string value) {
    texts_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  RequestMaker& query(std::string query) {
    query_ = std::move(query);
    head_.query = query_;
    return *this;
  }
  RequestMaker& authority(std::string authority) {
    authority_ = std::move(authority);
    head_.authority = authority_;
    return *this;
  }
  /// The rest behind a "*" of the route.
  RequestMaker& rest(std::string rest) {
    parameters_.emplace_back("*", std::move(rest));
    return *this;
  }
  RequestMaker& parameter(std::string name, std::string value) {
    parameters_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  RequestMaker& body(std::string body) {
    body_ = std::move(body);
    head_.has_body = true;
    return *this;
  }
  Request make() {
    fields_.clear();
    for (const auto& [name, value] : texts_) fields_.push_back({name, value});
    head_.fields = fields_;
    views_.clear();
    for (const auto& [name, value] : parameters_) views_.push_back({name, value});
    return Request{head_, context_, body_, views_};
  }

 private:
  std::string path_;
  std::string query_;
  std::string authority_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<Field> fields_;
  std::vector<PathParameter> views_;
  RequestHead head_;
  RequestContext context_;
};

/// All bytes of a body; a source that says `pending` ends it with "<pending>".
inline std::string body_of(Response& response) {
  Body& body = response.body();
  if (const auto* view = std::get_if<std::string_view>(&body)) return std::string{*view};
  if (const auto* text = std::get_if<std::string>(&body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) return **shared;
  if (const auto* file = std::get_if<FileBody>(&body)) {
    std::string out(static_cast<std::size_t>(file->length), '\0');
    const ssize_t got = ::pread(file->file->fd.get(), out.data(), out.size(), static_cast<off_t>(file->offset));
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }
  std::string out;
  if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&body)) {
    (*source)->attach(Resumer{});
    char room[7];  // small and odd, so that every part is cut somewhere
    while (true) {
      const PullResult pulled = (*source)->pull(room);
      out.append(room, pulled.count);
      if (pulled.status == PullStatus::pending) return out + "<pending>";
      if (pulled.status == PullStatus::failed) return out + "<failed>";
      if (pulled.status == PullStatus::end) break;
    }
  }
  return out;
}

}  // namespace equinox::handlers
