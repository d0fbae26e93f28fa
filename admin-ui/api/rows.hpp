#pragma once

#include <equinox/view.hpp>
#include <string>
#include <vector>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"
#include "admin-ui/api/rates.hpp"

namespace equinox::admin {

/// What rows are written with.
struct RowContext {
  const ServerView& view;
  Names names;
  Redaction redaction;
  Moment now;
  const Rates* rates{nullptr};
  std::int64_t slow_ns{0};  ///< which of a request's phases took the time is a story from here on
};

Json connection_row(const ConnectionRecord& record, const RowContext& context);
Json closed_row(const ClosedRecord& record, const RowContext& context);
/// A row of a list whose connection ended since: a ConnectionRow with `closed`.
Json ended_row(ConnectionId id, const ClosedRecord* record, const RowContext& context);
Json request_row(const RequestRecord& record, const RowContext& context);
Json stall_row(const StallRecord& record, const RowContext& context);
/// "r3-1700000000000000000": the same for a stall while it runs and afterwards.
std::string stall_id(const StallRecord& record);

/// Keeps `id`, `closed` and the wanted members; all when `columns` is empty.
void keep_columns(Json& row, const std::vector<std::string>& columns);
/// Text, or null when it is empty.
Json text_or_null(std::string_view text);

}  // namespace equinox::admin
