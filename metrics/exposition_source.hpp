#pragma once

#include <zlib.h>

#include <cstddef>
#include <equinox/body.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/accept.hpp"
#include "metrics/scrape.hpp"
#include "metrics/scrape_slots.hpp"

namespace equinox::metrics {

/// Writes a page piece by piece as it is pulled, and waits for a turn of its own behind each, so that the reactor that
/// serves the scrape can serve others in between, whatever the number of series.
class ExpositionSource final : public BodySource {
 public:
  ExpositionSource(Page page, Format format, bool gzip, ScrapeSlots::Slot slot = nullptr);
  ~ExpositionSource() override;
  ExpositionSource(const ExpositionSource&) = delete;
  ExpositionSource& operator=(const ExpositionSource&) = delete;

  PullResult pull(std::span<char> into) override;
  /// Without it no pull waits.
  void attach(Resumer resumer) override { resumer_ = std::move(resumer); }

 private:
  PullResult pull_text(std::span<char> into);
  PullResult pull_compressed(std::span<char> into);
  /// Asks for a turn of its own.
  PullResult wait();
  /// Makes the next piece of the text: of one family, or the mark at the end.
  void render_piece();
  prometheus::MetricFamily take_piece(prometheus::MetricFamily& family);
  [[nodiscard]] std::span<const PlacedExemplar> take_exemplars(std::size_t first_metric);
  [[nodiscard]] bool is_rendered() const noexcept { return next_family_ > page_.families.size(); }

  ScrapeSlots::Slot slot_;
  Page page_;
  Format format_;
  bool gzip_;
  std::size_t next_family_{0};  ///< the number of families: the mark is next; one more: nothing
  std::size_t next_metric_{0};
  std::size_t next_exemplar_{0};
  std::string text_;  ///< the piece
  std::size_t taken_{0};
  bool has_worked_{false};  ///< in this turn
  std::optional<Resumer> resumer_;
  z_stream deflate_{};
};

}  // namespace equinox::metrics
