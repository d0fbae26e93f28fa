#include "metrics/exposition_source.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <sstream>
#include <utility>

#include "metrics/open_metrics.hpp"
#include "metrics/server_collector.hpp"

namespace equinox::metrics {

namespace {
/// About this many lines are made at a time, some 30 KB: under a millisecond's work.
constexpr std::size_t kPieceLines = 256;
constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for a gzip header
}  // namespace

ExpositionSource::ExpositionSource(Page page, Format format, bool gzip, ScrapeSlots::Slot slot)
    : slot_{std::move(slot)}, page_{std::move(page)}, format_{format}, gzip_{gzip} {
  // Level 1: a scrape is repeated text, more effort gains little.
  if (gzip_ && ::deflateInit2(&deflate_, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
}

ExpositionSource::~ExpositionSource() {
  if (gzip_) ::deflateEnd(&deflate_);
}

prometheus::MetricFamily ExpositionSource::take_piece(prometheus::MetricFamily& family) {
  prometheus::MetricFamily piece;
  piece.name = family.name;
  piece.help = family.help;
  piece.type = family.type;
  for (std::size_t lines = 0; next_metric_ < family.metric.size() && lines < kPieceLines; ++next_metric_) {
    lines += lines_of(family.type, family.metric[next_metric_]);
    piece.metric.push_back(std::move(family.metric[next_metric_]));
  }
  return piece;
}

/// Of the piece that ends before the next metric, counted from its first one.
std::span<const PlacedExemplar> ExpositionSource::take_exemplars(std::size_t first_metric) {
  const std::size_t begin = next_exemplar_;
  auto& all = page_.exemplars;
  while (next_exemplar_ < all.size() && all[next_exemplar_].family == next_family_ &&
         all[next_exemplar_].metric < next_metric_) {
    all[next_exemplar_++].metric -= first_metric;
  }
  return std::span{all}.subspan(begin, next_exemplar_ - begin);
}

void ExpositionSource::render_piece() {
  text_.clear();
  taken_ = 0;
  if (next_family_ == page_.families.size()) {
    if (format_ == Format::open_metrics) text_ = kOpenMetricsEnd;
    ++next_family_;
    return;
  }
  auto& family = page_.families[next_family_];
  const std::size_t first = next_metric_;
  const prometheus::MetricFamily piece = take_piece(family);
  if (format_ == Format::text) {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, {piece});
    text_ = std::move(out).str();
  } else {
    write_open_metrics(piece, take_exemplars(first), text_);
  }
  // Name, type and help stand in front of the first piece only.
  while (first != 0 && text_.starts_with('#')) text_.erase(0, text_.find('\n') + 1);
  if (next_metric_ < family.metric.size()) return;
  family = {};
  ++next_family_;
  next_metric_ = 0;
}

PullResult ExpositionSource::pull_text(std::span<char> into) {
  while (taken_ == text_.size() && !is_rendered()) render_piece();
  const auto count = std::min(into.size(), text_.size() - taken_);
  std::memcpy(into.data(), text_.data() + taken_, count);
  taken_ += count;
  const bool is_used_up = taken_ == text_.size();
  has_worked_ = is_used_up;
  return {is_used_up && is_rendered() ? PullStatus::end : PullStatus::bytes, count};
}

/// Of one piece or, where nobody could wake it, of as many as give a byte.
PullResult ExpositionSource::pull_compressed(std::span<char> into) {
  deflate_.next_out = reinterpret_cast<Bytef*>(into.data());
  deflate_.avail_out = static_cast<uInt>(into.size());
  int state = Z_OK;
  do {
    if (taken_ == text_.size() && !is_rendered()) render_piece();
    const auto available = text_.size() - taken_;
    deflate_.next_in = reinterpret_cast<Bytef*>(text_.data() + taken_);
    deflate_.avail_in = static_cast<uInt>(available);
    state = ::deflate(&deflate_, is_rendered() ? Z_FINISH : Z_NO_FLUSH);
    taken_ += available - deflate_.avail_in;
  } while (state != Z_STREAM_END && deflate_.avail_out == into.size() && !resumer_);
  has_worked_ = true;
  const std::size_t written = into.size() - deflate_.avail_out;
  if (written == 0 && state != Z_STREAM_END) return wait();
  return {state == Z_STREAM_END ? PullStatus::end : PullStatus::bytes, written};
}

PullResult ExpositionSource::wait() {
  has_worked_ = false;
  resumer_->resume();
  return {PullStatus::pending, 0};
}

PullResult ExpositionSource::pull(std::span<char> into) {
  if (has_worked_ && resumer_) return wait();
  return gzip_ ? pull_compressed(into) : pull_text(into);
}

}  // namespace equinox::metrics
