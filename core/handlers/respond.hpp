#pragma once

#include <equinox/handler.hpp>
#include <string>

namespace equinox::handlers {

/// A fixed answer to every request; the body is shared, not copied.
SyncHandler respond(Status status, std::string content_type, std::string body);

/// Sends the client elsewhere. In `to`, "{host}" (without its port), "{authority}" (with it), "{path}", "{query}",
/// "{rest}" (behind a "*") and "{name}" of a path parameter are replaced; what comes from the request is encoded, so
/// that it can neither end the field, nor make a host of a path, nor part a query; in a path, what may stand there
/// stays as it is. A placeholder right behind a host is the caller's to refuse. A "?" in front of "{query}" goes when
/// there is no query. A request without host gives 400 where "{host}" or "{authority}" is asked for.
SyncHandler redirect(std::string to, Status status);

/// Answers a request's body back with its content type; without a body, a JSON description of method, target and
/// fields.
SyncHandler echo();

/// The page of a server without configuration. `dashboard` is a URL, empty when there is none.
SyncHandler welcome(std::string dashboard);

}  // namespace equinox::handlers
