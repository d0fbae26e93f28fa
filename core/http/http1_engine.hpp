#pragma once

#include <llhttp/llhttp.h>

namespace equinox::http {

/// llhttp's state machine: feeds bytes, returns an llhttp_errno_t.
using Http1Engine = int (*)(llhttp__internal_t* state, const char* first, const char* last);

/// Looks at one octet after the other; runs on every processor.
Http1Engine portable_engine() noexcept;
/// The one that looks at sixteen octets of a target or field value at once where the processor has SSE4.2, else the
/// portable one. Both are compiled from the same source and answer alike. Chosen once, at first use; any thread.
Http1Engine best_engine() noexcept;

}  // namespace equinox::http
