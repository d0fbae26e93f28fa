#include "handlers/conditional.hpp"

#include <gtest/gtest.h>

#include "handlers/request_maker.hpp"

namespace equinox::handlers {
namespace {

constexpr std::int64_t kModified = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
const Validators kFile{"\"v1\"", kModified};
constexpr const char* kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";

struct ConditionCase {
  const char* name;
  const char* field;
  const char* value;
  Precondition expected;
};
class Conditions : public testing::TestWithParam<ConditionCase> {};

TEST_P(Conditions, AreDecidedAsRfc9110Says) {
  RequestMaker maker{"/a"};
  maker.field(GetParam().field, GetParam().value);
  EXPECT_EQ(evaluate_preconditions(maker.make(), kFile), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc9110Section13, Conditions,
    testing::Values(ConditionCase{"NoneMatchSame", "if-none-match", "\"v1\"", Precondition::not_modified},
                    ConditionCase{"NoneMatchWeak", "if-none-match", "W/\"v1\"", Precondition::not_modified},
                    ConditionCase{"NoneMatchList", "if-none-match", "\"a\", \"v1\"", Precondition::not_modified},
                    ConditionCase{"NoneMatchStar", "if-none-match", "*", Precondition::not_modified},
                    ConditionCase{"NoneMatchOther", "if-none-match", "\"v2\"", Precondition::proceed},
                    ConditionCase{"MatchSame", "if-match", "\"v1\"", Precondition::proceed},
                    ConditionCase{"MatchWeakNever", "if-match", "W/\"v1\"", Precondition::failed},
                    ConditionCase{"MatchOther", "if-match", "\"v2\"", Precondition::failed},
                    ConditionCase{"ModifiedSame", "if-modified-since", kSame, Precondition::not_modified},
                    ConditionCase{"ModifiedEarlier", "if-modified-since", kEarlier, Precondition::proceed},
                    ConditionCase{"ModifiedNonsense", "if-modified-since", "yesterday", Precondition::proceed},
                    ConditionCase{"UnmodifiedSame", "if-unmodified-since", kSame, Precondition::proceed},
                    ConditionCase{"UnmodifiedEarlier", "if-unmodified-since", kEarlier, Precondition::failed}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Conditions, AWriteThatMustNotExistFails) {
  RequestMaker maker{"/a", Method::put};
  maker.field("if-none-match", "*");
  EXPECT_EQ(evaluate_preconditions(maker.make(), kFile), Precondition::failed);
}

struct RangeCase {
  const char* name;
  const char* field;
  RangeStatus status;
  std::vector<ByteRange> ranges;
};
class Ranges : public testing::TestWithParam<RangeCase> {};

TEST_P(Ranges, AreReadAsRfc9110Says) {
  const RangeSelection selection = select_ranges(GetParam().field, 100);
  EXPECT_EQ(selection.status, GetParam().status);
  EXPECT_EQ(selection.ranges, GetParam().ranges);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc9110Section14, Ranges,
    testing::Values(RangeCase{"FirstBytes", "bytes=0-9", RangeStatus::partial, {{0, 9}}},
                    RangeCase{"ToTheEnd", "bytes=90-", RangeStatus::partial, {{90, 99}}},
                    RangeCase{"LastBytes", "bytes=-5", RangeStatus::partial, {{95, 99}}},
                    RangeCase{"MoreThanThereIs", "bytes=-500", RangeStatus::partial, {{0, 99}}},
                    RangeCase{"BeyondTheEnd", "bytes=50-500", RangeStatus::partial, {{50, 99}}},
                    RangeCase{"UpperCaseUnit", "BYTES=0-0", RangeStatus::partial, {{0, 0}}},
                    RangeCase{"ClientsOrder", "bytes=50-59,0-9", RangeStatus::partial, {{50, 59}, {0, 9}}},
                    RangeCase{"Overlapping", "bytes=0-9,5-19,30-39", RangeStatus::partial, {{0, 19}, {30, 39}}},
                    RangeCase{"Touching", "bytes=0-9,10-19", RangeStatus::partial, {{0, 19}}},
                    RangeCase{"OneOutside", "bytes=200-,0-0", RangeStatus::partial, {{0, 0}}},
                    RangeCase{"AllOutside", "bytes=100-,200-300", RangeStatus::unsatisfiable, {}},
                    RangeCase{"NoLastBytes", "bytes=-0", RangeStatus::unsatisfiable, {}},
                    RangeCase{"OtherUnit", "lines=0-9", RangeStatus::whole, {}},
                    RangeCase{"Backwards", "bytes=9-0", RangeStatus::whole, {}},
                    RangeCase{"Nonsense", "bytes=a-b", RangeStatus::whole, {}},
                    RangeCase{"HugeEnd", "bytes=98-99999999999999999999", RangeStatus::partial, {{98, 99}}},
                    RangeCase{"HugeLastBytes", "bytes=-99999999999999999999", RangeStatus::partial, {{0, 99}}},
                    RangeCase{"HugeBegin", "bytes=99999999999999999999-", RangeStatus::unsatisfiable, {}},
                    RangeCase{"OneHuge", "bytes=0-0,99999999999999999999-", RangeStatus::partial, {{0, 0}}},
                    RangeCase{
                        "BothHuge", "bytes=9999999999999999999-99999999999999999999", RangeStatus::unsatisfiable, {}},
                    RangeCase{"LargestNumber", "bytes=18446744073709551615-", RangeStatus::unsatisfiable, {}},
                    RangeCase{"MoreThanDigits", "bytes=0-99999999999999999999x", RangeStatus::whole, {}},
                    RangeCase{"SignedNumber", "bytes=+1-2", RangeStatus::whole, {}},
                    RangeCase{"Empty", "bytes=", RangeStatus::whole, {}},
                    RangeCase{"TooMany",
                              "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,"
                              "28-28,30-30,32-32",
                              RangeStatus::whole,
                              {}}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Ranges, ADateInIfRangeMustBeTheSame) {
  RequestMaker same{"/a"};
  same.field("if-range", kSame);
  EXPECT_TRUE(if_range_holds(same.make(), kFile));
  RequestMaker earlier{"/a"};
  earlier.field("if-range", kEarlier);
  EXPECT_FALSE(if_range_holds(earlier.make(), kFile));
  RequestMaker weak{"/a"};
  weak.field("if-range", "W/\"v1\"");
  EXPECT_FALSE(if_range_holds(weak.make(), kFile));
}

}  // namespace
}  // namespace equinox::handlers
