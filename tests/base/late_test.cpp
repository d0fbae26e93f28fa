#include "base/late.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace equinox {
namespace {

struct Counted {
  explicit Counted(std::shared_ptr<int> alive) : alive_{std::move(alive)} {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  std::shared_ptr<int> alive_;
};

TEST(Late, IsMadeInPlaceAndDestroyedOnce) {
  const auto alive = std::make_shared<int>(7);
  {
    Late<Counted> late;
    EXPECT_FALSE(late);
    EXPECT_EQ(*late.make([&] { return Counted{alive}; }).alive_, 7);  // no move: there is none
    EXPECT_TRUE(late);
    EXPECT_EQ((*late).alive_.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Late, NeverMadeDestroysNothing) { const Late<Counted> late; }

TEST(Late, AMakerThatThrowsLeavesItEmpty) {
  Late<Counted> late;
  EXPECT_THROW(late.make([]() -> Counted { throw std::runtime_error{"no"}; }), std::runtime_error);
  EXPECT_FALSE(late);
}

}  // namespace
}  // namespace equinox
