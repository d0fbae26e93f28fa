#include "metrics/exposition_source.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <sstream>

#include "metrics/open_metrics.hpp"

namespace equinox::metrics {

namespace {
/// About this many bytes are made at a time, under a millisecond's work.
constexpr std::size_t kSlice = 32 * 1024;
constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for a gzip header
}  // namespace

ExpositionSource::ExpositionSource(Page page, Format format, bool gzip)
    : page_{std::move(page)}, format_{format}, gzip_{gzip} {
  // Level 1: a scrape is repeated text, more effort gains little.
  if (gzip_ && ::deflateInit2(&deflate_, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
}

ExpositionSource::~ExpositionSource() {
  if (gzip_) ::deflateEnd(&deflate_);
}

void ExpositionSource::write_text(const prometheus::MetricFamily& family) {
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, {family});
  text_ += out.str();
}

void ExpositionSource::write_rich(const prometheus::MetricFamily& family) {
  auto end = next_exemplar_;
  while (end < page_.exemplars.size() && page_.exemplars[end].family == next_family_) ++end;
  write_open_metrics(family, std::span{page_.exemplars}.subspan(next_exemplar_, end - next_exemplar_), text_);
  next_exemplar_ = end;
}

bool ExpositionSource::render_some() {
  text_.clear();
  taken_ = 0;
  while (next_family_ < page_.families.size() && text_.size() < kSlice) {
    auto& family = page_.families[next_family_];
    if (format_ == Format::text) {
      write_text(family);
    } else {
      write_rich(family);
    }
    family = {};
    ++next_family_;
  }
  if (next_family_ == page_.families.size() && !is_rendered_) {
    is_rendered_ = true;
    if (format_ == Format::open_metrics) text_ += kOpenMetricsEnd;
  }
  return !text_.empty();
}

bool ExpositionSource::compress_into(std::span<char> into, std::size_t& written) {
  deflate_.next_out = reinterpret_cast<Bytef*>(into.data());
  deflate_.avail_out = static_cast<uInt>(into.size());
  int state = Z_OK;
  while (deflate_.avail_out > 0 && state != Z_STREAM_END) {
    if (taken_ == text_.size() && !is_rendered_) render_some();
    const auto available = text_.size() - taken_;
    deflate_.next_in = reinterpret_cast<Bytef*>(text_.data() + taken_);
    deflate_.avail_in = static_cast<uInt>(available);
    state = ::deflate(&deflate_, is_rendered_ ? Z_FINISH : Z_NO_FLUSH);
    taken_ += available - deflate_.avail_in;
  }
  written = into.size() - deflate_.avail_out;
  return state == Z_STREAM_END;
}

PullResult ExpositionSource::pull(std::span<char> into) {
  if (gzip_) {
    std::size_t written = 0;
    const bool done = compress_into(into, written);
    return {done ? PullStatus::end : PullStatus::bytes, written};
  }
  if (taken_ == text_.size() && !render_some()) return {PullStatus::end, 0};
  const auto count = std::min(into.size(), text_.size() - taken_);
  std::memcpy(into.data(), text_.data() + taken_, count);
  taken_ += count;
  const bool done = is_rendered_ && taken_ == text_.size();
  return {done ? PullStatus::end : PullStatus::bytes, count};
}

}  // namespace equinox::metrics
