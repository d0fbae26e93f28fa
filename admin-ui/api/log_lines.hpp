#pragma once

#include <equinox/view.hpp>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// The log lines about `id`, oldest first, redacted as everything else: whatever follows a '?' has its values masked,
/// be it a target, a Referer or an exception's text. The field that repeats `id` is left out.
Json log_lines_json(const LogExcerpt& log, ConnectionId id, const Redaction& redaction);

}  // namespace equinox::admin
