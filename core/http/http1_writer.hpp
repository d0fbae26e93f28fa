#pragma once

#include <cstdint>
#include <equinox/response.hpp>
#include <optional>
#include <string_view>

#include "base/egress_batch.hpp"
#include "http/date.hpp"

namespace equinox::http {

/// How the end of a response's content is told (RFC 9112 §6.3).
struct Framing {
  enum class Kind : std::uint8_t {
    none,     ///< neither length nor coding: 1xx, 204, 304, HEAD of an unknown length, or ended by close
    length,   ///< Content-Length
    chunked,  ///< Transfer-Encoding: chunked
  };
  Kind kind{Kind::none};
  std::uint64_t length{0};
};

enum class ConnectionField : std::uint8_t { none, close, keep_alive };

/// Renders status line, fields and the empty line, with `copied_body` behind, into one reservation of `batch`.
/// Date, Content-Length, Transfer-Encoding and Connection come from the arguments, never from the response; Server,
/// too, unless the response names its own.
void write_head(EgressBatch& batch, const Response& response, const Framing& framing, ConnectionField connection,
                const DateCache& date, std::string_view copied_body);

/// "HTTP/1.1 404 Not Found\r\n" for every status.
std::string_view status_line(Status status, char (&scratch)[64]) noexcept;

/// Bytes around the content of one chunk: four size digits and CRLF before, CRLF behind (RFC 9112 §7.1).
inline constexpr std::size_t kChunkHeadBytes = 6;
inline constexpr std::size_t kChunkTailBytes = 2;
inline constexpr std::size_t kChunkMaxBytes = 16 * 1024;
/// Writes the size line in front of `size` content bytes that stand at `block + kChunkHeadBytes`, and CRLF behind.
/// @return bytes of the whole chunk
std::size_t frame_chunk(char* block, std::size_t size) noexcept;
/// The last chunk with trailer fields. Names that frame or route a response does not take (RFC 9110 §6.5.1).
void write_last_chunk(EgressBatch& batch, const std::vector<std::pair<std::string, std::string>>& trailers);

}  // namespace equinox::http
