#include "http1_get.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "http/headers.hpp"
#include "wire.hpp"

namespace equinox::appliance {
namespace {

constexpr std::size_t kHeadMaxBytes = std::size_t{64} << 10U;

[[noreturn]] void fail(const char* what) { throw std::runtime_error(what); }

template <typename N>
std::optional<N> whole_number(std::string_view text, int base) {
  N value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Head {
  int status{0};
  bool is_chunked{false};
  std::optional<std::uint64_t> length;
};

/// Reads one answer (RFC 9112 §6.3) from a wire, in the order in which it comes.
class Reader {
 public:
  explicit Reader(Wire& wire) : wire_{wire} {}

  ProbeAnswer answer() {
    Head head = read_head();
    while (head.status >= 100 && head.status <= 199) head = read_head();
    answer_.status = head.status;
    if (head.status == 204 || head.status == 304) return std::move(answer_);
    if (head.is_chunked) {
      read_chunks();
    } else if (head.length) {
      take(*head.length);
    } else {
      do {
        take(waiting_.size());
      } while (fill());
    }
    return std::move(answer_);
  }

 private:
  Head read_head() {
    Head head;
    const std::string status = line();
    if (!status.starts_with("HTTP/1.") || status.size() < 12 || status[8] != ' ') fail("the answer is not HTTP/1");
    head.status = whole_number<int>(std::string_view{status}.substr(9, 3), 10).value_or(0);
    std::size_t size = status.size();
    for (std::string field = line(); !field.empty(); field = line()) {
      size += field.size();
      if (size > kHeadMaxBytes) fail("the answer's head is longer than 64 KiB");
      const std::size_t colon = std::min(field.find(':'), field.size());
      const std::string_view name = std::string_view{field}.substr(0, colon);
      const std::string_view value = http::trim(std::string_view{field}.substr(std::min(colon + 1, field.size())));
      // Of an answer, the last coding tells where the body ends (RFC 9112 §6.3).
      if (http::equals_ignoring_case(name, "transfer-encoding")) {
        head.is_chunked = http::equals_ignoring_case(http::trim(value.substr(value.rfind(',') + 1)), "chunked");
      }
      if (!http::equals_ignoring_case(name, "content-length")) continue;
      head.length = whole_number<std::uint64_t>(value, 10);
      if (!head.length) fail("the answer's Content-Length is no number");
    }
    return head;
  }

  void read_chunks() {
    for (;;) {
      const std::string size_line = line();
      const auto size =
          whole_number<std::uint64_t>(http::trim(std::string_view{size_line}.substr(0, size_line.find(';'))), 16);
      if (!size) fail("a chunk of the answer has no size");
      if (*size == 0) break;
      take(*size);
      if (!line().empty()) fail("a chunk of the answer is longer than its size");
    }
    while (!line().empty()) continue;  // trailers
  }

  /// Up to the next line feed, without it.
  std::string line() {
    std::size_t end = waiting_.find('\n');
    while (end == std::string::npos) {
      if (waiting_.size() > kHeadMaxBytes) fail("the answer's head is longer than 64 KiB");
      must_fill();
      end = waiting_.find('\n');
    }
    std::string out = waiting_.substr(0, end);
    waiting_.erase(0, end + 1);
    if (out.ends_with('\r')) out.pop_back();
    return out;
  }

  /// Moves bytes of the body.
  void take(std::uint64_t count) {
    while (count != 0) {
      if (waiting_.empty()) must_fill();
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, waiting_.size()));
      if (answer_.body.size() < kProbeKeptBytes) answer_.body.append(waiting_, 0, part);
      waiting_.erase(0, part);
      count -= part;
    }
  }

  void must_fill() {
    if (!fill()) fail("the connection ended before the answer did");
  }

  bool fill() {
    std::array<std::byte, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
    const std::size_t count = wire_.read(buffer);
    waiting_.append(reinterpret_cast<const char*>(buffer.data()), count);
    return count != 0;
  }

  Wire& wire_;
  std::string waiting_;
  ProbeAnswer answer_;
};

}  // namespace

ProbeAnswer get_over_http1(const Origin& origin, std::chrono::milliseconds allowed) {
  if (std::any_of(origin.path.begin(), origin.path.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; })) {
    fail("the URL holds a blank or control character, allowed is it encoded, as %20");
  }
  const std::string authority = origin.base.substr(origin.base.find("://") + 3);
  Wire wire{origin.base, allowed, "http/1.1"};
  const std::string request = "GET " + origin.path + " HTTP/1.1\r\nHost: " + authority +
                              "\r\nUser-Agent: equinox-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  wire.write(std::as_bytes(std::span{request}));
  return Reader{wire}.answer();
}

}  // namespace equinox::appliance
