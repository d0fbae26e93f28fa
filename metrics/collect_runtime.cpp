#include <algorithm>
#include <string>

#include "base/log_record.hpp"
#include "metrics/family_builder.hpp"
#include "metrics/label_value.hpp"
#include "metrics/scrape.hpp"

namespace equinox::metrics {

void collect_tcp(const Sources& from, Page& page) {
  const auto& totals = from.snapshot.totals;
  FamilyBuilder received{Metric::received_bytes};
  FamilyBuilder sent{Metric::sent_bytes};
  for_each_word<Protocol>([&](Protocol protocol) {
    received.count({{"protocol", to_string(protocol)}}, totals.received_bytes[index_of(protocol)]);
    sent.count({{"protocol", to_string(protocol)}}, totals.sent_bytes[index_of(protocol)]);
  });
  std::move(received).add_to(page.families);
  std::move(sent).add_to(page.families);
  FamilyBuilder pending{Metric::output_pending};
  pending.count({}, from.snapshot.output_pending_bytes());
  std::move(pending).add_to(page.families);
  FamilyBuilder rtt{Metric::tcp_rtt};
  rtt.histogram({}, kRttEdges, totals.tcp_rtt, kNanoseconds);
  std::move(rtt).add_to(page.families);
  FamilyBuilder retransmitted{Metric::tcp_retransmitted};
  retransmitted.count({}, totals.tcp_retransmits);
  std::move(retransmitted).add_to(page.families);
  FamilyBuilder limited{Metric::tcp_limited};
  limited.value({{"by", "receiver_window"}}, static_cast<double>(totals.tcp_receiver_limited_us) / 1e6);
  limited.value({{"by", "send_buffer"}}, static_cast<double>(totals.tcp_send_buffer_limited_us) / 1e6);
  std::move(limited).add_to(page.families);
}

namespace {

/// One series per reactor out of one member of its totals.
template <typename F>
void per_reactor(const Sources& from, Page& page, Metric metric, F&& add) {
  FamilyBuilder family{metric};
  for (std::size_t i = 0; i < from.snapshot.reactors.size(); ++i) {
    add(family, std::to_string(i), from.snapshot.reactors[i]);
  }
  std::move(family).add_to(page.families);
}

void loop_counters(const Sources& from, Page& page) {
  const auto seconds = [&](Metric metric, std::uint64_t ReactorTotals::*member) {
    per_reactor(from, page, metric, [&](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
      family.seconds({{"reactor", index}}, reactor.*member);
    });
  };
  const auto counts = [&](Metric metric, std::uint64_t ReactorTotals::*member) {
    per_reactor(from, page, metric, [&](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
      family.count({{"reactor", index}}, reactor.*member);
    });
  };
  seconds(Metric::reactor_busy, &ReactorTotals::busy_ns);
  seconds(Metric::reactor_wait, &ReactorTotals::wait_ns);
  seconds(Metric::reactor_cpu, &ReactorTotals::cpu_ns);
  counts(Metric::reactor_wakeups, &ReactorTotals::wakeups);
  counts(Metric::reactor_events, &ReactorTotals::events);
}

void loop_histograms(const Sources& from, Page& page) {
  FamilyBuilder events{Metric::reactor_events_per_wakeup};
  events.histogram({}, kEventsEdges, from.snapshot.totals.events_per_wakeup, 1);
  std::move(events).add_to(page.families);
  const auto merged = [&](Metric metric, auto member) {
    HistogramValue<kLoopEdges.size()> sum;
    for (const auto& reactor : from.snapshot.reactors) {
      const auto& value = reactor.*member;
      for (std::size_t i = 0; i < sum.buckets.size(); ++i) sum.buckets[i] += value.buckets[i];
      sum.sum += value.sum;
    }
    FamilyBuilder family{metric};
    family.histogram({}, kLoopEdges, sum, kNanoseconds);
    std::move(family).add_to(page.families);
  };
  merged(Metric::reactor_iteration, &ReactorTotals::iteration);
  merged(Metric::reactor_timer_lag, &ReactorTotals::timer_lag);
}

void loop_stalls(const Sources& from, Page& page) {
  per_reactor(from, page, Metric::reactor_stalls,
              [](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
                for_each_word<StallCause>([&](StallCause cause) {
                  family.count({{"reactor", index}, {"cause", to_string(cause)}}, reactor.stalls[index_of(cause)]);
                });
              });
  per_reactor(from, page, Metric::reactor_stall_seconds,
              [](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
                for_each_word<StallCause>([&](StallCause cause) {
                  family.seconds({{"reactor", index}, {"cause", to_string(cause)}}, reactor.stall_ns[index_of(cause)]);
                });
              });
}

void pools(const Sources& from, Page& page) {
  FamilyBuilder bytes{Metric::buffer_pool_bytes};
  FamilyBuilder requests{Metric::buffer_pool_requests};
  for (const auto& pool : from.live.pools) {
    bytes.count({{"pool", pool.name}, {"state", "used"}}, pool.used_bytes);
    bytes.count({{"pool", pool.name}, {"state", "free"}}, pool.free_bytes);
    requests.count({{"pool", pool.name}, {"result", "hit"}}, pool.hits);
    requests.count({{"pool", pool.name}, {"result", "miss"}}, pool.misses);
  }
  std::move(bytes).add_to(page.families);
  std::move(requests).add_to(page.families);
}

void rings(const Sources& from, Page& page) {
  FamilyBuilder entries{Metric::ring_entries};
  FamilyBuilder overwritten{Metric::ring_overwritten};
  const auto add = [&](std::string_view name, const RingTotals& ring) {
    entries.count({{"ring", name}}, ring.entries);
    overwritten.count({{"ring", name}}, ring.written > ring.entries ? ring.written - ring.entries : 0);
  };
  add("closes", from.snapshot.ring_closed);
  add("slow", from.snapshot.ring_slow);
  add("stalls", from.snapshot.ring_stalls);
  add("samples", from.snapshot.ring_samples);
  add("cells", from.snapshot.ring_cells);
  add("recent", from.snapshot.ring_recent);
  add("timeline", from.snapshot.ring_timeline);
  add("log", from.snapshot.ring_log);
  std::move(entries).add_to(page.families);
  std::move(overwritten).add_to(page.families);
}

void admin(const Sources& from, Page& page) {
  if (!from.options->admin) return;
  const auto facts = from.options->admin();
  FamilyBuilder clients{Metric::admin_stream_clients};
  FamilyBuilder dropped{Metric::admin_stream_dropped};
  FamilyBuilder actions{Metric::admin_actions};
  for (const auto& topic : facts.topics) {
    clients.count({{"topic", topic.topic}}, topic.clients);
    dropped.count({{"topic", topic.topic}}, topic.dropped_events);
  }
  for (const auto& action : facts.actions) {
    actions.count({{"action", action.action}, {"result", action.result}, {"role", action.role}}, action.count);
  }
  std::move(clients).add_to(page.families);
  std::move(dropped).add_to(page.families);
  std::move(actions).add_to(page.families);
}

void build_info(const Sources& from, Page& page) {
  FamilyBuilder family{Metric::build_info};
  family.count(
      {
        {"version", from.identity.version},
#if defined(__clang__)
            {"compiler", "clang " __clang_version__}
#else
        {
          "compiler", "g++ " __VERSION__
        }
#endif
      },
      1);
  std::vector<prometheus::MetricFamily> made;
  std::move(family).add_to(made);
  for (const auto& [name, value] : from.options->build) {
    prometheus::ClientMetric::Label label;
    label.name = name;
    label.value = label_value(value);
    made.front().metric.front().label.push_back(std::move(label));
  }
  page.families.push_back(std::move(made.front()));
}

void sandbox(const Sources& from, Page& page) {
  if (from.options->sandbox.empty()) return;
  FamilyBuilder family{Metric::sandbox};
  for (const auto& [part, in_force] : from.options->sandbox) family.count({{"part", part}}, in_force ? 1 : 0);
  std::move(family).add_to(page.families);
}

void logs(const Sources& from, Page& page) {
  FamilyBuilder messages{Metric::log_messages};
  const auto components = std::min(from.live.log_components.size(), from.live.log_messages.size());
  for (std::size_t c = 0; c < components; ++c) {
    for (std::size_t level = 0; level < kLogLevels; ++level) {
      messages.count({{"level", to_string(static_cast<LogLevel>(level))}, {"component", from.live.log_components[c]}},
                     from.live.log_messages[c][level]);
    }
  }
  std::move(messages).add_to(page.families);
  FamilyBuilder dropped{Metric::log_dropped};
  for_each_word<LogChannel>([&](LogChannel log) {
    dropped.count({{"log", to_string(log)}}, from.snapshot.totals.log_dropped[index_of(log)]);
  });
  std::move(dropped).add_to(page.families);
}

}  // namespace

void collect_reactors(const Sources& from, Page& page) {
  loop_counters(from, page);
  loop_histograms(from, page);
  loop_stalls(from, page);
  per_reactor(from, page, Metric::reactor_connections,
              [](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
                family.count({{"reactor", index}}, reactor.connections);
              });
  per_reactor(from, page, Metric::reactor_mailbox,
              [](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
                family.count({{"reactor", index}}, reactor.mailbox_length);
              });
  per_reactor(from, page, Metric::reactor_last_iteration,
              [](FamilyBuilder& family, std::string_view index, const ReactorTotals& reactor) {
                family.value({{"reactor", index}}, static_cast<double>(reactor.last_iteration_wall_ns) / 1e9);
              });
  FamilyBuilder length{Metric::worker_queue_length};
  length.count({}, from.live.workers.queue_length);
  std::move(length).add_to(page.families);
  FamilyBuilder wait{Metric::worker_queue_wait};
  wait.histogram({}, kDurationEdges, from.live.workers.queue_wait, kNanoseconds);
  std::move(wait).add_to(page.families);
  FamilyBuilder workers{Metric::workers};
  workers.count({{"state", "busy"}}, from.live.workers.busy);
  workers.count({{"state", "idle"}}, from.live.workers.idle);
  std::move(workers).add_to(page.families);
}

void collect_self(const Sources& from, Page& page) {
  pools(from, page);
  rings(from, page);
  admin(from, page);
  FamilyBuilder dropped{Metric::series_dropped};
  dropped.count({{"family", info_of(Metric::request_duration).name}}, from.snapshot.totals.series_folded);
  std::move(dropped).add_to(page.families);
  const auto gauge = [&](Metric metric, double value) {
    FamilyBuilder family{metric};
    family.value({}, value);
    std::move(family).add_to(page.families);
  };
  gauge(Metric::ready, from.live.ready ? 1 : 0);
  gauge(Metric::draining, from.live.is_draining() ? 1 : 0);
  gauge(Metric::reload_successful, from.live.last_reload_successful ? 1 : 0);
  const auto loaded =
      from.live.last_reload_wall_ns != 0 ? from.live.last_reload_wall_ns : from.identity.started_wall_ns;
  gauge(Metric::reload_timestamp, static_cast<double>(loaded) / 1e9);
  build_info(from, page);
  sandbox(from, page);
  logs(from, page);
}

}  // namespace equinox::metrics
