// Answers that are made while they are sent: server-sent events to many listeners, and a generator.
//   curl -N http://127.0.0.1:8080/events
//   curl http://127.0.0.1:8080/squares/1000
#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <equinox/server.hpp>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using equinox::PullResult;
using equinox::PullStatus;
using equinox::Request;
using equinox::Response;

/// Everybody who listens. Streams are values: sending to one whose client has left is harmless and says so.
class Audience {
 public:
  void add(equinox::EventStream stream) {
    const std::lock_guard lock{mutex_};
    streams_.push_back(std::move(stream));
  }
  void tell(const equinox::EventStream::Event& event) {
    const std::lock_guard lock{mutex_};
    std::erase_if(streams_, [&event](equinox::EventStream& stream) { return !stream.send(event); });
  }

 private:
  std::mutex mutex_;
  std::vector<equinox::EventStream> streams_;
};

/// Sends a numbered event every 200 ms until it is told to stop.
void tick(const std::stop_token& stop, Audience& audience) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock{mutex};
  for (std::uint64_t number = 1; !stop.stop_requested(); ++number) {
    audience.tell({.data = "{\"tick\":" + std::to_string(number) + "}", .event = "tick", .id = std::to_string(number)});
    wake.wait_for(lock, stop, std::chrono::milliseconds{200}, [] { return false; });
  }
}

/// One line for each number. The server asks for as much as the peer takes; nothing is made in advance.
equinox::Generator squares(std::uint64_t count) {
  return [count, next = std::uint64_t{1}, line = std::string{}](std::span<char> into, const equinox::Resumer&) mutable {
    std::size_t used = 0;
    while (used < into.size()) {
      if (line.empty()) {
        if (next > count) return PullResult{PullStatus::end, used};
        line = std::to_string(next * next) + "\n";
        ++next;
      }
      const std::size_t size = std::min(line.size(), into.size() - used);
      std::copy_n(line.begin(), size, into.begin() + static_cast<std::ptrdiff_t>(used));
      line.erase(0, size);
      used += size;
    }
    return PullResult{PullStatus::bytes, used};
  };
}

Response send_squares(const Request& request) {
  const std::string_view text = request.parameter("count");
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return Response::error(400);
  return Response::generate(squares(count), "text/plain");
}

}  // namespace

int main(int argc, char** argv) {
  // Threads inherit the mask: SIGTERM must reach run() and not the thread that ticks.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Audience audience;
  // An event stream never ends by itself, so a drain has to end it: two seconds are enough here.
  equinox::Server server{
      {.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}, .drain = {.timeout = std::chrono::seconds{2}}}};
  server.get("/events", [&audience](const Request&) {
    return Response::events(
        [&audience](equinox::EventStream stream) { audience.add(std::move(stream)); },
        {.queue_max_bytes = 16 * 1024, .overflow = equinox::Overflow::drop_oldest, .retry_ms = 1000});
  });
  server.get("/squares/{count}", send_squares);
  const std::jthread ticker{[&audience](const std::stop_token& stop) { tick(stop, audience); }};
  return server.run();
}
