// Load on loopback, one thread, one JSON line as its result.
//
//   bench_load closed PORT   every connection keeps `depth` requests in flight
//   bench_load churn PORT    a new connection for every request
//   bench_load open PORT     requests leave at their appointed times; latency counts from then, not from when they
//   could leave bench_load idle PORT     one request each, then holds the connections until standard input ends
//
// Options: see load_options.hpp. Addresses other than 127.0.0.1 are not to be had.

#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <vector>

#include "latency_samples.hpp"
#include "load_options.hpp"
#include "peer_connection.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Slot {
  PeerConnection connection;
  AnswerCounter answers;
  std::size_t in_flight{0};
  std::size_t sent_bytes{0};  ///< of the batch that is leaving
  bool ready{false};          ///< connected, and the handshake is done
  bool leaving{false};
  Clock::time_point due{};
};

class Load {
 public:
  explicit Load(const LoadOptions& options) : options_{options}, slots_(options.connections) {
    poller_ = epoll_create1(EPOLL_CLOEXEC);
    if (options.tls) {
      context_ = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
      const std::array<unsigned char, 9> http11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
      SSL_CTX_set_alpn_protos(context_, http11.data(), http11.size());
    }
    for (std::size_t i = 0; i < options.depth; ++i) batch_ += options.request;
    if (options.h2c) batch_ = h2c_opening();
  }

  int run() {
    started_ = Clock::now();
    ends_ = started_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds));
    if (options_.mode == "idle") return hold();
    for (std::size_t i = 0; i < slots_.size(); ++i) open_slot(i);
    if (options_.mode == "open") return open_loop();
    while (!is_over()) turn(100);
    return report();
  }

 private:
  static std::string h2c_opening() {
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    bytes += std::string("\0\0\0\4\0\0\0\0\0", 9);  // empty SETTINGS
    const std::string head = std::string("\x82\x86\x04\x06", 4) + "/hello" + std::string("\x01\x01", 2) + "a";
    bytes += std::string("\0\0", 2) + static_cast<char>(head.size()) + std::string("\1\5\0\0\0\1", 6) + head;
    bytes += std::string("\0\0\0\4\1\0\0\0\0", 9);  // acknowledges the server's
    return bytes;
  }

  [[nodiscard]] bool is_over() const {
    if (options_.requests > 0) return finished_ >= options_.requests || failed_ > options_.requests;
    return Clock::now() >= ends_;
  }

  void open_slot(std::size_t index) {
    Slot& slot = slots_[index];
    if (!slot.connection.open(options_.port, context_)) {
      ++failed_;
      return;
    }
    epoll_event interest{};
    interest.events = EPOLLIN | EPOLLOUT | EPOLLET;
    interest.data.u64 = index;
    epoll_ctl(poller_, EPOLL_CTL_ADD, slot.connection.descriptor(), &interest);
  }

  void turn(int timeout_ms) {
    const int count = epoll_wait(poller_, ready_.data(), static_cast<int>(ready_.size()), timeout_ms);
    for (int i = 0; i < count; ++i) advance(static_cast<std::size_t>(ready_[static_cast<std::size_t>(i)].data.u64));
  }

  void advance(std::size_t index) {
    Slot& slot = slots_[index];
    if (!slot.ready) {
      if (!slot.connection.handshake()) {
        if (!slot.connection.would_block()) renew(index, true);
        return;
      }
      slot.ready = true;
      if (options_.mode == "open") {
        free_.push_back(index);
      } else {
        begin_batch(slot);
      }
    }
    if (slot.leaving && !send_batch(slot)) return renew(index, true);
    receive(index, slot);
  }

  void begin_batch(Slot& slot) {
    slot.due = Clock::now();
    slot.leaving = true;
    slot.sent_bytes = 0;
    slot.in_flight = options_.depth;
  }

  bool send_batch(Slot& slot) {
    while (slot.sent_bytes < batch_.size()) {
      const long count = slot.connection.write(std::string_view{batch_}.substr(slot.sent_bytes));
      if (count < 0) return false;
      if (count == 0) return true;
      slot.sent_bytes += static_cast<std::size_t>(count);
    }
    slot.leaving = false;
    return true;
  }

  void receive(std::size_t index, Slot& slot) {
    for (;;) {
      const long count = slot.connection.read(buffer_.data(), buffer_.size());
      if (count < 0 && slot.connection.would_block()) return;
      if (count <= 0) return renew(index, slot.in_flight > 0);
      if (options_.h2c) {
        note_h2c(slot, {buffer_.data(), static_cast<std::size_t>(count)});
      } else if (!note_answers(index, slot, {buffer_.data(), static_cast<std::size_t>(count)})) {
        return;
      }
      if (!slot.connection.is_secure() && static_cast<std::size_t>(count) < buffer_.size()) return;
    }
  }

  /// @return false when the connection was replaced
  bool note_answers(std::size_t index, Slot& slot, std::string_view bytes) {
    const std::uint64_t refused = slot.answers.refused();
    const std::size_t done = slot.answers.receive(bytes);
    failed_ += slot.answers.refused() - refused;
    if (done == 0) return true;
    finished_ += done;
    slot.in_flight -= std::min(done, slot.in_flight);
    if (slot.in_flight > 0) return true;
    const auto elapsed = Clock::now() - slot.due;
    samples_.add(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()));
    if (options_.mode == "idle") return true;
    if (options_.mode == "churn") {
      renew(index, false);
      return false;
    }
    if (options_.mode == "open") {
      free_.push_back(index);
      return true;
    }
    if (options_.requests > 0 && finished_ >= options_.requests) return true;
    begin_batch(slot);
    if (!send_batch(slot)) {
      renew(index, true);
      return false;
    }
    return true;
  }

  void note_h2c(Slot& slot, std::string_view bytes) {
    if (bytes.find("\"status\"") == std::string_view::npos || slot.in_flight == 0) return;
    slot.in_flight = 0;
    ++finished_;
  }

  void renew(std::size_t index, bool failed) {
    if (failed) ++failed_;
    slots_[index].connection.close(options_.mode == "churn");
    slots_[index] = Slot{};
    if (options_.mode == "idle") {
      ++lost_;
    } else if (!is_over()) {
      open_slot(index);
    }
  }

  int open_loop() {
    while (free_.size() < slots_.size() && Clock::now() < ends_) turn(10);
    const auto interval =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / options_.rate));
    started_ = Clock::now();
    ends_ = started_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds));
    Clock::time_point next = started_;
    std::deque<Clock::time_point> late;
    while (Clock::now() < ends_) {
      for (const auto now = Clock::now(); next <= now; next += interval) late.push_back(next);
      while (!late.empty() && !free_.empty()) {
        Slot& slot = slots_[free_.front()];
        free_.pop_front();
        begin_batch(slot);
        slot.due = late.front();
        late.pop_front();
        static_cast<void>(send_batch(slot));
      }
      turn(0);
    }
    return report();
  }

  int hold() {
    const std::size_t at_once = 128;  // below any accept queue
    for (std::size_t opened = 0; opened < slots_.size();) {
      while (opened < slots_.size() && opened < finished_ + failed_ + lost_ + at_once) open_slot(opened++);
      turn(100);
      if (Clock::now() > ends_ + std::chrono::seconds(120)) break;
    }
    while (finished_ + failed_ < slots_.size() && Clock::now() < ends_ + std::chrono::seconds(120)) turn(100);
    std::printf("{\"ready\": %llu, \"failed\": %llu}\n", static_cast<unsigned long long>(finished_),
                static_cast<unsigned long long>(failed_));
    std::fflush(stdout);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.u64 = kInput;
    epoll_ctl(poller_, EPOLL_CTL_ADD, STDIN_FILENO, &interest);
    const std::uint64_t lost_before = lost_;
    for (;;) {
      const int count = epoll_wait(poller_, ready_.data(), static_cast<int>(ready_.size()), -1);
      for (int i = 0; i < count; ++i) {
        if (ready_[static_cast<std::size_t>(i)].data.u64 == kInput) {
          std::printf("{\"held\": %llu, \"lost\": %llu}\n", static_cast<unsigned long long>(finished_),
                      static_cast<unsigned long long>(lost_ - lost_before));
          for (Slot& slot : slots_) slot.connection.close(true);
          return 0;
        }
        advance(static_cast<std::size_t>(ready_[static_cast<std::size_t>(i)].data.u64));
      }
    }
  }

  int report() {
    const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
    std::printf(
        "{\"requests\": %llu, \"failed\": %llu, \"seconds\": %.4f, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": "
        "%.1f, "
        "\"p999_us\": %.1f, \"max_us\": %.1f}\n",
        static_cast<unsigned long long>(finished_), static_cast<unsigned long long>(failed_), elapsed,
        samples_.quantile_us(0.5), samples_.quantile_us(0.9), samples_.quantile_us(0.99), samples_.quantile_us(0.999),
        samples_.largest_us());
    return 0;
  }

  static constexpr std::uint64_t kInput = ~std::uint64_t{0};

  LoadOptions options_;
  std::vector<Slot> slots_;
  std::deque<std::size_t> free_;
  std::string batch_;
  std::array<epoll_event, 512> ready_{};
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  SSL_CTX* context_{nullptr};
  int poller_{-1};
  std::uint64_t finished_{0};
  std::uint64_t failed_{0};
  std::uint64_t lost_{0};
  LatencySamples samples_;
  Clock::time_point started_{};
  Clock::time_point ends_{};
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  bench::LoadOptions options;
  if (!bench::parse_load_options(argc, argv, options)) {
    std::fputs("usage: bench_load closed|churn|open|idle PORT [options]\n", stderr);
    return 2;
  }
  return bench::Load{options}.run();
}
