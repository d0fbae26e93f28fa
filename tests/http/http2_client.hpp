#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equinox::http::test {

using FieldList = std::vector<std::pair<std::string, std::string>>;

/// What a client has received on one stream.
struct Answer {
  int status{0};
  int informational{0};
  FieldList fields;
  FieldList trailers;
  std::string body;
  bool is_ended{false};
  bool is_closed{false};
  std::uint32_t error_code{0};

  [[nodiscard]] std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return {};
  }
};

/// An HTTP/2 client on strings: nghttp2's other half.
class Http2Client {
 public:
  struct Options {
    bool consumes_body{true};           ///< false: the windows stay as they are
    std::uint32_t window_bytes{65535};  ///< SETTINGS_INITIAL_WINDOW_SIZE
    bool sends_preface{true};
  };

  explicit Http2Client(Options options);
  Http2Client() : Http2Client{Options{}} {}
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  /// Queues a request. With `body` the request carries it; without one it ends with its head.
  std::int32_t request(FieldList fields, const std::string* body = nullptr, FieldList trailers = {});
  std::int32_t get(std::string path, FieldList more = {});
  std::int32_t post(std::string path, const std::string& body, FieldList more = {});

  /// Bytes for the server.
  std::string output();
  /// Bytes from the server. False when the client found them wrong.
  bool input(std::string_view bytes);

  nghttp2_session* session() { return session_; }
  Answer& answer(std::int32_t stream) { return answers[stream]; }

  std::map<std::int32_t, Answer> answers;
  std::vector<std::int32_t> data_order;                         ///< stream of each DATA frame received
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways;  ///< last stream, code
  std::map<std::int32_t, std::uint32_t> settings;               ///< of the server
  std::map<std::uint8_t, int> frames;                           ///< received, by type
  bool settings_came_first{false};

 private:
  struct Upload {
    std::string body;
    std::size_t position{0};
    FieldList trailers;
  };
  struct Callbacks;
  Options options_;
  nghttp2_session* session_{nullptr};
  std::vector<std::unique_ptr<Upload>> uploads_;
};

/// One frame as bytes.
std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {});
/// Preface and an empty SETTINGS.
std::string client_preface();
/// A header block without compression: literal fields, never indexed.
std::string header_block(const FieldList& fields);
/// "GET path" as one HEADERS frame.
std::string get_frame(std::uint32_t stream, std::string_view path = "/", std::uint8_t flags = 0x5);
std::string repeated(std::string_view bytes, std::size_t times);
std::string be32(std::uint32_t value);

struct RawFrame {
  std::uint8_t type{0};
  std::uint8_t flags{0};
  std::uint32_t stream{0};
  std::string payload;
  /// The four octets at `offset`, as a number.
  [[nodiscard]] std::uint32_t number(std::size_t offset) const;
};
std::vector<RawFrame> split_frames(std::string_view bytes);

}  // namespace equinox::http::test
