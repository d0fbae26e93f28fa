#include "service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/unique_fd.hpp"

namespace equinox::appliance {

ServiceManager::ServiceManager() {
  if (const char* path = std::getenv("NOTIFY_SOCKET")) socket_ = path;
  const char* microseconds = std::getenv("WATCHDOG_USEC");
  const char* process = std::getenv("WATCHDOG_PID");
  const bool is_for_us = process == nullptr || std::strtol(process, nullptr, 10) == ::getpid();
  if (microseconds != nullptr && is_for_us) {
    const long long value = std::strtoll(microseconds, nullptr, 10);
    if (value > 0) interval_ = std::chrono::milliseconds{value / 2000 > 0 ? value / 2000 : 1};
  }
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(variable);
}

void ServiceManager::send(const std::string& text) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // a name in the abstract namespace
  const UniqueFd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  static_cast<void>(
      ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length));
}

void ServiceManager::ready(std::string_view status) const {
  send("READY=1\nSTATUS=" + std::string{status} + "\nMAINPID=" + std::to_string(::getpid()));
}

void ServiceManager::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const long long microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void ServiceManager::stopping() const { send("STOPPING=1\nSTATUS=draining"); }
void ServiceManager::alive() const { send("WATCHDOG=1"); }

void ServiceManager::retire(int successor) {
  send("MAINPID=" + std::to_string(successor));
  socket_.clear();
}

}  // namespace equinox::appliance
