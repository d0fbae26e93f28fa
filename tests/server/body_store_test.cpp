#include "server/body_store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace equinox::server {
namespace {

constexpr std::uint64_t kMost = 1U << 20U;

std::string piece(std::size_t size, char first) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(first + static_cast<char>(i % 23));
  return out;
}

TEST(BodyStore, KeepsWhatCameInOrder) {
  for (const std::size_t size : {1UL, 7UL, 1000UL, 65'536UL, 65'537UL, 300'000UL}) {
    BodyStore store;
    std::string whole;
    for (int i = 0; i < 5; ++i) {
      const std::string part = piece(size, static_cast<char>('a' + i));
      store.append(part, 5 * size);
      whole += part;
    }
    EXPECT_EQ(store.view(), whole) << size;
  }
}

TEST(BodyStore, ManySmallPiecesBecomeLarge) {
  BodyStore store;
  std::string whole;
  for (int i = 0; i < 3000; ++i) {
    const std::string part = piece(100, static_cast<char>('a' + i % 3));
    store.append(part, kMost);
    whole += part;
  }
  EXPECT_EQ(store.view(), whole);
}

TEST(BodyStore, MakesNoRoomBeyondWhatIsAllowed) {
  BodyStore store;
  for (int i = 0; i < 16; ++i) store.append(std::string(65'536, 'x'), kMost);
  EXPECT_EQ(store.view().size(), kMost);
  EXPECT_EQ(store.capacity(), kMost);
}

TEST(BodyStore, ExpectsASmallBodyOnly) {
  BodyStore store;
  store.expect(1U << 30U);  // what a peer announces costs it nothing
  EXPECT_LE(store.capacity(), 64U * 1024U);
}

TEST(BodyStore, AClearedOneIsUsedAgain) {
  BodyStore store;
  store.append(std::string(200'000, 'x'), kMost);
  store.clear();
  EXPECT_TRUE(store.empty());
  EXPECT_LE(store.capacity(), 16U * 1024U) << "a large body's room goes back";
  store.append("small", kMost);
  EXPECT_EQ(store.view(), "small");
  store.clear();
  EXPECT_TRUE(store.empty());
}

}  // namespace
}  // namespace equinox::server
