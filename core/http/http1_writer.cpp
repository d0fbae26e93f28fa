#include "http/http1_writer.hpp"

#include <charconv>
#include <cstring>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

/// Writes into memory whose size was bounded before.
class Cursor {
 public:
  explicit Cursor(char* at) noexcept : at_{at} {}
  void put(std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void put_field(std::string_view name, std::string_view value) noexcept {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  void put_number(std::uint64_t number) noexcept { at_ = std::to_chars(at_, at_ + 20, number).ptr; }
  [[nodiscard]] char* at() const noexcept { return at_; }

 private:
  char* at_;
};

constexpr std::string_view kDate = "Date";
constexpr std::string_view kContentType = "Content-Type";
constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::size_t kFieldOverhead = 4;  // ": " and CRLF
constexpr std::size_t kFixedBytes = 64 + kContentLength.size() + 22 + kKeepAlive.size() + 2;

bool is_server(std::string_view name) noexcept { return name.size() == 6 && equals_ignoring_case(name, "server"); }

struct Bound {
  std::size_t bytes{0};
  bool names_server{false};  ///< the response has a Server of its own
};

Bound bound(const Response& response, const DateCache& date, std::string_view body) noexcept {
  Bound out;
  std::size_t bytes = kFixedBytes + date.ok_head().size() + body.size();
  bytes += kContentType.size() + response.content_type().size() + kFieldOverhead;
  for (std::size_t i = 0; i < response.inline_field_count(); ++i) {
    const Response::OutField& field = response.inline_field(i);
    bytes += field.name.size() + field.view().size() + kFieldOverhead;
    out.names_server |= is_server(field.name);
  }
  if (response.has_more()) {
    for (const auto& [name, value] : response.more_fields()) {
      bytes += name.size() + value.size() + kFieldOverhead;
      out.names_server |= is_server(name);
    }
  }
  out.bytes = bytes;
  return out;
}

}  // namespace

std::string_view status_line(Status status, char (&scratch)[64]) noexcept {
  Cursor cursor{scratch};
  cursor.put("HTTP/1.1 ");
  cursor.put_number(static_cast<std::uint64_t>(status.code()));
  cursor.put(" ");
  cursor.put(status.reason());
  cursor.put("\r\n");
  return {scratch, static_cast<std::size_t>(cursor.at() - scratch)};
}

void write_head(EgressBatch& batch, const Response& response, const Framing& framing, ConnectionField connection,
                const DateCache& date, std::string_view copied_body) {
  const Bound needs = bound(response, date, copied_body);
  char* const start = batch.reserve(needs.bytes);
  Cursor cursor{start};
  const Status status = response.status();
  if (status == Status{200} && !needs.names_server) {
    cursor.put(date.ok_head());
  } else {
    char scratch[64];
    cursor.put(status_line(status, scratch));
    if (needs.names_server) {
      cursor.put_field(kDate, date.date());
    } else {
      cursor.put(date.fields());
    }
  }
  if (!response.content_type().empty()) cursor.put_field(kContentType, response.content_type());
  if (framing.kind == Framing::Kind::length) {
    cursor.put(kContentLength);
    cursor.put_number(framing.length);
    cursor.put("\r\n");
  } else if (framing.kind == Framing::Kind::chunked) {
    cursor.put(kChunked);
  }
  for (std::size_t i = 0; i < response.inline_field_count(); ++i) {
    const Response::OutField& field = response.inline_field(i);
    cursor.put_field(field.name, field.view());
  }
  if (response.has_more()) {
    for (const auto& [name, value] : response.more_fields()) cursor.put_field(name, value);
  }
  if (connection != ConnectionField::none) cursor.put(connection == ConnectionField::close ? kClose : kKeepAlive);
  cursor.put("\r\n");
  cursor.put(copied_body);
  batch.commit(static_cast<std::size_t>(cursor.at() - start));
}

std::size_t frame_chunk(char* block, std::size_t size) noexcept {
  // Four digits always: the size is known only after the content stands behind them (leading zeros: RFC 9112 §7.1).
  static constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 4; ++i) block[i] = kDigits[(size >> (12 - 4 * i)) & 15U];
  block[4] = '\r';
  block[5] = '\n';
  block[kChunkHeadBytes + size] = '\r';
  block[kChunkHeadBytes + size + 1] = '\n';
  return kChunkHeadBytes + size + kChunkTailBytes;
}

void write_last_chunk(EgressBatch& batch, const std::vector<std::pair<std::string, std::string>>& trailers) {
  batch.append("0\r\n");
  for (const auto& [name, value] : trailers) {
    batch.append(name);
    batch.append(": ");
    batch.append(value);
    batch.append("\r\n");
  }
  batch.append("\r\n");
}

}  // namespace equinox::http
