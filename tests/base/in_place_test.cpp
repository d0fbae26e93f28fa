#include "base/in_place.hpp"

#include <gtest/gtest.h>

namespace equinox {
namespace {

struct Shape {
  explicit Shape(int& alive) : alive_{alive} { ++alive_; }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  virtual ~Shape() { --alive_; }
  [[nodiscard]] virtual int sides() const = 0;
  int& alive_;
};
struct Square final : Shape {
  using Shape::Shape;
  [[nodiscard]] int sides() const override { return 4; }
};
struct Large final : Shape {
  using Shape::Shape;
  [[nodiscard]] int sides() const override { return 100; }
  char room[256]{};
};
using Owner = InPlace<Shape, sizeof(Square)>;

TEST(InPlace, HoldsTheSmallOneInsideAndTheLargeOneOutside) {
  int alive = 0;
  {
    Owner owner;
    EXPECT_TRUE(owner == nullptr);
    owner.emplace<Square>(alive);
    EXPECT_EQ(owner->sides(), 4);
    const auto* const inside = reinterpret_cast<const char*>(owner.get());
    const auto* const begin = reinterpret_cast<const char*>(&owner);
    EXPECT_TRUE(inside >= begin && inside < begin + sizeof owner);
    owner.adopt(std::make_unique<Large>(alive));
    EXPECT_EQ((*owner).sides(), 100);
    EXPECT_EQ(alive, 1) << "the one before is gone";
    owner.emplace<Square>(alive);
    EXPECT_EQ(owner.get()->sides(), 4);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(InPlace, ResetEndsItOnce) {
  int alive = 0;
  Owner owner;
  owner.emplace<Square>(alive);
  owner.reset();
  EXPECT_TRUE(owner == nullptr);
  EXPECT_EQ(alive, 0);
  owner.reset();
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace equinox
