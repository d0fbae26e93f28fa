#include "http/http2_client.hpp"

#include <algorithm>
#include <cstring>

namespace equinox::http::test {
namespace {

std::vector<nghttp2_nv> to_library(const FieldList& fields) {
  std::vector<nghttp2_nv> out;
  for (const auto& [name, value] : fields) {
    out.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                   reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                   NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

std::string text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace

struct Http2Client::Callbacks {
  static Http2Client& self(void* user) { return *static_cast<Http2Client*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    Answer& answer = self(user).answers[frame->hd.stream_id];
    const std::string key = text(name, name_size);
    const std::string content = text(value, value_size);
    if (key == ":status") {
      const int status = std::stoi(content);
      (status < 200 ? answer.informational : answer.status) = status;
    } else if (frame->headers.cat == NGHTTP2_HCAT_HEADERS && answer.status >= 200 && !answer.body.empty()) {
      answer.trailers.emplace_back(key, content);
    } else {
      answer.fields.emplace_back(key, content);
    }
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Client& client = self(user);
    if (client.frames.empty()) client.settings_came_first = frame->hd.type == NGHTTP2_SETTINGS;
    ++client.frames[frame->hd.type];
    if (frame->hd.type == NGHTTP2_DATA) client.data_order.push_back(frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      client.goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
    }
    if (frame->hd.type == NGHTTP2_SETTINGS) {
      for (std::size_t i = 0; i < frame->settings.niv; ++i) {
        client.settings[frame->settings.iv[i].settings_id] = frame->settings.iv[i].value;
      }
    }
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)) {
      client.answers[frame->hd.stream_id].is_ended = true;
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    Http2Client& client = self(user);
    client.answers[stream].body += text(bytes, size);
    if (client.options_.consumes_body) nghttp2_session_consume(session, stream, size);
    return 0;
  }

  static int closed(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
    Answer& answer = self(user).answers[stream];
    answer.is_closed = true;
    answer.error_code = code;
    return 0;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t stream, std::uint8_t* buffer, std::size_t size,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& upload = *static_cast<Upload*>(source->ptr);
    const std::size_t count = std::min(size, upload.body.size() - upload.position);
    std::memcpy(buffer, upload.body.data() + upload.position, count);
    upload.position += count;
    if (upload.position == upload.body.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!upload.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto trailers = to_library(upload.trailers);
        nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size());
      }
    }
    return static_cast<ssize_t>(count);
  }
};

Http2Client::Http2Client(Options options) : options_{options} {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::closed);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry own[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.window_bytes},
                                        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
  if (options_.sends_preface) nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, own, 2);
}

std::int32_t Http2Client::request(FieldList fields, const std::string* body, FieldList trailers) {
  const auto library = to_library(fields);
  if (body == nullptr) {
    return nghttp2_submit_request(session_, nullptr, library.data(), library.size(), nullptr, nullptr);
  }
  uploads_.push_back(std::make_unique<Upload>(Upload{*body, 0, std::move(trailers)}));
  nghttp2_data_provider provider{};
  provider.source.ptr = uploads_.back().get();
  provider.read_callback = &Callbacks::read;
  return nghttp2_submit_request(session_, nullptr, library.data(), library.size(), &provider, nullptr);
}

std::int32_t Http2Client::get(std::string path, FieldList more) {
  FieldList fields{{":method", "GET"}, {":scheme", "http"}, {":path", std::move(path)}, {":authority", "a.example"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return request(std::move(fields));
}

std::int32_t Http2Client::post(std::string path, const std::string& body, FieldList more) {
  FieldList fields{{":method", "POST"}, {":scheme", "http"}, {":path", std::move(path)}, {":authority", "a.example"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return request(std::move(fields), &body);
}

std::string Http2Client::output() {
  std::string bytes;
  const std::uint8_t* data = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &data)) > 0;) {
    bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
  return bytes;
}

bool Http2Client::input(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) ==
         static_cast<ssize_t>(bytes.size());
}

std::string be32(std::uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes = be32(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  bytes += be32(stream);
  return bytes.append(payload);
}

std::uint32_t RawFrame::number(std::size_t offset) const {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4 && offset + i < payload.size(); ++i) {
    value = value << 8U | static_cast<std::uint8_t>(payload[offset + i]);
  }
  return value;
}

std::vector<RawFrame> split_frames(std::string_view bytes) {
  const auto at = [](std::string_view text, std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[i]));
  };
  std::vector<RawFrame> frames;
  while (bytes.size() >= 9) {
    const std::size_t length = at(bytes, 0) << 16U | at(bytes, 1) << 8U | at(bytes, 2);
    RawFrame next{static_cast<std::uint8_t>(bytes[3]), static_cast<std::uint8_t>(bytes[4]),
                  (at(bytes, 5) & 0x7fU) << 24U | at(bytes, 6) << 16U | at(bytes, 7) << 8U | at(bytes, 8),
                  std::string{bytes.substr(9, length)}};
    bytes.remove_prefix(std::min(bytes.size(), 9 + length));
    frames.push_back(std::move(next));
  }
  return frames;
}

std::string client_preface() { return std::string{NGHTTP2_CLIENT_MAGIC} + frame(NGHTTP2_SETTINGS, 0, 0); }

std::string header_block(const FieldList& fields) {
  std::string block;
  const auto add = [&block](const std::string& literal) {
    if (literal.size() < 127) {
      block += static_cast<char>(literal.size());
    } else {  // RFC 7541 §5.1: 127 and the rest in groups of seven bits
      block += static_cast<char>(127);
      std::size_t rest = literal.size() - 127;
      for (; rest >= 128; rest /= 128) block += static_cast<char>(0x80 | (rest % 128));
      block += static_cast<char>(rest);
    }
    block += literal;
  };
  for (const auto& [name, value] : fields) {
    block += '\x10';
    add(name);
    add(value);
  }
  return block;
}

std::string repeated(std::string_view bytes, std::size_t times) {
  std::string all;
  all.reserve(bytes.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += bytes;
  return all;
}

std::string get_frame(std::uint32_t stream, std::string_view path, std::uint8_t flags) {
  return frame(
      NGHTTP2_HEADERS, flags, stream,
      header_block(
          {{":method", "GET"}, {":scheme", "http"}, {":path", std::string{path}}, {":authority", "a.example"}}));
}

}  // namespace equinox::http::test
