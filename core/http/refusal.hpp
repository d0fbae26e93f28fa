#pragma once

#include <equinox/response.hpp>
#include <equinox/status.hpp>

#include "base/result.hpp"

namespace equinox::http {

/// The status that says what was wrong with a request; 500 for what is not the peer's mistake, 408 for timed_out.
Status status_of(Errc code) noexcept;
/// True for the errors that are answered at all: the peer spoke HTTP and is still there.
bool is_answerable(Errc code) noexcept;
/// A short answer with `Connection: close`. 503 carries Retry-After.
Response refusal_response(Errc code);
/// The same for a status chosen by the caller (408, 503).
Response refusal_response(Status status);

}  // namespace equinox::http
