// Requests that are refused: those that are an exchange already, and those that never become one.

#include <array>
#include <string>
#include <string_view>

#include "http/negotiate.hpp"
#include "http/refusal.hpp"
#include "server/access_line.hpp"
#include "server/admission.hpp"
#include "server/connection.hpp"
#include "server/error_map.hpp"
#include "server/lending.hpp"
#include "server/request_identity.hpp"

namespace equinox::server {

namespace {

/// A word without blanks that is no method is quoted up to here.
constexpr std::size_t kMethodMaxBytes = 32;
constexpr std::size_t kVersionBytes = std::string_view{"HTTP/1.1"}.size();

RefusedRequest refused_request(const http::CodecEvent& event) noexcept {
  RefusedRequest request;
  request.stream = event.stream;
  request.version = "HTTP/2.0";
  if (event.head != nullptr) {
    request.method = event.head->method_name;
    if (request.method.empty() && event.kind == http::EventKind::refused)
      request.method = to_string(event.head->method);
    request.target = event.head->target;
    request.request_id = identity_fields(event.head->fields).request_id;
  }
  return request;
}

}  // namespace

RefusedRequest refused_request(std::string_view head) noexcept {
  RefusedRequest out;
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const std::size_t method_size = line.find(' ');
  if (method_size == 0 || method_size == std::string_view::npos || method_size > kMethodMaxBytes) return out;
  out.method = line.substr(0, method_size);
  line.remove_prefix(method_size + 1);
  const std::size_t target_size = line.find(' ');
  out.target = line.substr(0, target_size);
  if (target_size == std::string_view::npos) return out;
  line.remove_prefix(target_size + 1);
  if (line.starts_with("HTTP/") && line.size() == kVersionBytes) out.version = line;
  return out;
}

/// Whose connection it is was known only by its PROXY header, and that client has as many as it may.
/// @param bytes  that came behind the header
void Connection::turn_away(Lending& lent, std::string_view bytes) {
  lent.telemetry.stats().rejected(listener_, ConnectionRejectReason::per_client_limit);
  note_detail(CloseDetail::client_full);
  const http::Negotiated spoken = http::negotiate(bytes);
  if (is_tls_ || (spoken != http::Negotiated::http1 && spoken != http::Negotiated::need_more)) {
    end_now(lent, CloseReason::connection_limit);
    return;
  }
  batch(lent).append(kBusyAnswer);
  end_after_flush(CloseReason::connection_limit, true);
}

/// Those behind it have times of their own, and the connection was not idle.
void Connection::end_refused_head(const Lending& lent) noexcept {
  request_head_started_ = false;
  h2_->idle_since = lent.fine;
}

/// There is no answer: the stream was reset (RFC 9113 §8.1.1).
void Connection::on_malformed(Lending& lent, const http::CodecEvent& event) {
  account_refusal(lent, event.error);
  account_refused(lent, refused_request(event), 0, 0, reject_reason_of(event.error));
  end_refused_head(lent);
}

void Connection::on_refused(Lending& lent, const http::CodecEvent& event) {
  Exchange* exchange = find(event.stream);
  if (exchange != nullptr) {
    refuse_request(lent, exchange, event.error);
    return;
  }
  account_refusal(lent, event.error);
  answer_refused(lent, refused_request(event), http::refusal_response(event.error), reject_reason_of(event.error));
  end_refused_head(lent);
}

void Connection::refuse_request(Lending& lent, Exchange* exchange, Errc code, std::string_view head) {
  account_refusal(lent, code);
  if (is_http2() && is_connection_error(code)) {
    // GOAWAY is the answer to all of it: a status would be one that nobody gets.
    discard_all(lent, ErrorType::protocol);
    end_after_flush(reason_of(code), true, Error{code});
    return;
  }
  const bool is_stream_only = is_http2() && exchange != nullptr;
  const std::optional<RequestRejectReason> why = reject_reason_of(code);
  if (!is_stream_only && !has_reason_ && http::is_answerable(code)) aside().rejected = why;
  if (exchange != nullptr && exchange->state == ExchangeState::receiving && http::is_answerable(code)) {
    exchange->refused = why;
    exchange->abort_sink();
    Response response = http::refusal_response(code);
    if (!is_stream_only) note(reason_of(code));
    respond(lent, *exchange, std::move(response));
    apply_events(lent);
  } else if ((exchange == nullptr || exchange->state == ExchangeState::sent) && !is_http2() &&
             http::is_answerable(code)) {
    // What is wrong with the rest of a request that was answered early is not said, and it has its line already.
    if (exchange != nullptr && !exchange->is_complete) {
      codec_->respond(0, http::refusal_response(code), batch(lent), lent.events);
      lent.events.clear();
    } else {
      RefusedRequest request = refused_request(head);
      // All else about such a head was understood, its fields too.
      if (code == Errc::expectation_failed) request.request_id = request_id_in(head);
      answer_refused(lent, request, http::refusal_response(code), why);
    }
  }
  if (!is_stream_only) end_after_flush(reason_of(code), true, Error{code});
}

void Connection::refuse_late(Lending& lent, Status status) {
  RefusedRequest request;
  if (held_ != nullptr) {
    const std::span<const std::byte> bytes = held_->readable();
    request = refused_request({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  answer_refused(lent, request, http::refusal_response(status), RequestRejectReason::header_timeout);
}

void Connection::answer_refused(Lending& lent, RefusedRequest request, Response&& response,
                                std::optional<RequestRejectReason> why) {
  std::array<char, RequestIds::kSize> made{};
  if (!lent.settings->request_ids) {
    request.request_id = {};
  } else {
    if (!is_acceptable_request_id(request.request_id)) {
      lent.request_ids.make(made.data());
      request.request_id = {made.data(), made.size()};
    }
    response.with_dynamic(is_http2() ? "x-request-id" : "X-Request-Id", std::string{request.request_id});
  }
  const bool has_body = request.method != "HEAD";
  account_refused(lent, request, static_cast<std::uint16_t>(response.status().code()),
                  has_body ? response.body_length().value_or(0) : 0, why);
  codec_->respond(is_http2() ? request.stream : 0, std::move(response), batch(lent), lent.events);
  if (!is_http2()) lent.events.clear();  // there is no exchange these could belong to
}

void Connection::account_refused(Lending& lent, const RefusedRequest& request, std::uint16_t status,
                                 std::uint64_t sent_bytes, std::optional<RequestRejectReason> why) {
  newest_is_refused_ = true;
  newest_status_ = status;
  newest_method_ = static_cast<std::uint8_t>(parse_method(request.method));
  newest_route_ = kRouteUnmatched;
  decltype(Exchange::target) shown{};
  const std::size_t shown_size = request.target.copy(shown.data(), shown.size());
  record_->write_target(request_count_, shown, shown_size);
  if (!lent.settings->access_log) return;
  RefusalFacts facts{.request = request,
                     .client = client(),
                     .connection = id(),
                     .protocol = protocol_,
                     .status = newest_status_,
                     .reason = why,
                     .sent_bytes = sent_bytes,
                     .duration = lent.fine - (request_head_started_ ? phase_start_ : lent.ready_at)};
  lent.access_log.write(refusal_line(facts, lent.settings->redaction));
}

}  // namespace equinox::server
