#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <equinox/handler.hpp>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <equinox/vocabulary.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "http/exchange_link.hpp"
#include "http/router.hpp"
#include "server/body_store.hpp"
#include "telemetry/pool_cells.hpp"

namespace equinox::server {

struct Settings;
struct Streamed;

enum class ExchangeState : std::uint8_t {
  receiving,   ///< the request's body is not complete
  handling,    ///< the handler has it and has not answered
  responding,  ///< the response is being pulled
  sent,        ///< its last byte is in the egress batch
};

/// Time split over phases: exactly one is current, so the parts always add up to the total.
class PhaseClock {
 public:
  void start(TimePoint now) noexcept {
    spent_.fill(0);
    started_ = mark_ = now;
    current_ = RequestPhase::head;
  }
  /// @param now  at least the last one; an earlier reading (of the turn, after one of its handlers) counts as that
  void enter(RequestPhase phase, TimePoint now) noexcept {
    now = std::max(now, mark_);
    spent_[static_cast<std::size_t>(current_)] += (now - mark_).count();
    mark_ = now;
    current_ = phase;
  }
  [[nodiscard]] const std::array<std::int64_t, kCount<RequestPhase>>& spent_ns() const noexcept { return spent_; }
  /// The sum of the parts.
  [[nodiscard]] std::int64_t total_ns() const noexcept { return (mark_ - started_).count(); }
  [[nodiscard]] TimePoint started() const noexcept { return started_; }
  [[nodiscard]] RequestPhase current() const noexcept { return current_; }

 private:
  std::array<std::int64_t, kCount<RequestPhase>> spent_{};
  TimePoint started_{};
  TimePoint mark_{};
  RequestPhase current_{RequestPhase::head};
};

/// A window of time in which at least a minimum number of bytes must move (slow body, slow reader).
struct ProgressWindow {
  TimePoint start{kNever};  ///< kNever: not running
  std::uint64_t bytes{0};   ///< moved since the start

  [[nodiscard]] bool is_running() const noexcept { return start != kNever; }
  void begin(TimePoint now) noexcept {
    start = now;
    bytes = 0;
  }
  void end() noexcept { start = kNever; }
};

/// What an access line needs of a request whose head is gone.
struct LogTexts {
  static constexpr std::size_t kFieldMaxBytes = 160;   ///< three of them leave a line room for a target
  static constexpr std::size_t kTargetMaxBytes = 960;  ///< more than any line has room for

  bool is_cut{false};
  std::string method;  ///< only one that has no name in Method
  std::string target;
  std::string referer;
  std::string user_agent;
  std::string authority;
};

/// One request and its response (RFC 9113 §8.1). Lent by the reactor, reset on return; owning reactor's thread only.
struct Exchange {
  Exchange* next{nullptr};
  Exchange* previous{nullptr};  ///< meaningless for the oldest
  Exchange* last{nullptr};      ///< of the oldest of a connection's list: its newest
  StreamId stream{0};
  ExchangeState state{ExchangeState::receiving};
  bool is_complete{false};   ///< the whole request was received
  bool sink_waits{false};    ///< the body sink said `wait`
  bool is_held_back{false};  ///< HTTP/2: its handler waits until earlier answers have gone
  bool is_cut{false};        ///< the response could not be completed
  bool peer_keeps_alive{true};
  http::MatchStatus match{http::MatchStatus::not_found};
  http::MethodSet allow;
  Method method{Method::get};
  HttpVersion version{HttpVersion::http11};
  Scheme scheme{Scheme::http};
  std::uint16_t status{0};
  ErrorType error{ErrorType::none};
  std::optional<RequestRejectReason> refused;  ///< by us, before its handler had all of it
  std::uint8_t target_size{0};
  std::uint8_t request_id_size{0};

  const RequestHead* head{nullptr};  ///< views; valid until the turn's input is reused unless `kept`
  const http::Route* route{nullptr};
  RouteId route_id{kRouteUnmatched};  ///< as telemetry numbers it
  const Settings* settings{nullptr};
  std::shared_ptr<const Settings> settings_keeper;  ///< only when the exchange outlives the turn
  std::unique_ptr<Request> kept;                    ///< owning copy of the request, without what is in `body`
  RequestContext context;
  http::RouteParameters parameter_store;
  std::span<const PathParameter> parameters;
  std::string_view body_view;  ///< the body when it came in one piece
  BodyStore body;              ///< the body when it did not
  std::span<const Field> trailers;
  std::uint64_t body_bytes{0};  ///< received so far
  std::uint64_t body_max_bytes{0};
  std::unique_ptr<BodySink> sink;
  std::uint64_t held_bytes{0};     ///< of body and backlog, as the reactor has counted them
  std::vector<std::byte> backlog;  ///< body bytes that arrived while the sink waits (HTTP/2: within the window)
  std::shared_ptr<http::ExchangeLink> link;

  PhaseClock phases;
  TimePoint first_byte{};  ///< when the response's first byte went to the kernel
  TimePoint handler_due{kNever};
  ProgressWindow body_window;
  std::uint64_t egress_begin{0};  ///< EgressBatch::appended_total() before the response
  std::uint64_t egress_end{0};    ///< … after its last byte
  std::array<char, 96> target;    ///< what is shown once the head is gone
  std::array<char, 64> request_id;
  std::array<char, 32> trace_id;
  std::uint64_t sent_bytes{0};          ///< body of the response, without framing
  std::shared_ptr<Streamed> streamed;   ///< only when the body is pulled from a source
  std::unique_ptr<LogTexts> log_texts;  ///< only while an access log is written

  [[nodiscard]] std::string_view target_view() const noexcept { return {target.data(), target_size}; }
  /// The body as the handler sees it.
  [[nodiscard]] std::string_view whole_body() const noexcept { return body.empty() ? body_view : body.view(); }
  /// The body will never be complete: its sink is told and goes.
  void abort_sink() noexcept {
    if (sink == nullptr || state != ExchangeState::receiving) return;
    sink->abort();
    sink.reset();
  }
  void remember_for_log();
  /// Copies the request so that it survives the turn. Idempotent.
  void keep();
  /// The same for what has come since it was kept.
  void keep_anew();
  /// A request to hand to a handler; views only.
  [[nodiscard]] Request request() const noexcept { return Request{*head, context, whole_body(), parameters, trailers}; }
  /// Back to the state of a new exchange, keeping the body's capacity when it is small.
  void reset() noexcept;
};

/// Exchanges lent by a reactor: freed ones are used again, so the steady state allocates none.
class ExchangePool {
 public:
  ExchangePool() = default;
  ExchangePool(const ExchangePool&) = delete;
  ExchangePool& operator=(const ExchangePool&) = delete;
  ~ExchangePool();
  [[nodiscard]] Exchange* take();
  void give_back(Exchange* exchange) noexcept;
  [[nodiscard]] telemetry::PoolCount count() const noexcept;

 private:
  static constexpr std::size_t kKeptAtMost = 256;
  Exchange* free_{nullptr};
  std::size_t free_count_{0};
  std::size_t lent_{0};
  std::uint64_t reused_{0};
  std::uint64_t made_{0};
};

}  // namespace equinox::server
