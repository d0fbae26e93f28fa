#include <algorithm>
#include <map>

#include "metrics/family_builder.hpp"
#include "metrics/scrape.hpp"

namespace equinox::metrics {

namespace {

/// Which zeros are worth a line; what was counted is exported in any case.
bool can_close(Protocol protocol, CloseReason reason) noexcept {
  const bool http2 = is_http2(protocol);
  switch (reason) {
    case CloseReason::client_goaway:
    case CloseReason::window_stall:
    case CloseReason::h2_idle_timeout:
    case CloseReason::ping_timeout:
    case CloseReason::h2_preface_invalid:
    case CloseReason::h2_protocol_error:
    case CloseReason::h2_flow_control_error:
    case CloseReason::h2_compression_error:
    case CloseReason::h2_frame_size: return http2;
    case CloseReason::client_connection_close:
    case CloseReason::response_connection_close:
    case CloseReason::keep_alive_timeout:
    case CloseReason::parse_error_h1:
    case CloseReason::body_timeout:
    case CloseReason::body_rate_too_low:
    case CloseReason::handler_timeout:
    case CloseReason::body_too_large:
    case CloseReason::smuggling_guard:
    case CloseReason::request_refused: return protocol == Protocol::http11;
    case CloseReason::handshake_timeout:
    case CloseReason::tls_handshake_failed:
    case CloseReason::tls_plaintext:
    case CloseReason::tls_sni_unknown:
    case CloseReason::wrong_protocol: return protocol == Protocol::unknown;
    case CloseReason::tls_alert:
    case CloseReason::flood_tls: return protocol != Protocol::h2c;
    default: break;
  }
  switch (family_of(reason)) {
    case CloseFamily::abuse: return http2;
    case CloseFamily::client:
    case CloseFamily::network:
    case CloseFamily::pressure: return true;
    default: break;
  }
  switch (reason) {
    // Before there was enough to know the protocol by, a head may come too slowly as well.
    case CloseReason::first_request_timeout:
    case CloseReason::header_timeout:
    case CloseReason::max_age:
    case CloseReason::shutdown:
    case CloseReason::shutdown_timeout:
    case CloseReason::drain:
    case CloseReason::admin_close:
    case CloseReason::admin_drain:
    case CloseReason::app_close: return true;
    default: return protocol != Protocol::unknown;
  }
}

bool can_evict(Protocol protocol, EvictionPhase phase) noexcept {
  switch (phase) {
    case EvictionPhase::handshake: return protocol == Protocol::unknown;
    case EvictionPhase::first_request:
    case EvictionPhase::head:
    case EvictionPhase::max_age:
    case EvictionPhase::pressure: return true;
    case EvictionPhase::between_requests: return protocol == Protocol::http11;
    case EvictionPhase::h2_no_streams: return is_http2(protocol);
    default: return protocol != Protocol::unknown;
  }
}

void open_connections(const Sources& from, Page& page) {
  FamilyBuilder family{Metric::connections};
  for (std::size_t l = 0; l < from.snapshot.listeners.size(); ++l) {
    for_each_word<Protocol>([&](Protocol protocol) {
      for_each_word<ConnectionState>([&](ConnectionState state) {
        family.count(
            {{"listener", from.listener_name(l)}, {"protocol", to_string(protocol)}, {"state", to_string(state)}},
            from.snapshot.listeners[l].open[index_of(protocol)][index_of(state)]);
      });
    });
  }
  std::move(family).add_to(page.families);
}

void admission(const Sources& from, Page& page) {
  FamilyBuilder accepted{Metric::connections_accepted};
  FamilyBuilder rejected{Metric::connections_rejected};
  for (std::size_t l = 0; l < from.snapshot.listeners.size(); ++l) {
    const auto& listener = from.snapshot.listeners[l];
    accepted.count({{"listener", from.listener_name(l)}}, listener.accepted);
    for_each_word<ConnectionRejectReason>([&](ConnectionRejectReason reason) {
      rejected.count({{"listener", from.listener_name(l)}, {"reason", to_string(reason)}},
                     listener.rejected[index_of(reason)]);
    });
  }
  std::move(accepted).add_to(page.families);
  std::move(rejected).add_to(page.families);
}

void endings(const Sources& from, Page& page) {
  FamilyBuilder closed{Metric::connections_closed};
  FamilyBuilder evicted{Metric::idle_evictions};
  FamilyBuilder lifetime{Metric::connection_duration};
  FamilyBuilder requests{Metric::connection_requests};
  const auto& totals = from.snapshot.totals;
  for_each_word<Protocol>([&](Protocol protocol) {
    const auto p = index_of(protocol);
    for_each_word<CloseReason>([&](CloseReason reason) {
      const auto count = totals.closed[p][index_of(reason)];
      if (count == 0 && !can_close(protocol, reason)) return;
      closed.count({{"protocol", to_string(protocol)},
                    {"initiator", to_string(initiator_of(reason))},
                    {"reason", to_string(reason)}},
                   count);
    });
    for_each_word<EvictionPhase>([&](EvictionPhase phase) {
      const auto count = totals.evicted[p][index_of(phase)];
      if (count == 0 && !can_evict(protocol, phase)) return;
      evicted.count({{"protocol", to_string(protocol)}, {"phase", to_string(phase)}}, count);
    });
    for_each_word<Initiator>([&](Initiator initiator) {
      lifetime.histogram({{"protocol", to_string(protocol)}, {"initiator", to_string(initiator)}}, kLifetimeEdges,
                         totals.lifetime[p][index_of(initiator)], kNanoseconds);
    });
    requests.histogram({{"protocol", to_string(protocol)}}, kRequestsEdges, totals.requests_per_connection[p], 1);
  });
  std::move(closed).add_to(page.families);
  std::move(evicted).add_to(page.families);
  std::move(lifetime).add_to(page.families);
  std::move(requests).add_to(page.families);
}

void limits(const Sources& from, Page& page) {
  FamilyBuilder limit{Metric::connections_limit};
  FamilyBuilder length{Metric::accept_queue_length};
  FamilyBuilder queue_limit{Metric::accept_queue_limit};
  for (const auto& listener : from.live.listeners) {
    limit.count({{"listener", listener.name}},
                listener.connections_limit != 0 ? listener.connections_limit : from.live.connections_limit);
    if (listener.accept_queue_length) length.count({{"listener", listener.name}}, *listener.accept_queue_length);
    if (listener.accept_queue_limit) queue_limit.count({{"listener", listener.name}}, *listener.accept_queue_limit);
  }
  std::move(limit).add_to(page.families);
  std::move(length).add_to(page.families);
  std::move(queue_limit).add_to(page.families);
}

}  // namespace

void collect_connections(const Sources& from, Page& page) {
  open_connections(from, page);
  admission(from, page);
  endings(from, page);
  limits(from, page);
}

void collect_tls(const Sources& from, Page& page) {
  const auto& totals = from.snapshot.totals;
  FamilyBuilder duration{Metric::tls_handshake_duration};
  FamilyBuilder connections{Metric::tls_connections};
  for (const auto version : {TlsVersion::tls12, TlsVersion::tls13}) {
    const auto v = index_of(version);
    for (std::size_t resumed = 0; resumed < 2; ++resumed) {
      duration.histogram({{"version", to_string(version)}, {"resumed", resumed == 0 ? "false" : "true"}},
                         kDurationEdges, totals.tls_handshake[v][resumed], kNanoseconds);
    }
    for_each_word<Alpn>([&](Alpn alpn) {
      connections.count({{"version", to_string(version)}, {"alpn", to_string(alpn)}},
                        totals.tls_connections[v][index_of(alpn)]);
    });
  }
  std::move(duration).add_to(page.families);

  FamilyBuilder in_progress{Metric::tls_handshakes_in_progress};
  const auto ended = totals.tls_handshakes_ended;
  in_progress.count({}, totals.tls_handshakes_started > ended ? totals.tls_handshakes_started - ended : 0);
  std::move(in_progress).add_to(page.families);

  FamilyBuilder failures{Metric::tls_handshake_failures};
  for_each_word<TlsFailure>([&](TlsFailure reason) {
    failures.count({{"reason", to_string(reason)}}, totals.tls_failures[index_of(reason)]);
  });
  std::move(failures).add_to(page.families);
  std::move(connections).add_to(page.families);

  FamilyBuilder ciphers{Metric::tls_ciphers};
  for_each_word<TlsCipher>([&](TlsCipher cipher) {
    ciphers.count({{"cipher", to_string(cipher)}}, totals.tls_ciphers[index_of(cipher)]);
  });
  std::move(ciphers).add_to(page.families);

  FamilyBuilder expiry{Metric::tls_certificate_not_after};
  // Listeners may give their certificates the same name, and all have "main" unless told otherwise. The one that
  // expires first is the one to be warned of.
  std::map<std::string_view, std::int64_t> earliest;
  for (const auto& certificate : from.live.certificates) {
    const auto [known, is_new] = earliest.try_emplace(certificate.name, certificate.not_after_s);
    if (!is_new) known->second = std::min(known->second, certificate.not_after_s);
  }
  for (const auto& [name, not_after_s] : earliest) expiry.value({{"cert", name}}, static_cast<double>(not_after_s));
  std::move(expiry).add_to(page.families);
}

}  // namespace equinox::metrics
