#include "server/thrown.hpp"

#include <string>

#include "base/redaction.hpp"
#include "server/settings.hpp"

namespace equinox::server {

namespace {

std::string shown(std::string_view text, const Exchange& exchange) {
  return exchange.settings->redaction.show_query_values ? std::string{text} : masked_query(text);
}

}  // namespace

void log_thrown(LogProducer& log, std::string_view message, const std::exception_ptr& thrown, const Exchange& exchange,
                ConnectionId connection) noexcept {
  LogRecord record{LogLevel::error, LogComponent::handler, message};
  record.about(connection).add("connection", to_string(connection)).add("request_id", exchange.context.request_id);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    record.add("what", shown(failure.what(), exchange));  // it may quote the target
  } catch (...) {
    record.add("what", "something that is no exception");
  }
  log.write(record.add("target", shown(exchange.target_view(), exchange)));
}

}  // namespace equinox::server
