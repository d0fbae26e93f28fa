#include "server/access_line.hpp"

#include <array>
#include <ctime>

#include "base/log_format.hpp"

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

std::string_view or_dash(const std::string& text) noexcept { return text.empty() ? std::string_view{"-"} : text; }

void append_clf_time(std::string& out) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "[%d/%b/%Y:%H:%M:%S +0000]", &parts);
  out.append(text.data(), size);
}

LogRecord combined_line(const Exchange& exchange, const LogTexts& texts) {
  std::string line = host_to_string(exchange.context.client);
  line += " - - ";
  append_clf_time(line);
  line += " \"";
  line += to_string(exchange.method);
  line += ' ';
  append_text_escaped(line, exchange.target_view());
  line += ' ';
  line += version_text(exchange.version);
  line += "\" ";
  line += std::to_string(exchange.status);
  line += ' ';
  line += std::to_string(exchange.sent_bytes);
  line += " \"";
  append_text_escaped(line, or_dash(texts.referer));
  line += "\" \"";
  append_text_escaped(line, or_dash(texts.user_agent));
  line += '"';
  return LogRecord{LogLevel::info, LogComponent::access, line};
}

}  // namespace

LogRecord access_line(const Exchange& exchange, Protocol protocol, std::chrono::nanoseconds total, bool as_json) {
  static const LogTexts kNone;
  const LogTexts& texts = exchange.log_texts != nullptr ? *exchange.log_texts : kNone;
  if (!as_json) return combined_line(exchange, texts);
  LogRecord record{LogLevel::info, LogComponent::access, "request"};
  record.add("client", host_to_string(exchange.context.client))
      .add("method", to_string(exchange.method))
      .add("target", exchange.target_view())
      .add("protocol", to_string(protocol))
      .add("status", exchange.status)
      .add("duration_seconds", static_cast<double>(total.count()) / 1e9)
      .add("received_bytes", exchange.body_bytes)
      .add("sent_bytes", exchange.sent_bytes)
      .add("connection", to_string(exchange.context.connection))
      .add("stream", exchange.stream)
      .add("request_id", exchange.context.request_id)
      .add("authority", texts.authority);
  if (!exchange.context.trace_id.empty()) record.add("trace_id", exchange.context.trace_id);
  if (!texts.referer.empty()) record.add("referer", texts.referer);
  if (!texts.user_agent.empty()) record.add("user_agent", texts.user_agent);
  if (exchange.error != ErrorType::none) record.add("error", to_string(exchange.error));
  return record;
}

}  // namespace equinox::server
