// Preconditions and ranges (RFC 9110 §13, §14): ranges lie inside the file and apart from each other, what is sent for
// them is exactly their bytes, and a tag or date that is the file's own is always recognised.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/require.hpp"
#include "handlers/byte_ranges.hpp"
#include "handlers/conditional.hpp"
#include "handlers/request_maker.hpp"
#include "http/date.hpp"

namespace {

using namespace equinox;
using namespace equinox::handlers;

constexpr std::uint64_t kFileBytes = 1000;
constexpr Validators kValidators{"\"abc\"", 784'111'777};  // Sun, 06 Nov 1994 08:49:37 GMT

const std::string& file_text() {
  static const std::string kText = [] {
    std::string text(kFileBytes, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 % 251);
    return text;
  }();
  return kText;
}

std::shared_ptr<const StoredFile> stored_file() {
  static const auto kStored = [] {
    UniqueFd fd{::memfd_create("fuzz", MFD_CLOEXEC)};
    FUZZ_REQUIRE(fd && ::write(fd.get(), file_text().data(), kFileBytes) == static_cast<ssize_t>(kFileBytes));
    auto stored = std::make_shared<StoredFile>();
    stored->file = std::make_shared<OpenFile>(OpenFile{std::move(fd)});
    stored->version.size_bytes = kFileBytes;
    stored->content_type = "text/plain";
    return stored;
  }();
  return kStored;
}

void check_body(const std::vector<ByteRange>& ranges) {
  auto partial = partial_response(stored_file(), ranges);
  if (!partial) {
    FUZZ_REQUIRE(ranges.size() > 1);  // with their heads more than the file
    return;
  }
  Response& response = *partial;
  FUZZ_REQUIRE(response.body_length() <= kFileBytes);
  FUZZ_REQUIRE(response.status().code() == 206);
  const auto part = [](const ByteRange& range) {
    return file_text().substr(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.length()));
  };
  std::string expected;
  if (ranges.size() == 1) {
    FUZZ_REQUIRE(response.field("Content-Range") == content_range(ranges[0], kFileBytes));
    expected = part(ranges[0]);
  } else {
    const std::string type{response.content_type()};
    const std::string delimiter = "\r\n--" + type.substr(type.find('=') + 1);
    for (const ByteRange& range : ranges) {
      expected += delimiter + "\r\nContent-Type: text/plain\r\nContent-Range: " + content_range(range, kFileBytes) +
                  "\r\n\r\n" + part(range);
    }
    expected += delimiter + "--\r\n";
  }
  FUZZ_REQUIRE(response.body_length() == expected.size());
  FUZZ_REQUIRE(body_of(response) == expected);
}

void check_ranges(std::string_view field, std::uint64_t size) {
  const RangeSelection selection = select_ranges(field, size);
  FUZZ_REQUIRE(selection.ranges.empty() == (selection.status != RangeStatus::partial));
  FUZZ_REQUIRE(selection.ranges.size() <= kRangesMax);
  auto sorted = selection.ranges;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    FUZZ_REQUIRE(sorted[i].first <= sorted[i].last && sorted[i].last < size);
    FUZZ_REQUIRE(i == 0 || sorted[i].first > sorted[i - 1].last);
  }
  if (size == kFileBytes && !sorted.empty()) check_body(selection.ranges);
}

/// "name: value" lines.
std::vector<std::pair<std::string, std::string>> read_fields(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty() && out.size() < 32) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) out.emplace_back(line.substr(0, colon), http::trim(line.substr(colon + 1)));
  }
  return out;
}

struct Extra {
  const char* name;
  const char* value;
};

Precondition evaluate(Method method, const std::vector<std::pair<std::string, std::string>>& fields,
                      std::string_view only, Extra extra) {
  RequestMaker maker{"/", method};
  for (const auto& [name, value] : fields) {
    if (only.empty() || http::equals_ignoring_case(name, only)) maker.field(name, value);
  }
  if (extra.name != nullptr) maker.field(extra.name, extra.value);
  return evaluate_preconditions(maker.make(), kValidators);
}

void check_preconditions(Method method, const std::vector<std::pair<std::string, std::string>>& fields) {
  const bool is_read = method == Method::get || method == Method::head;
  const Precondition plain = evaluate(method, fields, {}, {nullptr, nullptr});
  FUZZ_REQUIRE(plain != Precondition::not_modified || is_read);
  const Precondition known = is_read ? Precondition::not_modified : Precondition::failed;
  FUZZ_REQUIRE(evaluate(method, fields, "if-match", {"If-Match", "\"abc\""}) == Precondition::proceed);
  FUZZ_REQUIRE(evaluate(method, fields, "if-none-match", {"If-None-Match", "W/\"abc\""}) == known);
  FUZZ_REQUIRE(evaluate(method, fields, "if-none-match", {"If-None-Match", "*"}) == known);
  for (const auto& [name, value] : fields) {
    const std::int64_t date = http::parse_http_date(value);
    if (date >= 0) FUZZ_REQUIRE(http::parse_http_date(http::format_http_date(date)) == date);
  }
}

void check_if_range(const std::vector<std::pair<std::string, std::string>>& fields) {
  RequestMaker maker{"/"};
  for (const auto& [name, value] : fields) maker.field(name, value);
  const Request request = maker.make();
  const auto field = request.field("if-range");
  if (!field) FUZZ_REQUIRE(if_range_holds(request, kValidators));
  // A weak tag says nothing about bytes, so no range of them may be joined to what the client has.
  if (field && http::trim(*field).find('"') != std::string_view::npos) {
    FUZZ_REQUIRE(!if_range_holds(request, {"W/\"abc\"", kValidators.modified_s}));
  }
}

}  // namespace

// A choice, a line with the Range field's value, then field lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::string_view range = text.substr(0, text.find('\n'));
  const auto fields = read_fields(text.substr(std::min(range.size() + 1, text.size())));
  for (const std::uint64_t bytes : {kFileBytes, std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX})
    check_ranges(range, bytes);
  check_preconditions(static_cast<Method>(data[0] % kMethodCount), fields);
  check_if_range(fields);
  return 0;
}
