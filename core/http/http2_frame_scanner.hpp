#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace equinox::http {

/// Frame types of RFC 9113 §6 and RFC 9218 §7.1 that are told apart here.
enum FrameType : std::uint8_t {
  kFrameData = 0,
  kFrameHeaders = 1,
  kFramePriority = 2,
  kFrameRstStream = 3,
  kFrameSettings = 4,
  kFramePing = 6,
  kFrameGoaway = 7,
  kFrameWindowUpdate = 8,
  kFrameContinuation = 9,
  kFramePriorityUpdate = 16,
};
inline constexpr std::uint8_t kFlagEndHeaders = 0x4;
inline constexpr std::size_t kStreamIdBytes = 4;  ///< at the front of a PRIORITY_UPDATE

inline constexpr std::size_t kFrameHeaderBytes = 9;

/// RFC 9113 §4.1.
struct FrameHeader {
  std::uint32_t length{0};
  std::uint8_t type{0};
  std::uint8_t flags{0};
  std::uint32_t stream{0};
};

/// Finds the frame headers in a peer's bytes, however these are cut. nghttp2 reports neither frames of unknown types
/// nor frames for streams it has forgotten, and floods are made of just those; nine bytes a frame tell everything.
/// Also the judge of the connection preface (RFC 9113 §3.4), so that a wrong one still gets its GOAWAY.
class Http2FrameScanner {
 public:
  enum class Found : std::uint8_t {
    header,         ///< one is complete
    nothing,        ///< `input` holds no further complete one
    wrong_preface,  ///< these bytes are no HTTP/2
  };
  /// Moves `position` behind the next complete frame header in `input`, or to the end.
  /// @param into  that header
  Found next(std::span<const std::byte> input, std::size_t& position, FrameHeader& into) noexcept;

  /// A header block, the preface or a frame other than DATA has begun and is not complete.
  [[nodiscard]] bool is_inside_head() const noexcept;
  /// A header block has begun and is not complete.
  [[nodiscard]] bool is_inside_request_head() const noexcept {
    return is_in_header_block_ || (payload_left_ != 0 && (type_ == kFrameHeaders || type_ == kFrameContinuation));
  }
  /// Bytes of an incomplete frame or preface were seen.
  [[nodiscard]] bool is_inside_frame() const noexcept { return held_ != 0 || payload_left_ != 0 || preface_is_begun(); }
  /// The connection preface has not come in whole.
  [[nodiscard]] bool preface_is_open() const noexcept { return preface_seen_ < kPrefaceBytes; }
  /// The last header block has not seen END_HEADERS yet.
  [[nodiscard]] bool is_inside_header_block() const noexcept { return is_in_header_block_; }

 private:
  static constexpr std::size_t kPrefaceBytes = 24;
  [[nodiscard]] bool preface_is_begun() const noexcept { return preface_seen_ != 0 && preface_seen_ < kPrefaceBytes; }
  bool check_preface(std::span<const std::byte> input, std::size_t& position) noexcept;
  FrameHeader unpack() const noexcept;

  std::array<std::uint8_t, kFrameHeaderBytes> header_{};
  std::uint8_t held_{0};
  std::uint8_t preface_seen_{0};
  std::uint8_t type_{0};
  bool is_in_header_block_{false};
  std::uint32_t payload_left_{0};
};

}  // namespace equinox::http
