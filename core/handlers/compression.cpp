#include "handlers/compression.hpp"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>

#include "http/headers.hpp"

namespace equinox::handlers {
namespace {

constexpr std::array<std::string_view, kEncodings> kNames{"br", "zstd", "gzip"};
constexpr std::array<std::string_view, kEncodings> kSuffixes{".br", ".zst", ".gz"};

/// Weight in thousandths (RFC 9110 §12.4.2); 1000 when absent, 0 when it cannot be read.
int weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // ';'
    const auto end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = http::trim(parameters.substr(0, end));
    parameters.remove_prefix(end);
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    const std::string_view value = parameter.substr(2);
    if (value.empty() || (value[0] != '0' && value[0] != '1') || value.size() > 5) return 0;
    int weight = (value[0] - '0') * 1000;
    int scale = 100;
    for (std::size_t i = 1; i < value.size(); ++i) {
      if (i == 1 ? value[i] != '.' : value[i] < '0' || value[i] > '9') return 0;
      if (i == 1) continue;
      weight += (value[i] - '0') * scale;
      scale /= 10;
    }
    return std::min(weight, 1000);
  }
  return 1000;
}

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
  std::array<int, kEncodings> weights{-1, -1, -1};
  int any = 0;
  for (const Field& field : request.fields()) {
    if (!http::equals_ignoring_case(field.name, "accept-encoding")) continue;
    std::string_view list = field.value;
    while (const auto member = http::next_member(list)) {
      const auto end = std::min(member->find(';'), member->size());
      const std::string_view name = http::trim(member->substr(0, end));
      const int weight = weight_of(member->substr(end));
      if (name == "*") any = weight;
      for (std::size_t i = 0; i < kEncodings; ++i) {
        const bool is_same =
            http::equals_ignoring_case(name, kNames[i]) ||
            (i == static_cast<std::size_t>(Encoding::gzip) && http::equals_ignoring_case(name, "x-gzip"));
        if (is_same) weights[i] = weight;
      }
    }
  }
  AcceptedEncodings out;
  for (std::size_t i = 0; i < kEncodings; ++i) {
    if (weights[i] < 0) weights[i] = any;
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
