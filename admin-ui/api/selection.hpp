#pragma once

#include <array>
#include <cstdint>
#include <equinox/view.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "admin-ui/api/json.hpp"
#include "admin-ui/api/query.hpp"
#include "admin-ui/api/rates.hpp"

namespace equinox::admin {

struct Sorting {
  QueryField field{QueryField::id};
  bool is_descending{false};
};
/// @throws Problem 400 for a field that cannot be sorted by, or another order than asc and desc
Sorting sorting_of(std::string_view field, std::string_view order);

/// The answer of a query at one moment: ids in order, and what they are.
struct Selection {
  std::vector<std::uint64_t> ids;  ///< ConnectionId::packed()
  std::uint64_t total{0};          ///< more than `ids` when only the first were asked for
  std::array<std::uint64_t, kCount<ConnectionState>> by_state{};
  std::array<std::uint64_t, kCount<Protocol>> by_protocol{};
  std::uint64_t mid_request{0};              ///< of `total`: closing them would cut a request
  std::vector<std::uint64_t> total_without;  ///< by term: what would match without it
};

/// Scans all live records once. Unknown values come last in either order, equal ones by id.
/// @param most  how many ids are wanted
Selection select(const ServerView& view, const Query& query, Sorting sorting, const Rates& rates, Moment now,
                 std::size_t most = SIZE_MAX);
/// The matching ids in the order of the slots; nothing is sorted.
std::vector<std::uint64_t> matching_ids(const ServerView& view, const Query& query, const Rates& rates);

Json by_state_json(const std::array<std::uint64_t, kCount<ConnectionState>>& counts);
Json by_protocol_json(const std::array<std::uint64_t, kCount<Protocol>>& counts);

}  // namespace equinox::admin
