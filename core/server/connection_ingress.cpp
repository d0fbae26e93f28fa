#include <algorithm>

#include "http/h2c_upgrade.hpp"
#include "http/http1_codec.hpp"
#include "http/http2_codec.hpp"
#include "http/negotiate.hpp"
#include "http/proxy_protocol.hpp"
#include "net/plain_prefix.hpp"
#include "server/admission.hpp"
#include "server/connection.hpp"
#include "server/lending.hpp"

namespace equinox::server {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// How much is asked of the kernel when a held message goes on: enough for a body to come in few reads.
constexpr std::size_t kHeldReadBytes = 16 * 1024;

}  // namespace

void Connection::take_input(Lending& lent) {
  if (has_fresh_input() && wants_input(lent) && !is_ending()) held_->consume(feed(lent, held_->readable()));
  std::size_t budget = kReadBudgetBytes;
  // Not before what is held was used: a pipeline that comes faster than its share of a turn must wait in the kernel.
  while ((is_readable_ || transport_->has_pending()) && !is_ending() && budget != 0 && wants_input(lent) &&
         !has_fresh_input()) {
    const bool is_held = held_ != nullptr && !held_->empty();
    const std::span<std::byte> into = is_held ? held_->room(kHeldReadBytes) : std::span<std::byte>{lent.read_buffer};
    lent.telemetry.doing(is_tls_ ? StallCause::tls : parsing());
    const net::IoResult result = transport_->read(into);
    if (result.bytes != 0) {
      got_bytes_ = true;
      account_received(lent, result.bytes);
      budget -= std::min(budget, result.bytes);
      if (is_held) {
        held_->commit(result.bytes);
        held_->consume(feed(lent, held_->readable()));
      } else {
        const auto bytes = std::span<const std::byte>{into.first(result.bytes)};
        hold(lent, bytes.subspan(feed(lent, bytes)));
      }
    }
    switch (result.status) {
      case net::IoStatus::ok:
        if (result.bytes < into.size()) budget = 0;  // the transport has had its share
        break;
      case net::IoStatus::would_block:
        // A short read means drained, unless the peer has hung up: then only the end itself does.
        if (!saw_hangup_ || result.bytes == 0) is_readable_ = false;
        break;
      case net::IoStatus::closed:
        is_readable_ = false;
        peer_finished_ = true;
        return;
      case net::IoStatus::failed: on_io_failure(lent, result.error); return;
    }
  }
  // Emptied by use: between messages a connection owns no buffer.
  if (held_ != nullptr && held_->empty()) held_.reset();
}

void Connection::hold(Lending& lent, std::span<const std::byte> rest) {
  if (rest.empty() || is_ending()) return;
  if (held_ == nullptr) held_ = std::make_unique<ByteHold>(lent.input_bytes);
  held_->append(rest);
}

std::size_t Connection::feed(Lending& lent, std::span<const std::byte> input) {
  std::size_t used_in_all = 0;
  held_is_fresh_ = false;
  if (awaits_proxy_header_) {
    if (!take_proxy_header(lent, input, used_in_all)) return used_in_all;
    got_bytes_ = used_in_all < input.size();
  }
  if (codec_ == nullptr && !choose_codec(lent, input.subspan(used_in_all), used_in_all)) {
    // What does not tell the protocol yet is a head that has begun, and timed as one.
    if (used_in_all < input.size() && !head_started_) {
      head_started_ = request_head_started_ = true;
      phase_start_ = lent.fine;
    }
    return used_in_all;
  }
  for (int turns = 0; used_in_all < input.size() && !is_ending(); ++turns) {
    if (turns == kRequestsPerTurn || pending_bytes() > lent.settings->bounds.output_buffer) {
      held_is_fresh_ = true;
      break;
    }
    if (awaits_preface_ && is_http2()) follow_upgrade(lent);
    if (is_tls_) lent.telemetry.doing(parsing());  // without TLS it was said before the read
    const auto used = codec_->receive(input.subspan(used_in_all), lent.events, lent.now);
    const bool made_events = !lent.events.empty();
    apply_events(lent);
    if (!used) {
      if (!is_ending()) {
        refuse_request(lent, last_exchange(), used.error().code, text_of(input.subspan(used_in_all)));
      }
      return input.size();
    }
    used_in_all += *used;
    if (*used == 0 && !made_events) break;
    if (pending_bytes() >= kHighWatermarkBytes) pump(lent);
  }
  if (codec_ == nullptr || is_ending()) {
    keep_requests();  // for its line in the access log
    return input.size();
  }
  if (is_http2()) {
    if (lent.drain != DrainStage::none) announce_drain(lent);
    const std::uint32_t most = lent.settings->bounds.requests_per_connection;
    if (planned_ == CloseReason::admin_drain) retire(lent, CloseReason::admin_drain);  // asked for before it spoke
    if (most != 0 && request_count_ >= most && h2_->final_due == kNever) retire(lent, CloseReason::max_requests);
  }
  const http::InputState state = codec_->input_state();
  codec_accepts_ = state.can_receive;
  if (h2_ != nullptr && !h2_->has_greeted && !state.preface_is_open) {
    h2_->has_greeted = true;
    head_started_ = request_head_started_ = false;
    phase_start_ = h2_->idle_since = lent.now;
  }
  const bool is_new_head = state.request_head_started && !request_head_started_;
  const bool is_new = state.head_started && !head_started_;
  if (h2_ != nullptr && is_new) h2_->idle_since = phase_start_;
  if (is_new_head || is_new) {
    phase_start_ = lent.fine;
  } else if (h2_ != nullptr && head_started_ && !state.head_started && !request_head_started_) {
    phase_start_ = h2_->idle_since;  // a frame that came in pieces was timed, but it was no request
  }
  head_started_ = state.head_started;
  request_head_started_ = state.request_head_started;
  if (used_in_all < input.size() && !wants_input(lent)) held_is_fresh_ = true;
  keep_requests();
  return used_in_all;
}

bool Connection::take_proxy_header(Lending& lent, std::span<const std::byte> input, std::size_t& used) {
  const http::ProxyHeader header = http::parse_proxy_header(text_of(input));
  if (header.status == http::ProxyStatus::need_more) return false;
  const bool is_good = adopt_proxy_header(lent, header, text_of(input));
  used = is_good ? header.size : input.size();
  return is_good;
}

bool Connection::take_proxy_header_before_tls(Lending& lent) {
  const std::span<std::byte> bytes{lent.read_buffer.data(), http::kProxyHeaderMaxBytes};
  std::size_t have = 0;
  if (held_ != nullptr)
    have = static_cast<std::size_t>(std::ranges::copy(held_->readable(), bytes.begin()).out - bytes.begin());
  while (true) {
    const net::IoResult seen = net::peek_plain(descriptor(), bytes.subspan(have));
    const std::string_view text = text_of(bytes.first(have + seen.bytes));
    const http::ProxyHeader header = http::parse_proxy_header(text);
    if (header.status == http::ProxyStatus::malformed) return adopt_proxy_header(lent, header, text);
    const bool is_whole = header.status == http::ProxyStatus::complete;
    const std::size_t wanted = is_whole ? header.size - have : seen.bytes;
    const net::IoResult taken = seen.bytes == 0 ? seen : net::take_plain(descriptor(), bytes.subspan(have, wanted));
    if (taken.status != net::IoStatus::ok) {
      held_.reset();
      hold(lent, bytes.first(have));
      on_handshake_halt(lent, taken);
      return false;
    }
    have += taken.bytes;
    got_bytes_ = true;
    lent.turn_received_bytes += taken.bytes;  // past the transport
    if (is_whole && taken.bytes == wanted) {
      held_.reset();
      return adopt_proxy_header(lent, header, text);
    }
  }
}

bool Connection::adopt_proxy_header(Lending& lent, const http::ProxyHeader& header, std::string_view bytes) {
  if (header.status == http::ProxyStatus::malformed) {
    note_detail(http::begins_proxy_header(bytes) ? CloseDetail::proxy_header_malformed
                                                 : CloseDetail::proxy_header_missing);
    account_refusal(lent, Errc::wrong_protocol);
    end_now(lent, CloseReason::wrong_protocol);  // no error of TLS, where that was to follow
    return false;
  }
  awaits_proxy_header_ = false;
  got_bytes_ = false;  // of the peer's own there are none yet
  if (planned_ == CloseReason::admin_drain) phase_start_ = lent.now;
  if (!header.is_local) {
    aside().proxied_client = header.source;
    aside().is_proxied = true;
    account_client(header.source);
    if (!lent.admission->count_client(header.source, counted_in_)) {
      turn_away(lent, bytes.substr(header.size));
      return false;
    }
  }
  return true;
}

bool Connection::choose_codec(Lending& lent, std::span<const std::byte> input, std::size_t& used) {
  const ListenerSettings& listener = lent.settings->listeners[listener_];
  http::Negotiated choice = http::Negotiated::need_more;
  if (is_tls_ && transport_->tls() != nullptr && !transport_->tls()->alpn.empty()) {
    choice = http::negotiate_alpn(transport_->tls()->alpn);
  } else {
    if (input.empty()) return false;
    choice = http::negotiate(text_of(input));
    const bool allows_h2c = !is_tls_ && listener.h2c != H2c::off;
    if (choice == http::Negotiated::http2_preface && !allows_h2c) {
      choice = http::Negotiated::wrong_protocol;
      if (!is_tls_) note_detail(CloseDetail::h2c_off);  // over TLS it is ALPN that would have allowed it
    } else if (choice == http::Negotiated::wrong_protocol && http::begins_proxy_header(text_of(input))) {
      note_detail(CloseDetail::proxy_header_unexpected);
    }
  }
  switch (choice) {
    case http::Negotiated::need_more: return false;
    case http::Negotiated::wrong_protocol:
      account_refusal(lent, Errc::wrong_protocol);
      end_now(lent, CloseReason::wrong_protocol, Error{Errc::wrong_protocol});
      used += input.size();
      return false;
    case http::Negotiated::http2_preface:
      codec_.adopt(std::make_unique<http::Http2Codec>(
          lent.limits, http::Http2Options{.scheme = is_tls_ ? Scheme::https : Scheme::http,
                                          .date = &lent.date,
                                          .memory = lent.h2_memory,
                                          .now = lent.now}));
      adopt_protocol(lent, is_tls_ ? Protocol::h2 : Protocol::h2c);
      head_started_ = request_head_started_ = false;  // what may have come in pieces was the preface
      return true;
    case http::Negotiated::http1:
      use_http1(lent);
      adopt_protocol(lent, Protocol::http11);
      return true;
  }
  return false;
}

void Connection::use_http1(Lending& lent) {
  codec_.emplace<http::Http1Codec>(
      lent.http1,
      http::Http1Options{.scheme = is_tls_ ? Scheme::https : Scheme::http,
                         .h2c_upgrade_allowed = !is_tls_ && lent.settings->listeners[listener_].h2c == H2c::on});
}

void Connection::adopt_protocol(Lending& lent, Protocol protocol) {
  account_protocol(lent, protocol);
  if (equinox::is_http2(protocol) && h2_ == nullptr) {
    h2_ = std::make_unique<Http2Facts>();
    h2_->began = h2_->last_alive = h2_->idle_since = lent.now;
    h2_->held_bytes = held_by_exchanges();
  }
}

bool Connection::upgrade_to_h2c(Lending& lent, const RequestHead& head) {
  const std::optional<std::string> settings = http::h2c_settings(head);
  if (!settings) return false;
  const http::Http2Options options{
      .scheme = Scheme::http, .date = &lent.date, .memory = lent.h2_memory, .now = lent.now};
  auto upgraded = http::Http2Codec::upgraded(*settings, head, lent.limits, options);
  if (!upgraded) return false;
  batch(lent).append(http::kSwitchingToH2c);
  codec_.adopt(std::move(*upgraded));
  // Some clients cannot take frames in the same read as the 101: they get them once they have spoken HTTP/2.
  awaits_preface_ = true;
  phase_start_ = lent.now;
  account_upgrade(lent);
  adopt_protocol(lent, Protocol::h2c);
  // The request comes again, as stream 1: its head event joins those being applied.
  return codec_->receive({}, lent.events, lent.now).has_value();
}

/// The client speaks HTTP/2: what it asked for by HTTP/1 is answered now, into a batch that is another by now.
void Connection::follow_upgrade(Lending& lent) {
  awaits_preface_ = false;
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) {
    if (x->state == ExchangeState::responding) x->egress_begin = batch(lent).appended_total();
  }
}

/// Before the input is used again: a request whose body is still to come must not lose its head.
void Connection::keep_requests() {
  if (exchanges_ == nullptr || is_http2()) return;
  Exchange& newest = *last_exchange();
  if (newest.state == ExchangeState::receiving) newest.keep();
}

/// What outlives this turn keeps the settings it began with; most exchanges do not, and pay for no counted reference.
void Connection::keep_settings(const Lending& lent) {
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) {
    if (x->settings_keeper == nullptr && x->settings == lent.settings.get()) x->settings_keeper = lent.settings;
  }
}

void Connection::on_input_end(Lending& lent) {
  if (input_end_told_) {
    if (exchanges_ == nullptr) end_after_flush(CloseReason::client_fin_idle, false);
    return;
  }
  // Pipelined requests that came before the end are still answered, one after the other. Over TLS they may have come
  // with it, more of them than a turn takes.
  if (has_fresh_input()) return;
  if (codec_ == nullptr) {
    if (got_bytes_) account_refusal(lent, Errc::bad_request_line);
    end_now(lent, got_bytes_ ? CloseReason::client_fin_mid_request : CloseReason::client_fin_idle);
    return;
  }
  if (awaits_preface_) {  // it has taken up the upgrade and left: what it asked for is for nobody
    discard_all(lent, ErrorType::client_gone);
    end_now(lent, CloseReason::client_fin_mid_request);
    return;
  }
  input_end_told_ = true;
  if (h2_ != nullptr) h2_->ping_sent = kNever;  // whether it has gone altogether only one behind its last byte tells
  const bool was_incomplete = codec_->end_of_input();
  if (was_incomplete) {
    for (Exchange* x = exchanges_; x != nullptr;) {
      Exchange* next = x->next;
      if (x->state == ExchangeState::receiving && !x->is_complete) discard(lent, *x, ErrorType::client_gone);
      x = next;
    }
    end_after_flush(CloseReason::client_fin_mid_request, false);
  } else if (exchanges_ == nullptr) {
    end_after_flush(h2_ != nullptr && h2_->peer_said_goaway ? CloseReason::client_goaway : CloseReason::client_fin_idle,
                    false);
  }
}

}  // namespace equinox::server
