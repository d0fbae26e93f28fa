#include "hand_over.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "config_values.hpp"

namespace equinox::appliance {

using SteadyClock = std::chrono::steady_clock;

HandOver::HandOver(const HandOverConfig& config) : timeout_{config.timeout} {
  if (config.is_on) launcher_.emplace();
}

std::string HandOver::begin(const std::vector<NamedSocket>& sockets) {
  if (!launcher_) return "hand_over.enabled is not set";
  if (answer_) return "one is under way";
  if (::getpid() == 1) return "this is process 1: its container would end with it";
  answer_ = launcher_->start(sockets);
  if (!answer_) return "the launcher process is gone";
  deadline_ = SteadyClock::now() + timeout_;
  return {};
}

void HandOver::abandon() {
  if (!answer_) return;
  launcher_->cancel();
  answer_.reset();
}

std::optional<SteadyClock::time_point> HandOver::deadline() const noexcept {
  return answer_ ? std::optional{deadline_} : std::nullopt;
}

HandOver::Outcome HandOver::fail(std::string reason) {
  abandon();
  reason_ = std::move(reason);
  return Outcome::failed;
}

HandOver::Outcome HandOver::look() {
  if (!answer_) return Outcome::none;
  std::array<char, 32> text{};
  const ssize_t got = ::read(answer_.get(), text.data(), text.size() - 1);
  if (got > 0) {
    successor_ = static_cast<int>(std::strtol(text.data(), nullptr, 10));
    answer_.reset();
    return Outcome::ready;
  }
  if (got == 0) return fail("the new process ended before it was ready; its messages are above");
  if (errno != EAGAIN && errno != EINTR) return fail("the pipe to the new process is broken");
  if (SteadyClock::now() < deadline_) return Outcome::none;
  return fail(fmt::format("the new process was not ready within {}", format_duration(timeout_)));
}

}  // namespace equinox::appliance
