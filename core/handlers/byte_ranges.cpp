#include "handlers/byte_ranges.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace equinox::handlers {
namespace {

/// Ranges with their part heads between, read piece by piece as the peer takes them.
class MultipartSource : public BodySource {
 public:
  MultipartSource(std::shared_ptr<const StoredFile> stored, std::vector<ByteRange> ranges, const std::string& boundary)
      : stored_{std::move(stored)}, ranges_{std::move(ranges)} {
    for (const ByteRange& range : ranges_) {
      heads_.push_back("\r\n--" + boundary + "\r\nContent-Type: " + std::string{stored_->content_type} +
                       "\r\nContent-Range: " + content_range(range, stored_->version.size_bytes) + "\r\n\r\n");
      length_ += heads_.back().size() + range.length();
    }
    heads_.push_back("\r\n--" + boundary + "--\r\n");
    length_ += heads_.back().size();
  }

  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return length_; }

  PullResult pull(std::span<char> into) override {
    std::size_t count = 0;
    while (count < into.size()) {
      const std::string& head = heads_[part_];
      if (head_done_ < head.size()) {
        const std::size_t taken = std::min(into.size() - count, head.size() - head_done_);
        std::copy_n(head.data() + head_done_, taken, into.data() + count);
        head_done_ += taken;
        count += taken;
        continue;
      }
      if (part_ == ranges_.size()) return {PullStatus::end, count};
      const ByteRange& range = ranges_[part_];
      if (body_done_ == range.length()) {
        ++part_;
        head_done_ = 0;
        body_done_ = 0;
        continue;
      }
      const ssize_t got = read_some(into.subspan(count), range);
      if (got <= 0) return {PullStatus::failed, 0};  // the file has shrunk since
      body_done_ += static_cast<std::uint64_t>(got);
      count += static_cast<std::size_t>(got);
    }
    const bool is_done = part_ == ranges_.size() && head_done_ == heads_[part_].size();
    return {is_done ? PullStatus::end : PullStatus::bytes, count};
  }

 private:
  ssize_t read_some(std::span<char> into, const ByteRange& range) const {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), range.length() - body_done_));
    ssize_t got = 0;
    do {
      got = ::pread(stored_->file->fd.get(), into.data(), wanted, static_cast<off_t>(range.first + body_done_));
    } while (got < 0 && errno == EINTR);
    return got;
  }

  std::shared_ptr<const StoredFile> stored_;
  std::vector<ByteRange> ranges_;
  std::vector<std::string> heads_;  // one per range, then the closing delimiter
  std::uint64_t length_{0};
  std::size_t part_{0};
  std::size_t head_done_{0};
  std::uint64_t body_done_{0};
};

/// A boundary must not occur in the content; one nobody can guess beforehand will not. Always as long: HEAD tells the
/// length that GET will have.
std::string make_boundary() {
  std::array<unsigned char, 24> random{};
  // Never short for so few, and with flags of 0 it only waits for a kernel that has just booted.
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  }
  std::string out = "equinox-";
  for (const unsigned char octet : random) out += "0123456789abcdefghijklmnopqrstuv"[octet % 32U];
  return out;
}

}  // namespace

std::string content_range(const ByteRange& range, std::uint64_t size_bytes) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(size_bytes);
}

std::optional<Response> partial_response(const std::shared_ptr<const StoredFile>& stored,
                                         const std::vector<ByteRange>& ranges) {
  if (ranges.size() == 1) {
    return Response::file({stored->file, ranges[0].first, ranges[0].length()}, stored->content_type, 206)
        .with("Content-Range", content_range(ranges[0], stored->version.size_bytes));
  }
  const std::string boundary = make_boundary();
  auto parts = std::make_unique<MultipartSource>(stored, ranges, boundary);
  if (parts->length() > stored->version.size_bytes) return std::nullopt;
  Response response = Response::stream(std::move(parts), "", 206);
  response.content_type("multipart/byteranges; boundary=" + boundary);
  return response;
}

}  // namespace equinox::handlers
