#include "server/access_line.hpp"

#include <array>
#include <ctime>
#include <utility>

#include "base/log_format.hpp"
#include "base/redaction.hpp"
#include "server/settings.hpp"

namespace equinox::server {

namespace {

std::string_view version_text(HttpVersion version) noexcept {
  switch (version) {
    case HttpVersion::http10: return "HTTP/1.0";
    case HttpVersion::http11: return "HTTP/1.1";
    case HttpVersion::http2: return "HTTP/2.0";
  }
  return "HTTP/1.1";
}

void append_clf_time(std::string& out, std::chrono::system_clock::time_point at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "[%d/%b/%Y:%H:%M:%S +0000]", &parts);
  out.append(text.data(), size);
}

/// The fields of a combined line, as the record has them.
struct CombinedFields {
  explicit CombinedFields(const LogRecord& record) {
    std::size_t position = 0;
    LogRecord::Field field;
    while (record.next_field(position, field)) {
      for (const auto& [key, into] : {std::pair{"client", &client},
                                      {"method", &method},
                                      {"version", &version},
                                      {"status", &status},
                                      {"sent_bytes", &sent_bytes},
                                      {"target", &target},
                                      {"referer", &referer},
                                      {"user_agent", &user_agent}}) {
        if (field.key == key) *into = field;
      }
    }
  }
  LogRecord::Field client, method, version, status, sent_bytes, target, referer, user_agent;
};

std::string_view or_dash(std::string_view text) noexcept { return text.empty() ? "-" : text; }

std::string shown_client(const Endpoint& client, const RedactionConfig& redaction) {
  return host_to_string(redaction.truncate_client_address && client.is_known ? truncated(client) : client);
}

/// Most targets have nothing to hide and are not copied.
void add_masked(LogRecord& record, std::string_view key, std::string_view text, const RedactionConfig& redaction) {
  if (redaction.show_query_values || text.find('?') == std::string_view::npos) {
    record.add(key, text);
  } else {
    record.add(key, masked_query(text));
  }
}

}  // namespace

LogRecord access_line(const Exchange& exchange, Protocol protocol, std::chrono::nanoseconds total) {
  static const LogTexts kNone;
  const LogTexts& texts = exchange.log_texts != nullptr ? *exchange.log_texts : kNone;
  const RedactionConfig& redaction = exchange.settings->redaction;
  LogRecord record{LogLevel::info, LogComponent::access, "request"};
  // What the client cannot stretch comes first: long fields cost the line its end, not its status.
  record.about(exchange.context.connection)
      .add("client", shown_client(exchange.context.client, redaction))
      .add("method", texts.method.empty() ? to_string(exchange.method) : texts.method)
      .add("protocol", to_string(protocol))
      .add("version", version_text(exchange.version))
      .add("status", exchange.status)
      .add("duration_seconds", static_cast<double>(total.count()) / 1e9)
      .add("received_bytes", exchange.body_bytes)
      .add("sent_bytes", exchange.sent_bytes)
      .add("connection", to_string(exchange.context.connection))
      .add("stream", exchange.stream)
      .add("request_id", exchange.context.request_id);
  if (!exchange.context.trace_id.empty()) record.add("trace_id", exchange.context.trace_id);
  if (exchange.error != ErrorType::none) record.add("error", to_string(exchange.error));
  if (exchange.refused) record.add("refused", to_string(*exchange.refused));
  record.add("authority", texts.authority);
  if (!texts.user_agent.empty()) record.add("user_agent", texts.user_agent);
  if (!texts.referer.empty()) add_masked(record, "referer", texts.referer, redaction);
  if (texts.is_cut) record.set_cut();
  // Last, in what room is left: a long one must not hide who asked.
  add_masked(record, "target", texts.target.empty() ? exchange.target_view() : texts.target, redaction);
  return record;
}

LogRecord refusal_line(const RefusalFacts& facts, const RedactionConfig& redaction) {
  const RefusedRequest& request = facts.request;
  LogRecord record{LogLevel::info, LogComponent::access, "request"};
  record.about(facts.connection)
      .add("client", shown_client(facts.client, redaction))
      .add("method", or_dash(request.method))
      .add("protocol", to_string(facts.protocol))
      .add("version", or_dash(request.version))
      .add("status", facts.status)
      .add("duration_seconds", static_cast<double>(facts.duration.count()) / 1e9)
      .add("received_bytes", 0)
      .add("sent_bytes", facts.sent_bytes)
      .add("connection", to_string(facts.connection))
      .add("stream", request.stream)
      .add("request_id", request.request_id);
  if (facts.reason) record.add("refused", to_string(*facts.reason));
  add_masked(record, "target", or_dash(request.target), redaction);
  return record;
}

void append_combined(std::string& out, const LogRecord& record) {
  const CombinedFields fields{record};
  out += fields.client.text;
  out += " - - ";
  append_clf_time(out, record.at());
  out += " \"";
  append_text_escaped(out, fields.method.text);
  out += ' ';
  append_text_escaped(out, fields.target.text);
  out += ' ';
  append_text_escaped(out, fields.version.text);
  out += "\" ";
  append_value(out, fields.status);
  out += ' ';
  append_value(out, fields.sent_bytes);
  out += " \"";
  append_text_escaped(out, or_dash(fields.referer.text));
  out += "\" \"";
  append_text_escaped(out, or_dash(fields.user_agent.text));
  out += '"';
}

}  // namespace equinox::server
