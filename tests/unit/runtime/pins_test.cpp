#include "vm/runtime/pins.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace gaur::runtime {
namespace {

void* address(std::uintptr_t n) { return reinterpret_cast<void*>(n * 16 + 0x10000); }

TEST(Pins, CountEachAddress) {
  PinTable pins;
  pins.pin(address(1));
  pins.pin(address(1));
  pins.pin(address(2));
  EXPECT_EQ(pins.size(), 2u);
  EXPECT_TRUE(pins.unpin(address(1)));
  EXPECT_EQ(pins.size(), 2u);
  EXPECT_TRUE(pins.unpin(address(1)));
  EXPECT_FALSE(pins.unpin(address(1)));
  EXPECT_TRUE(pins.unpin(address(2)));
  EXPECT_EQ(pins.size(), 0u);
}

TEST(Pins, NullIsNotCounted) {
  PinTable pins;
  pins.pin(nullptr);
  EXPECT_EQ(pins.size(), 0u);
  EXPECT_TRUE(pins.unpin(nullptr));
}

TEST(Pins, AgreeWithAMapInAnyOrder) {
  PinTable pins;
  std::map<std::uintptr_t, int> model;
  std::mt19937 random(1);
  for (int step = 0; step < 200'000; ++step) {
    std::uintptr_t n = random() % (step < 100'000 ? 5'000 : 300);
    if (random() % 2 != 0) {
      pins.pin(address(n));
      ++model[n];
    } else {
      auto known = model.find(n);
      ASSERT_EQ(pins.unpin(address(n)), known != model.end());
      if (known != model.end() && --known->second == 0) model.erase(known);
    }
    ASSERT_EQ(pins.size(), model.size());
  }
  for (auto [n, count] : model)
    for (int i = 0; i < count; ++i) EXPECT_TRUE(pins.unpin(address(n)));
  EXPECT_EQ(pins.size(), 0u);
}

}  // namespace
}  // namespace gaur::runtime
