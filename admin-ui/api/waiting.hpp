#pragma once

#include <equinox/record.hpp>
#include <optional>
#include <string>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

/// What a connection is at: its state, and while a drain has put its own word there, what its deadline tells.
ConnectionState phase_of(const ConnectionRecord& record) noexcept;

/// Closing it now would cut a request. Who was accepted and has not begun its first request is in none.
bool is_mid_request(const ConnectionRecord& record) noexcept;

/// For how long its idle timeout has been running: since its last answer, whatever bytes came since. Nothing where it
/// does not run. A connection that will be too old before it is idle for too long has one, too: a shorter timeout would
/// end it.
std::optional<double> unused_seconds(const RecordHot& hot, const Moment& now) noexcept;

/// Completes "Waiting for …".
std::string awaited(const ConnectionRecord& record, const Names& names);

}  // namespace equinox::admin
