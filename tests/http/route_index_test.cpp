#include "http/route_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace equinox::http {
namespace {

using testing::ElementsAre;
using testing::IsNull;
using testing::Pointee;

TEST(RouteIndex, AnEmptyOneFindsNothing) {
  const RouteIndex index;
  EXPECT_THAT(index.find("/a"), IsNull());
  EXPECT_THAT(index.find(""), IsNull());
}

TEST(RouteIndex, KeepsTheOrderOfRoutesOfOneText) {
  RouteIndex index;
  index.add("/a", 3);
  index.add("/b", 4);
  index.add("/a", 7);
  EXPECT_THAT(index.find("/a"), Pointee(ElementsAre(3, 7)));
  EXPECT_THAT(index.find("/b"), Pointee(ElementsAre(4)));
  EXPECT_THAT(index.find("/c"), IsNull());
}

/// Texts of every length the hash treats in a way of its own, and many that share their beginnings or ends.
TEST(RouteIndex, TellsTextsApartWhateverTheirLength) {
  RouteIndex index;
  std::vector<std::string> texts;
  for (std::size_t length = 0; length <= 40; ++length) {
    for (const char last : {'x', 'y'}) {
      std::string text(length, 'a');
      if (!text.empty()) text.back() = last;
      if (length == 0 && last == 'y') continue;
      texts.push_back(text);
      index.add(text, static_cast<std::uint16_t>(texts.size()));
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_THAT(index.find(texts[i]), Pointee(ElementsAre(i + 1))) << texts[i];
  }
  EXPECT_THAT(index.find(std::string(41, 'a')), IsNull());
  EXPECT_THAT(index.find("aaaz"), IsNull());
}

TEST(RouteIndex, FindsEachOfThousands) {
  RouteIndex index;
  for (std::uint16_t i = 0; i < 5000; ++i) index.add("/path/" + std::to_string(i), i);
  for (std::uint16_t i = 0; i < 5000; ++i) {
    ASSERT_THAT(index.find("/path/" + std::to_string(i)), Pointee(ElementsAre(i)));
  }
  EXPECT_THAT(index.find("/path/5000"), IsNull());
}

}  // namespace
}  // namespace equinox::http
