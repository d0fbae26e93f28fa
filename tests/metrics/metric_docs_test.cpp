#include <gtest/gtest.h>

#include <cstdlib>
#include <equinox/vocabulary.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "metrics/metric_names.hpp"

namespace equinox::metrics {
namespace {

constexpr std::string_view kBegin = "<!-- table: made from metric_names.hpp -->\n";
constexpr std::string_view kEnd = "<!-- end of table -->\n";

template <typename E>
void words(std::ostream& out, std::string_view title) {
  out << "- " << title << ": ";
  bool is_first = true;
  for_each_word<E>([&](E word) {
    if (to_string(word).empty()) return;
    out << (is_first ? "" : ", ") << '`' << to_string(word) << '`';
    is_first = false;
  });
  out << '\n';
}

/// What the document must hold between its marks.
std::string generated() {
  std::ostringstream out;
  std::string_view section;
  for (const auto& info : kMetricTable) {
    if (info.section != section) {
      section = info.section;
      out << "\n### " << section << "\n\n| Name | Type | Labels | Meaning |\n|---|---|---|---|\n";
    }
    out << "| `" << info.name << "` | " << to_string(info.kind) << " | " << (info.labels.empty() ? "–" : info.labels)
        << " | " << info.help << " |\n";
  }
  out << "\n### Label values\n\n";
  words<Protocol>(out, "protocol");
  words<ConnectionState>(out, "state");
  words<ConnectionRejectReason>(out, "reason of `equinox_connections_rejected_total`");
  words<RequestRejectReason>(out, "reason of `equinox_http_rejected_requests_total`");
  words<EvictionPhase>(out, "phase of `equinox_idle_evictions_total`");
  words<RequestPhase>(out, "phase of `equinox_http_phase_seconds`");
  words<ErrorType>(out, "error_type (`status` is written as the code itself; absent means success)");
  words<StallCause>(out, "cause of a stall");
  words<BufferPool>(
      out,
      "pool of `equinox_buffer_pool_bytes` (a grown block of `egress` counts as it is, another object that "
      "grew with the size it had when it was made)");
  words<TlsFailure>(out, "reason of `equinox_tls_handshake_failures_total`");
  out << "\n### Close reasons\n\n| Reason | Family | Initiator |\n|---|---|---|\n";
  for (const auto& entry : kCloseReasonTable) {
    out << "| `" << entry.name << "` | " << to_string(entry.family) << " | " << to_string(entry.initiator) << " |\n";
  }
  out << '\n';
  return out.str();
}

std::string read(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

TEST(MetricDocs, AgreeWithTheTable) {
  const std::string path = EQUINOX_METRICS_DOC;
  auto text = read(path);
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos) << path;
  ASSERT_NE(end, std::string::npos) << path;
  const auto from = begin + kBegin.size();
  if (std::getenv("EQUINOX_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, generated());
    std::ofstream{path} << text;
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), generated())
      << "run metrics_test with EQUINOX_UPDATE_DOCS=1 to write the table again";
}

TEST(MetricNames, FollowTheRules) {
  for (const auto& info : kMetricTable) {
    EXPECT_EQ(info.kind == MetricKind::counter, info.name.ends_with("_total")) << info.name;
    auto base = info.name;
    if (base.ends_with("_total")) base.remove_suffix(6);
    if (!info.unit.empty()) {
      EXPECT_TRUE(base.ends_with("_" + std::string{info.unit})) << info.name;
    }
    EXPECT_TRUE(info.help.ends_with('.')) << info.name;
    EXPECT_EQ(find_metric(info.name), &info);
  }
}

}  // namespace
}  // namespace equinox::metrics
