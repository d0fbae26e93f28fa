#pragma once

#include <equinox/request.hpp>
#include <string>

#include "base/result.hpp"

namespace equinox::http {

/// Gives the fields of an HTTP/1 head their meaning: framing (RFC 9112 §6.3), Host (§3.2), Connection (§9.3), Expect
/// (RFC 9110 §10.1.1), Upgrade. Expects method, version, target and fields in `head`, fills the rest. Anything that
/// could be read two ways is an error.
/// `upgrades_to_h2c` is set for requests that ask for it at all; h2c_settings() tells whether they ask exactly.
Result<void> interpret_head(RequestHead& head, std::string& scratch);

}  // namespace equinox::http
