#pragma once

#include <cstdint>
#include <equinox/view.hpp>
#include <string_view>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// How far back the series of a server reach.
inline constexpr std::int64_t kSeriesSeconds = 900;

/// GET /series. @throws Problem 400 for a name that does not exist, with the ones that do
Json series_json(const ServerView& view, const Request& request, const Moment& now);
/// One point of every numeric series, and its histograms.
Json series_event(const SeriesPoint& point);

}  // namespace equinox::admin
