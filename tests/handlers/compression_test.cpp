#include "handlers/compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "handlers/mime.hpp"
#include "handlers/request_maker.hpp"

namespace equinox::handlers {
namespace {

std::string accepted(const char* value) {
  RequestMaker maker{"/"};
  if (value != nullptr) maker.field("Accept-Encoding", value);
  std::string out;
  for (const Encoding encoding : accepted_encodings(maker.make())) {
    out += (out.empty() ? "" : " ") + std::string{to_string(encoding)};
  }
  return out;
}

TEST(AcceptEncoding, IsReadWithWeightsAndStar) {
  EXPECT_EQ(accepted(nullptr), "");
  EXPECT_EQ(accepted(""), "");
  EXPECT_EQ(accepted("gzip, deflate, br, zstd"), "br zstd gzip");
  EXPECT_EQ(accepted("gzip;q=1.0, br;q=0.5"), "gzip br");
  EXPECT_EQ(accepted("gzip;q=0"), "");
  EXPECT_EQ(accepted("*"), "br zstd gzip");
  EXPECT_EQ(accepted("*;q=0.5, zstd;q=0, gzip"), "gzip br");
  EXPECT_EQ(accepted("identity;q=1, *;q=0"), "");
  EXPECT_EQ(accepted("X-GZIP"), "gzip");
  EXPECT_EQ(accepted("br;q=abc, gzip ; q=0.3"), "gzip");
  EXPECT_EQ(accepted("gzip;q=0.5, br, identity;q=0.8"), "br") << "what is less wanted than the plain content";
}

TEST(Compression, GzipIsReadBack) {
  const std::string text(10'000, 'a');
  const auto packed = compress(Encoding::gzip, text);
  ASSERT_TRUE(packed);
  EXPECT_LT(packed->size(), 200u);
  std::string out(text.size() + 1, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed->data()));
  stream.avail_in = static_cast<uInt>(packed->size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(out, text);
}

TEST(Compression, BrotliShrinksTextAndZstdIsNotMadeHere) {
  const auto packed = compress(Encoding::br, std::string(10'000, 'a'));
  ASSERT_TRUE(packed);
  EXPECT_LT(packed->size(), 100u);
  EXPECT_FALSE(compress(Encoding::zstd, "a"));
}

TEST(Mime, KnowsTypesByExtensionWithoutCase) {
  EXPECT_EQ(content_type_of("a/b.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("app.min.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type_of("x.woff2"), "font/woff2");
  EXPECT_EQ(content_type_of("a.b/noextension"), "application/octet-stream");
  EXPECT_EQ(content_type_of("x."), "application/octet-stream");
  EXPECT_EQ(content_type_of("x.averyveryverylongextension"), "application/octet-stream");
  EXPECT_TRUE(is_compressible("image/svg+xml"));
  EXPECT_TRUE(is_compressible("application/json; charset=utf-8"));
  EXPECT_FALSE(is_compressible("image/png"));
}

}  // namespace
}  // namespace equinox::handlers
