#include <algorithm>
#include <cstring>
#include <deque>
#include <equinox/body.hpp>
#include <equinox/response.hpp>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace equinox {

/// What lies between the threads that send events and the reactor that writes them.
struct EventStream::Queue {
  std::mutex mutex;
  std::deque<std::string> waiting;  ///< `retry:` first of all, then events
  std::size_t waiting_bytes{0};     ///< of events
  std::size_t front_sent{0};        ///< bytes of waiting.front() already pulled
  bool begins_with_retry{false};    ///< it is no event: no overflow drops it
  EventStreamOptions options;
  std::uint64_t dropped{0};
  bool is_closed{false};
  bool is_pulled_dry{false};  ///< the source said pending: the next event must resume it
  Resumer resumer;

  bool push(std::string text);
  bool make_room(std::size_t bytes);
  void close();
};

struct EventStream::End {
  std::shared_ptr<Queue> queue;
  explicit End(std::shared_ptr<Queue> of) noexcept : queue{std::move(of)} {}
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End() { queue->close(); }
};

bool EventStream::Queue::make_room(std::size_t bytes) {
  if (waiting_bytes + bytes <= options.queue_max_bytes) return true;
  if (options.overflow == Overflow::close) {
    is_closed = true;
    ++dropped;
    return false;
  }
  // What would not fit into an empty queue costs no other event its place.
  if (options.overflow == Overflow::drop_oldest && bytes <= options.queue_max_bytes) {
    // The oldest event may be half sent: it stays, or the peer would read a splice of two.
    const std::size_t first = front_sent != 0 || begins_with_retry ? 1 : 0;
    while (waiting.size() > first && waiting_bytes + bytes > options.queue_max_bytes) {
      const auto oldest = waiting.begin() + static_cast<std::ptrdiff_t>(first);
      waiting_bytes -= oldest->size();
      waiting.erase(oldest);
      ++dropped;
    }
  }
  if (waiting_bytes + bytes <= options.queue_max_bytes) return true;
  ++dropped;
  return false;
}

bool EventStream::Queue::push(std::string text) {
  Resumer wake;
  bool must_wake = false;
  bool is_open = false;
  {
    const std::lock_guard lock{mutex};
    if (is_closed || resumer.is_gone()) return false;
    if (make_room(text.size())) {
      waiting_bytes += text.size();
      waiting.push_back(std::move(text));
    }
    is_open = !is_closed;
    must_wake = std::exchange(is_pulled_dry, false);
    wake = resumer;
  }
  if (must_wake) wake.resume();  // outside the lock: it takes the mailbox's
  return is_open;
}

void EventStream::Queue::close() {
  Resumer wake;
  {
    const std::lock_guard lock{mutex};
    if (is_closed) return;
    is_closed = true;
    wake = resumer;
  }
  wake.resume();
}

EventStream::EventStream(std::shared_ptr<Queue> queue) : end_{std::make_shared<End>(std::move(queue))} {}

namespace {

bool is_one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

/// One "name: line" for each line of `text`, whichever of CR, LF, CRLF ends it.
void append_lines(std::string& out, std::string_view name, std::string_view text) {
  while (true) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    out.append(name).append(text.substr(0, end)).append("\n");
    if (end == text.size()) return;
    const bool is_pair = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (is_pair ? 2 : 1));
  }
}

class EventSource final : public BodySource {
 public:
  explicit EventSource(std::shared_ptr<EventStream::Queue> queue) : queue_{std::move(queue)} {}
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;
  ~EventSource() override {
    const std::lock_guard lock{queue_->mutex};
    queue_->is_closed = true;
    queue_->waiting.clear();
  }

  void attach(Resumer resumer) override {
    const std::lock_guard lock{queue_->mutex};
    queue_->resumer = std::move(resumer);
  }

  PullResult pull(std::span<char> into) override {
    const std::lock_guard lock{queue_->mutex};
    std::size_t written = 0;
    while (written < into.size() && !queue_->waiting.empty()) {
      const std::string& front = queue_->waiting.front();
      const std::size_t part = std::min(into.size() - written, front.size() - queue_->front_sent);
      std::memcpy(into.data() + written, front.data() + queue_->front_sent, part);
      written += part;
      queue_->front_sent += part;
      if (queue_->front_sent == front.size()) {
        if (!std::exchange(queue_->begins_with_retry, false)) queue_->waiting_bytes -= front.size();
        queue_->front_sent = 0;
        queue_->waiting.pop_front();
      }
    }
    if (queue_->waiting.empty() && queue_->is_closed) return {PullStatus::end, written};
    if (written != 0) return {PullStatus::bytes, written};
    queue_->is_pulled_dry = true;
    return {PullStatus::pending, 0};
  }

 private:
  std::shared_ptr<EventStream::Queue> queue_;
};

}  // namespace

bool EventStream::send(const Event& event) {
  std::string text;
  text.reserve(event.data.size() + event.event.size() + event.id.size() + 24);
  // A line break inside a name or id would start another field: such a member is left out.
  if (!event.event.empty() && is_one_line(event.event)) text.append("event: ").append(event.event).append("\n");
  if (!event.id.empty() && is_one_line(event.id)) text.append("id: ").append(event.id).append("\n");
  append_lines(text, "data: ", event.data);
  text.append("\n");
  return end_ != nullptr && end_->queue->push(std::move(text));
}

bool EventStream::comment(std::string_view text) {
  std::string out;
  append_lines(out, ": ", text);
  out.append("\n");
  return end_ != nullptr && end_->queue->push(std::move(out));
}

void EventStream::close() {
  if (end_ != nullptr) end_->queue->close();
}

bool EventStream::is_open() const noexcept {
  if (end_ == nullptr) return false;
  const std::lock_guard lock{end_->queue->mutex};
  return !end_->queue->is_closed && !end_->queue->resumer.is_gone();
}

std::uint64_t EventStream::dropped() const noexcept {
  if (end_ == nullptr) return 0;
  const std::lock_guard lock{end_->queue->mutex};
  return end_->queue->dropped;
}

Response Response::events(const std::function<void(EventStream)>& open, EventStreamOptions options) {
  if (!open) throw std::invalid_argument{"events: an empty function"};
  if (options.queue_max_bytes == 0) throw std::invalid_argument{"events: queue_max_bytes must not be 0"};
  auto queue = std::make_shared<EventStream::Queue>();
  queue->options = options;
  if (options.retry_ms != 0) {
    queue->waiting.push_back("retry: " + std::to_string(options.retry_ms) + "\n\n");
    queue->begins_with_retry = true;
  }
  Response response = stream(std::make_unique<EventSource>(queue), "text/event-stream");
  response.with("Cache-Control", "no-store");
  open(EventStream{std::move(queue)});
  return response;
}

}  // namespace equinox
