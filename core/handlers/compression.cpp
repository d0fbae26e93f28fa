#include "handlers/compression.hpp"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>

#include "http/content_coding.hpp"

namespace equinox::handlers {
namespace {

constexpr std::array<std::string_view, kEncodings> kNames{"br", "zstd", "gzip"};
constexpr std::array<std::string_view, kEncodings> kSuffixes{".br", ".zst", ".gz"};

std::optional<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return out;
}

std::optional<std::string> brotli(std::string_view bytes) {
  std::size_t size = BrotliEncoderMaxCompressedSize(bytes.size());
  if (size == 0) return std::nullopt;
  std::string out(size, '\0');
  constexpr int kQuality = 5;  // near gzip's cost; 11 takes a hundred times as long
  if (BrotliEncoderCompress(kQuality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, bytes.size(),
                            reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

}  // namespace

std::string_view to_string(Encoding encoding) noexcept { return kNames[static_cast<std::size_t>(encoding)]; }
std::string_view suffix_of(Encoding encoding) noexcept { return kSuffixes[static_cast<std::size_t>(encoding)]; }

AcceptedEncodings accepted_encodings(const Request& request) noexcept {
  std::array<int, kEncodings> weights{};
  http::weigh_codings(request.fields(), kNames, weights);
  AcceptedEncodings out;
  for (std::size_t i = 0; i < kEncodings; ++i) {
    if (weights[i] > 0) out.items[out.count++] = static_cast<Encoding>(i);
  }
  std::stable_sort(out.items.begin(), out.items.begin() + static_cast<std::ptrdiff_t>(out.count),
                   [&](Encoding a, Encoding b) {
                     return weights[static_cast<std::size_t>(a)] > weights[static_cast<std::size_t>(b)];
                   });
  return out;
}

std::optional<std::string> compress(Encoding encoding, std::string_view bytes) {
  switch (encoding) {
    case Encoding::br: return brotli(bytes);
    case Encoding::gzip: return gzip(bytes);
    case Encoding::zstd: break;
  }
  return std::nullopt;
}

}  // namespace equinox::handlers
