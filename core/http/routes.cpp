#include <equinox/routes.hpp>
#include <stdexcept>

#include "http/headers.hpp"

namespace equinox {

void Routes::require_open() const {
  if (seal_.is_set) throw std::logic_error{"the server was started: its routes change by reload() only"};
}

Routes& Routes::add(std::vector<Method> methods, std::string pattern, Handler handler, RouteOptions options) {
  require_open();
  if (pattern.empty() || (pattern.front() != '/' && pattern != "*")) {
    throw std::invalid_argument{"route pattern \"" + pattern + "\" must start with '/'"};
  }
  for (const auto& [name, value] : options.response_fields) {
    if (!http::is_token(name) || !http::is_safe_value(value)) {
      throw std::invalid_argument{"route \"" + pattern + "\": \"" + name + ": " + value +
                                  "\" is no field of an answer"};
    }
    if (http::is_no_field_of_routes(name)) {
      throw std::invalid_argument{"route \"" + pattern + "\": \"" + name + "\" is set by the server itself"};
    }
  }
  if (!handler) throw std::invalid_argument{"route \"" + pattern + "\" has an empty handler"};
  entries_.push_back(RouteEntry{.methods = std::move(methods),
                                .pattern = std::move(pattern),
                                .options = std::move(options),
                                .handler = std::move(handler),
                                .before = {},
                                .after = {}});
  return *this;
}

Routes& Routes::before(Before middleware) {
  require_open();
  if (!middleware) throw std::invalid_argument{"before: an empty function"};
  before_.push_back(std::move(middleware));
  return *this;
}

Routes& Routes::after(After middleware) {
  require_open();
  if (!middleware) throw std::invalid_argument{"after: an empty function"};
  after_.push_back(std::move(middleware));
  return *this;
}

Routes& Routes::mount(std::string_view prefix, Routes inner) {
  require_open();
  if (prefix.empty() || prefix.front() != '/' || prefix.back() == '/') {
    throw std::invalid_argument{"mount prefix \"" + std::string{prefix} + "\" must start with '/' and not end with it"};
  }
  if (inner.not_found_ || inner.method_not_allowed_ || inner.internal_error_) {
    throw std::invalid_argument{
        "what is mounted at \"" + std::string{prefix} +
        "\" has not_found, method_not_allowed or internal_error: only the outermost routes may"};
  }
  for (RouteEntry& entry : inner.entries()) {
    entry.pattern = entry.pattern == "/" ? std::string{prefix} : std::string{prefix} + entry.pattern;
    entries_.push_back(std::move(entry));
  }
  return *this;
}

Routes& Routes::group(std::string_view prefix, const std::function<void(Routes&)>& fill) {
  Routes inner;
  fill(inner);
  return mount(prefix, std::move(inner));
}

Routes& Routes::not_found(SyncHandler handler) {
  require_open();
  not_found_ = std::move(handler);
  return *this;
}

Routes& Routes::method_not_allowed(SyncHandler handler) {
  require_open();
  method_not_allowed_ = std::move(handler);
  return *this;
}

Routes& Routes::internal_error(SyncHandler handler) {
  require_open();
  internal_error_ = std::move(handler);
  return *this;
}

std::vector<RouteEntry> Routes::entries() const {
  std::vector<RouteEntry> out = entries_;
  for (RouteEntry& entry : out) {
    entry.before.insert(entry.before.begin(), before_.begin(), before_.end());
    entry.after.insert(entry.after.end(), after_.begin(), after_.end());
  }
  return out;
}

}  // namespace equinox
