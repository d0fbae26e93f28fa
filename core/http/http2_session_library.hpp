#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "http/http2_session.hpp"

// Internal to the implementation of Http2Session: no other file may include this one, or nghttp2.

namespace equinox::http {

inline std::size_t error_slot(std::uint32_t code) noexcept {
  return std::min<std::size_t>(code, ProtocolCounters::kErrorCodes - 1);
}
inline std::int32_t library_id(StreamId stream) noexcept { return static_cast<std::int32_t>(stream); }
inline void release_shared(void* shared) noexcept { nghttp2_rcbuf_decref(static_cast<nghttp2_rcbuf*>(shared)); }
// A library call that fails in this way has met the end of memory, which ends the process (see Codec).
inline void expect_success(int result) noexcept {
  if (result == NGHTTP2_ERR_NOMEM) std::terminate();
}

/// What nghttp2 calls. Every function appends, counts or notes, and returns to the library.
struct Http2Session::Callbacks {
  /// The same for every session of the process; the library copies the table.
  static const nghttp2_session_callbacks* shared();
  static nghttp2_option* make_options(const Limits& limits);
  static nghttp2_mem hooks(Http2SessionMemory& memory) noexcept;
  static ssize_t read_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t length, std::uint32_t* flags,
                           nghttp2_data_source* source, void* user_data) noexcept;

 private:
  struct Receiving;
  struct Sending;
  static Http2Session& self(void* user_data) noexcept { return *static_cast<Http2Session*>(user_data); }
};

}  // namespace equinox::http
