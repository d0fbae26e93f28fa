#include "http2_get.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "wire.hpp"

namespace equinox::appliance {
namespace {

struct LibraryFree {
  void operator()(nghttp2_session_callbacks* callbacks) const noexcept { nghttp2_session_callbacks_del(callbacks); }
  void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
};

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The one exchange of a session: what the library calls back.
class Exchange {
 public:
  Exchange() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc{};
    const std::unique_ptr<nghttp2_session_callbacks, LibraryFree> callbacks{made};
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session* session = nullptr;
    if (nghttp2_session_client_new(&session, made, this) != 0) throw std::bad_alloc{};
    session_.reset(session);
  }

  void ask(std::string_view scheme, std::string_view authority, std::string_view path) {
    const std::array<nghttp2_nv, 5> fields{field(":method", "GET"), field(":scheme", scheme),
                                           field(":authority", authority), field(":path", path),
                                           field("user-agent", "equinox-probe")};
    nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, nullptr, 0);
    if (nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(), nullptr, nullptr) < 0) {
      throw std::runtime_error("the request cannot be written as HTTP/2");
    }
  }

  void flush(Wire& wire) {
    const std::uint8_t* data = nullptr;
    for (;;) {
      const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
      if (size < 0) throw std::runtime_error(nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) return;
      wire.write(std::as_bytes(std::span{data, static_cast<std::size_t>(size)}));
    }
  }

  void take(std::span<const std::byte> bytes) {
    const ssize_t taken =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0) throw std::runtime_error(std::string{"not HTTP/2: "} + nghttp2_strerror(static_cast<int>(taken)));
  }

  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] std::uint32_t error() const noexcept { return error_; }
  [[nodiscard]] ProbeAnswer& answer() noexcept { return answer_; }

 private:
  static nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view part) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(part.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    if (text(name, name_size) == ":status") {
      const std::string_view digits = text(value, value_size);
      std::from_chars(digits.data(), digits.data() + digits.size(), static_cast<Exchange*>(user)->answer_.status);
    }
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size,
                     void* user) {
    std::string& body = static_cast<Exchange*>(user)->answer_.body;
    if (body.size() < kProbeKeptBytes) body += text(data, size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t, std::uint32_t error, void* user) {
    static_cast<Exchange*>(user)->is_over_ = true;
    static_cast<Exchange*>(user)->error_ = error;
    return 0;
  }

  std::unique_ptr<nghttp2_session, LibraryFree> session_;
  ProbeAnswer answer_;
  bool is_over_{false};
  std::uint32_t error_{0};
};

}  // namespace

ProbeAnswer get_over_http2(const Origin& origin, std::chrono::milliseconds allowed) {
  const auto scheme_end = origin.base.find("://");
  const std::string scheme = origin.base.substr(0, scheme_end);
  Wire wire{origin.base, allowed, "h2"};
  if (scheme == "https" && wire.application_protocol() != "h2") {
    throw std::runtime_error("the server does not choose h2 by ALPN");
  }
  Exchange exchange;
  exchange.ask(scheme, origin.base.substr(scheme_end + 3), origin.path);
  std::array<std::byte, 16384> buffer{};
  exchange.flush(wire);
  while (!exchange.is_over()) {
    const std::size_t count = wire.read(buffer);
    if (count == 0) throw std::runtime_error("the connection ended before the answer did");
    exchange.take(std::span{buffer}.first(count));
    exchange.flush(wire);
  }
  if (exchange.error() != NGHTTP2_NO_ERROR) {
    throw std::runtime_error(std::string{"the stream was reset: "} + nghttp2_http2_strerror(exchange.error()));
  }
  return std::move(exchange.answer());
}

}  // namespace equinox::appliance
