#pragma once

#include <zlib.h>

#include <cstddef>
#include <equinox/body.hpp>
#include <string>
#include <vector>

#include "metrics/accept.hpp"
#include "metrics/scrape.hpp"

namespace equinox::metrics {

/// Writes a page family by family as it is pulled, so that the reactor that serves the scrape can serve others in
/// between.
class ExpositionSource final : public BodySource {
 public:
  ExpositionSource(Page page, Format format, bool gzip);
  ~ExpositionSource() override;
  ExpositionSource(const ExpositionSource&) = delete;
  ExpositionSource& operator=(const ExpositionSource&) = delete;

  PullResult pull(std::span<char> into) override;

 private:
  /// Makes the next part of the text; false when there is no more.
  bool render_some();
  void write_text(const prometheus::MetricFamily& family);
  void write_rich(const prometheus::MetricFamily& family);
  bool compress_into(std::span<char> into, std::size_t& written);

  Page page_;
  Format format_;
  bool gzip_;
  std::size_t next_family_{0};
  std::size_t next_exemplar_{0};
  bool is_rendered_{false};
  std::string text_;
  std::size_t taken_{0};
  z_stream deflate_{};
};

}  // namespace equinox::metrics
