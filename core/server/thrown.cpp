#include "server/thrown.hpp"

namespace equinox::server {

void log_thrown(LogProducer& log, std::string_view message, const std::exception_ptr& thrown, const Exchange& exchange,
                ConnectionId connection) noexcept {
  LogRecord record{LogLevel::error, LogComponent::handler, message};
  record.about(connection).add("connection", to_string(connection)).add("request_id", exchange.context.request_id);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    record.add("what", failure.what());
  } catch (...) {
    record.add("what", "something that is no exception");
  }
  log.write(record.add("target", exchange.target_view()));
}

}  // namespace equinox::server
