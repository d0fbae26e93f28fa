#pragma once

#include <array>
#include <cstdint>
#include <equinox/body.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "admin-ui/api/access.hpp"
#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"
#include "admin-ui/api/overview.hpp"
#include "admin-ui/api/rows.hpp"
#include "admin-ui/api/sampling.hpp"

namespace equinox::admin {

struct State;

enum class Topic : std::uint8_t { overview, series, connections, changes, stalls, jobs };
inline constexpr std::array<std::string_view, 6> kTopics{"overview", "series", "connections",
                                                         "changes",  "stalls", "jobs"};

/// The dashboards that listen: one event stream each. Nothing here ever waits for one of them; what a slow one cannot
/// take is dropped, and it gets whole states instead of differences.
class Streams {
 public:
  explicit Streams(std::size_t most) : most_{most} {}

  /// @throws Problem 400 for an unknown topic, 503 `viewers-full`
  Response open(State& state, const Request& request, const Session& session, const Moment& now);
  /// @throws Problem 404, 400
  void set_viewport(State& state, std::string_view stream, const Json& body);
  /// Once a second: what changed, to each.
  void send_all(State& state, const Moment& now);
  /// In between: the stalls that run and were not told yet. They are over before the next second, often.
  void send_new_stalls(State& state, const Moment& now);
  /// Whether somebody wants to be told of stalls.
  [[nodiscard]] bool are_stalls_wanted() const;
  [[nodiscard]] std::size_t size() const;

 private:
  /// What a viewer was told of one row last.
  struct Seen {
    Json row;
    std::int64_t last_active_ns{0};
    std::int64_t deadline_due_ns{0};
    std::int64_t sampled_ns{0};
  };
  struct RunningStall {
    StallRecord record;
    std::int64_t seen_ns{0};
  };
  struct Viewer {
    std::string id;
    std::optional<EventStream> stream;
    Session session;  ///< the stream ends with it
    std::array<bool, kTopics.size()> topics{};
    std::uint64_t dropped{0};
    std::uint64_t sampling{1};  ///< as the viewer knows it
    std::uint64_t changes_sent{0};
    std::int64_t series_sent_wall_ns{0};
    std::int64_t sent_ns{0};
    Json overview;  ///< as the viewer has it; null: send it whole
    std::vector<ConnectionId> viewport;
    std::string handle;
    std::unordered_map<std::uint64_t, Seen> rows;
    std::map<std::string, RunningStall> stalls;  ///< told as running, by id

    [[nodiscard]] bool wants(Topic topic) const noexcept { return topics[static_cast<std::size_t>(topic)]; }
  };
  struct Drift {
    std::string handle;
    std::int64_t at_ns{0};
    std::int64_t cost_ns{0};
    std::uint64_t added{0};
    std::uint64_t removed{0};
  };

  void tell_usage(const State& state) const;
  bool send(State& state, Viewer& viewer, std::string_view event, const Json& data, const Moment& now);
  void send_overview(State& state, Viewer& viewer, const Json& overview, const Moment& now);
  void send_series(State& state, Viewer& viewer, const Sample& sample);
  void send_changes(State& state, Viewer& viewer, const Moment& now);
  void send_stalls(State& state, Viewer& viewer, const std::vector<StallRecord>& stalls, const RowContext& context);
  void send_ended_stalls(State& state, Viewer& viewer, const std::vector<StallRecord>& stalls,
                         const RowContext& context);
  void send_sampling(State& state, Viewer& viewer, std::uint64_t sampling, const Moment& now);
  void send_rows(State& state, Viewer& viewer, const RowContext& context);
  Json changed_row(Viewer& viewer, const ConnectionRecord& record, const RowContext& context);
  Json drift_json(State& state, const std::string& handle, const Moment& now);

  mutable std::mutex mutex_;
  std::size_t most_;
  std::string boot_id_;
  std::vector<std::unique_ptr<Viewer>> viewers_;
  std::vector<Drift> drifts_;
  Sampling sampling_;
};

}  // namespace equinox::admin
