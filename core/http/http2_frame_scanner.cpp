#include "http/http2_frame_scanner.hpp"

#include <algorithm>
#include <cstring>

#include "http/negotiate.hpp"

namespace equinox::http {

bool Http2FrameScanner::check_preface(std::span<const std::byte> input, std::size_t& position) noexcept {
  const std::size_t count = std::min(kPrefaceBytes - preface_seen_, input.size() - position);
  if (count != 0 && std::memcmp(input.data() + position, kHttp2Preface.data() + preface_seen_, count) != 0) {
    return false;
  }
  preface_seen_ = static_cast<std::uint8_t>(preface_seen_ + count);
  position += count;
  return true;
}

FrameHeader Http2FrameScanner::unpack() const noexcept {
  const auto at = [this](std::size_t i) { return static_cast<std::uint32_t>(header_[i]); };
  return {.length = at(0) << 16U | at(1) << 8U | at(2),
          .type = header_[3],
          .flags = header_[4],
          .stream = (at(5) & 0x7fU) << 24U | at(6) << 16U | at(7) << 8U | at(8)};
}

Http2FrameScanner::Found Http2FrameScanner::next(std::span<const std::byte> input, std::size_t& position,
                                                 FrameHeader& into) noexcept {
  if (preface_seen_ < kPrefaceBytes && !check_preface(input, position)) return Found::wrong_preface;
  const std::size_t payload = std::min<std::size_t>(payload_left_, input.size() - position);
  position += payload;
  payload_left_ -= static_cast<std::uint32_t>(payload);
  if (payload_left_ != 0 || position == input.size()) return Found::nothing;
  const std::size_t count = std::min<std::size_t>(kFrameHeaderBytes - held_, input.size() - position);
  std::memcpy(header_.data() + held_, input.data() + position, count);
  held_ = static_cast<std::uint8_t>(held_ + count);
  position += count;
  if (held_ < kFrameHeaderBytes) return Found::nothing;
  held_ = 0;
  into = unpack();
  payload_left_ = into.length;
  type_ = into.type;
  if (type_ == kFrameHeaders || type_ == kFrameContinuation) {
    is_in_header_block_ = (into.flags & kFlagEndHeaders) == 0;
  }
  return Found::header;
}

bool Http2FrameScanner::is_inside_head() const noexcept {
  if (preface_is_begun() || is_in_header_block_ || held_ != 0) return true;
  return payload_left_ != 0 && type_ != kFrameData;
}

}  // namespace equinox::http
