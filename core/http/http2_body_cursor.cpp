#include <algorithm>
#include <cstring>
#include <utility>

#include "base/read_file.hpp"
#include "http/http2_stream.hpp"

namespace equinox::http {
namespace {

/// Its bytes in memory, where they are kept: frames then point at them, and nothing is read or copied. HTTP/1 sends
/// the file itself: one call, and no copy either.
std::string_view kept_bytes(const FileBody& body) noexcept {
  const OpenFile& file = *body.file;
  if (file.contents == nullptr || body.offset > file.size_bytes || body.length > file.size_bytes - body.offset)
    return {};
  const std::string_view bytes = file.contents->of(file);
  return bytes.empty() ? bytes
                       : bytes.substr(static_cast<std::size_t>(body.offset), static_cast<std::size_t>(body.length));
}

}  // namespace

void Http2BodyCursor::start_text(std::string_view text, std::shared_ptr<const void> keeper,
                                 std::size_t owned_bytes) noexcept {
  if (text.empty()) return;
  kind_ = text.size() < kBorrowMinBytes ? Kind::small : Kind::borrowed;
  data_ = text.data();
  remaining_ = text.size();
  keeper_ = std::move(keeper);
  owned_bytes_ = owned_bytes;
}

void Http2BodyCursor::start(Response& response) {
  Body& body = response.body();
  if (const auto* literal = std::get_if<std::string_view>(&body)) {
    start_text(*literal, {});
  } else if (auto* text = std::get_if<std::string>(&body)) {
    if (text->size() < kBorrowMinBytes) return start_text(*text, {}, text->capacity());
    auto shared = std::make_shared<const std::string>(std::move(*text));
    const std::string_view view = *shared;
    const std::size_t owned_bytes = shared->capacity();
    start_text(view, std::move(shared), owned_bytes);
  } else if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    if (*shared == nullptr) return;
    // A short one is copied into the batch: nothing outlives the stream, and counting references costs atomics.
    start_text(**shared, (*shared)->size() < kBorrowMinBytes ? nullptr : *shared);
  } else if (const auto* file = std::get_if<FileBody>(&body)) {
    if (file->length == 0 || file->file == nullptr) return;
    if (const std::string_view kept = kept_bytes(*file); !kept.empty()) return start_text(kept, file->file);
    kind_ = Kind::file;
    file_ = file->file;
    offset_ = file->offset;
    remaining_ = file->length;
  } else if (const auto* source = std::get_if<std::unique_ptr<BodySource>>(&body); source != nullptr && *source) {
    const auto length = (*source)->length();
    if (length == 0U) return;
    kind_ = Kind::source;
    source_ = source->get();
    has_length_ = length.has_value();
    remaining_ = length.value_or(0);
  }
}

Http2BodyCursor::Plan Http2BodyCursor::plan(std::size_t max, EgressBatch& batch) noexcept {
  if (kind_ == Kind::source) return pull(max, batch);
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(max, remaining_));
  if (kind_ == Kind::file && !read(count, batch)) return {Step::failed, 0, false};
  return {Step::bytes, count, count == remaining_};
}

/// Copied, so that several frames leave in one write: as ranges they would take two calls, and two packets on the way
/// to the peer, for each 16 KiB.
bool Http2BodyCursor::read(std::size_t count, EgressBatch& batch) noexcept {
  pulled_ = batch.reserve(kFrameHeaderBytes + count) + kFrameHeaderBytes;
  return read_file(*file_, offset_, {pulled_, count});
}

Http2BodyCursor::Plan Http2BodyCursor::pull(std::size_t max, EgressBatch& batch) noexcept {
  const std::size_t wanted = has_length_ ? static_cast<std::size_t>(std::min<std::uint64_t>(max, remaining_)) : max;
  pulled_ = batch.reserve(kFrameHeaderBytes + wanted) + kFrameHeaderBytes;
  PullResult result;
  try {
    result = source_->pull({pulled_, wanted});
  } catch (...) {
    return {Step::failed, 0, false};  // the one promise a source may break; its response is cut, nothing else is
  }
  if (result.status == PullStatus::failed || result.count > wanted) return {Step::failed, 0, false};
  const bool is_end = result.status == PullStatus::end;
  if (has_length_) {
    const bool is_complete = result.count == remaining_;
    if (is_end && !is_complete) return {Step::failed, 0, false};
    if (is_complete) return {Step::bytes, result.count, true};
  }
  if (is_end) return {Step::bytes, result.count, true};
  if (result.count == 0) return {result.status == PullStatus::pending ? Step::pending : Step::failed, 0, false};
  return {Step::bytes, result.count, false};
}

void Http2BodyCursor::emit(std::string_view frame_header, std::size_t count, EgressBatch& batch) {
  switch (kind_) {
    case Kind::none: batch.append(frame_header); return;
    case Kind::file: offset_ += count; [[fallthrough]];
    case Kind::source:
      std::memcpy(pulled_ - kFrameHeaderBytes, frame_header.data(), kFrameHeaderBytes);
      batch.commit(kFrameHeaderBytes + count);
      break;
    case Kind::small: {
      char* target = batch.reserve(kFrameHeaderBytes + count);
      std::memcpy(target, frame_header.data(), kFrameHeaderBytes);
      if (count != 0) std::memcpy(target + kFrameHeaderBytes, data_, count);
      batch.commit(kFrameHeaderBytes + count);
      data_ += count;
      break;
    }
    case Kind::borrowed:
      batch.append(frame_header);
      batch.append_borrowed({data_, count}, keeper_, count == remaining_ ? std::exchange(owned_bytes_, 0) : 0);
      data_ += count;
      break;
  }
  if (has_length_) remaining_ -= count;
}

}  // namespace equinox::http
