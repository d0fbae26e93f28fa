// Work that takes time, away from the reactors: an upload that is read only as fast as it is used, and an answer that
// comes from a worker.
//   curl -T some-large-file http://127.0.0.1:8080/upload/
//   curl http://127.0.0.1:8080/primes/100000
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <deque>
#include <equinox/server.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace {

using equinox::PullResult;
using equinox::PullStatus;
using equinox::Request;
using equinox::Response;

/// Sums up the bytes of one upload on the worker pool. The reactor adds pieces, a worker takes them.
class Digest : public std::enable_shared_from_this<Digest> {
 public:
  explicit Digest(equinox::Server& server) : server_{server} {}

  /// @return false when enough waits: add no more until `resumer` was called.
  bool add(std::string piece, const equinox::Resumer& resumer) {
    bool is_enough = false;
    {
      const std::lock_guard lock{mutex_};
      waiting_bytes_ += piece.size();
      waiting_.push_back(std::move(piece));
      is_enough = waiting_bytes_ >= kEnoughBytes;
      if (is_enough) resumer_ = resumer;
      if (is_running_) return !is_enough;
      is_running_ = true;
    }
    // A full pool costs this reactor time, but no data.
    if (!server_.offload([self = shared_from_this()] { self->work(); })) work();
    return !is_enough;
  }

  /// The answer's text once all pieces are summed up; until then nothing, and `resumer` will be called.
  std::string result(const equinox::Resumer& resumer) {
    const std::lock_guard lock{mutex_};
    if (is_running_) {
      resumer_ = resumer;
      return {};
    }
    return nlohmann::json{{"bytes", bytes_}, {"fnv1a", hash_}}.dump() + "\n";
  }

 private:
  static constexpr std::size_t kEnoughBytes = 256 * 1024;

  void work() {
    std::unique_lock lock{mutex_};
    while (!waiting_.empty()) {
      const std::string piece = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      sum_up(piece);
      lock.lock();
      waiting_bytes_ -= piece.size();
    }
    is_running_ = false;
    const equinox::Resumer resumer = std::exchange(resumer_, {});
    lock.unlock();
    resumer.resume();
  }

  // Only one worker at a time is here: is_running_ sees to that, and the lock hands over what it wrote.
  void sum_up(std::string_view piece) {
    bytes_ += piece.size();
    for (const char c : piece) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }

  equinox::Server& server_;
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_{0};
  bool is_running_{false};
  equinox::Resumer resumer_;
  std::uint64_t bytes_{0};
  std::uint64_t hash_{0xcbf29ce484222325U};
};

/// Takes the body as it arrives. `wait` stops reading from this peer (HTTP/2: from this stream) and from nobody else.
class UploadSink final : public equinox::BodySink {
 public:
  explicit UploadSink(equinox::Server& server) : digest_{std::make_shared<Digest>(server)} {}

  void attach(equinox::Resumer resumer) override { resumer_ = std::move(resumer); }
  equinox::SinkStatus receive(std::span<const std::byte> bytes) override {
    std::string piece{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return digest_->add(std::move(piece), resumer_) ? equinox::SinkStatus::more : equinox::SinkStatus::wait;
  }
  Response finish() override {
    // The last pieces may still be with a worker: the body waits for them, the reactor does not.
    return Response::generate(
        [digest = digest_, text = std::string{}](std::span<char> into, const equinox::Resumer& resumer) mutable {
          if (text.empty()) text = digest->result(resumer);
          if (text.empty()) return PullResult{PullStatus::pending, 0};
          const std::size_t count = std::min(text.size(), into.size());
          std::copy_n(text.begin(), count, into.begin());
          text.erase(0, count);
          return PullResult{text.empty() ? PullStatus::end : PullStatus::bytes, count};
        },
        "application/json");
  }

 private:
  std::shared_ptr<Digest> digest_;
  equinox::Resumer resumer_;
};

std::uint32_t primes_below(std::uint32_t limit) {
  std::uint32_t count = 0;
  for (std::uint32_t n = 2; n < limit; ++n) {
    bool is_prime = true;
    for (std::uint32_t d = 2; is_prime && d * d <= n; ++d) is_prime = n % d != 0;
    count += is_prime ? 1 : 0;
  }
  return count;
}

/// The second handler shape: the request is owned, and the Responder answers later, from any thread.
void answer_primes(equinox::Server& server, const Request& request, equinox::Responder responder) {
  const std::string_view text = request.parameter("below");
  std::uint32_t below = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), below);
  if (error != std::errc{} || end != text.data() + text.size() || below > 1'000'000) {
    static_cast<void>(responder.send(Response::error(400)));
    return;
  }
  // std::function wants to be copied, a Responder must not be: they meet in a shared_ptr.
  const auto later = std::make_shared<equinox::Responder>(std::move(responder));
  const bool is_queued = server.offload([later, below] {
    if (later->is_gone()) return;
    static_cast<void>(later->send(Response::json({{"below", below}, {"primes", primes_below(below)}})));
  });
  if (!is_queued) static_cast<void>(later->send(Response::error(503)));
}

}  // namespace

int main(int argc, char** argv) {
  equinox::Server server{{.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}}};
  const equinox::StreamHandler take_upload = [&server](const Request&) { return std::make_unique<UploadSink>(server); };
  server.put("/upload/*", take_upload, {.request_body_max_bytes = std::uint64_t{4} << 30U});
  server.get("/primes/{below}", [&server](Request request, equinox::Responder responder) {
    answer_primes(server, request, std::move(responder));
  });
  return server.run();
}
