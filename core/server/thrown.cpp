#include "server/thrown.hpp"

#include <string>

#include "base/redaction.hpp"
#include "server/settings.hpp"

namespace equinox::server {

namespace {

std::string shown(std::string_view text, const Exchange& exchange) {
  return exchange.settings->redaction.show_query_values ? std::string{text} : masked_query(text);
}

std::string what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    return failure.what();
  } catch (...) {
    return "something that is no exception";
  }
}

}  // namespace

void log_thrown(LogProducer& log, std::string_view message, const std::exception_ptr& thrown, const Exchange& exchange,
                ConnectionId connection) noexcept {
  LogRecord record{LogLevel::error, LogComponent::handler, message};
  record.about(connection).add("connection", to_string(connection)).add("request_id", exchange.context.request_id);
  record.add("what", shown(what_of(thrown), exchange));  // it may quote the target
  log.write(record.add("target", shown(exchange.target_view(), exchange)));
}

void log_thrown(const Log& log, std::string_view message, const std::exception_ptr& thrown) noexcept {
  // Masked whatever the redaction: it may quote a target, and it is not known whose settings hold.
  log.write(LogRecord{LogLevel::error, LogComponent::handler, message}.add("what", masked_query(what_of(thrown))));
}

}  // namespace equinox::server
