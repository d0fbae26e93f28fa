#include "metrics/accept.hpp"

#include <gtest/gtest.h>

namespace equinox::metrics {
namespace {

struct AcceptCase {
  std::string_view name;
  std::string_view field;
  Format expected;
};
class AcceptField : public testing::TestWithParam<AcceptCase> {};
TEST_P(AcceptField, ChoosesTheFormat) { EXPECT_EQ(preferred_format(GetParam().field), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(
    Rfc9110Section12, AcceptField,
    testing::Values(
        AcceptCase{"Absent", "", Format::text}, AcceptCase{"Anything", "*/*", Format::text},
        AcceptCase{"Prometheus",
                   "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                   "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                   Format::open_metrics},
        AcceptCase{"TextPreferred", "application/openmetrics-text;q=0.4, text/plain;q=0.5", Format::text},
        AcceptCase{"OpenMetricsRefused", "application/openmetrics-text;q=0", Format::text},
        AcceptCase{"Case", "Application/OpenMetrics-Text; Version=1.0.0", Format::open_metrics},
        AcceptCase{"QuotedVersion", "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8",
                   Format::open_metrics},
        AcceptCase{"QuotedOtherVersion", "application/openmetrics-text; version=\"2.0.0\"", Format::text},
        AcceptCase{"QuotedSeparators", "text/html; a=\"x\\\", y; z\", application/openmetrics-text",
                   Format::open_metrics},
        AcceptCase{"OtherVersion", "application/openmetrics-text;version=2.0.0", Format::text},
        AcceptCase{"BadWeight", "application/openmetrics-text;q=x", Format::text},
        AcceptCase{"LongWeight", "application/openmetrics-text;q=0.7501", Format::text},
        AcceptCase{"ShortestWeight", "application/openmetrics-text;q=1, text/plain;q=1.", Format::open_metrics}),
    [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace equinox::metrics
