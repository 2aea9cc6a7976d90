// Stacks of the arena, and the transitions between them that are written in assembly.
#include "vm/runtime/stack.h"

#include <gtest/gtest.h>

#include <set>

#include "vm/runtime/transitions.h"

namespace gaur::runtime {
namespace {

TEST(StackArena, FindsTheStackOfAnAddress) {
  StackArena arena;
  Stack* small = arena.take(64 << 10);
  Stack* large = arena.take(8 << 20);
  ASSERT_TRUE(small && large);
  EXPECT_EQ(arena.find(small->top() - 1), small);
  EXPECT_EQ(arena.find(small->limit()), small);
  EXPECT_EQ(arena.find(large->limit()), large);
  EXPECT_EQ(arena.find(large->top() - (8 << 20)), large);
  EXPECT_GE(large->top() - large->limit(), std::uintptr_t{8} << 20);
  EXPECT_EQ(arena.find(reinterpret_cast<std::uintptr_t>(&arena)), nullptr);
  EXPECT_TRUE(arena.rangeAt(reinterpret_cast<std::uintptr_t>(&arena)).isEmpty());
  EXPECT_EQ(arena.rangeAt(large->limit()).end, large->top());
}

TEST(StackArena, ReusesStacksOfOneSize) {
  StackArena arena;
  Stack* first = arena.take(100'000);
  arena.giveBack(first);
  EXPECT_EQ(arena.take(100'000), first);
  EXPECT_NE(arena.take(100'000), first);
}

TEST(StackArena, HoldsManyStacks) {
  StackArena arena;
  std::set<Stack*> stacks;
  for (int i = 0; i < 100'000; ++i) {
    Stack* stack = arena.take(100'000);
    ASSERT_NE(stack, nullptr) << i;
    *reinterpret_cast<std::uint64_t*>(stack->top() - 8) = 1;
    stacks.insert(stack);
  }
  EXPECT_EQ(stacks.size(), 100'000u);
}

TEST(StackArena, RefusesWhatDoesNotFit) {
  StackArena arena;
  EXPECT_EQ(arena.take(std::size_t{1} << 50), nullptr);
  EXPECT_NE(arena.take(1 << 20), nullptr);
}

struct Visit {
  void* saved = nullptr;
  void* inner = nullptr;
  std::uintptr_t seen = 0;
  bool abandon = false;
  int result = -1;
};

void visit(void* argument) {
  auto& v = *static_cast<Visit*>(argument);
  v.seen = stackPointer();
  if (v.abandon) gaur_abandon(v.saved);
}

TEST(Transitions, EnterAStackAndComeBack) {
  StackArena arena;
  Stack* stack = arena.take(1 << 20);
  Visit v;
  EXPECT_EQ(gaur_enterStack(reinterpret_cast<void*>(stack->top()), &v.saved, visit, &v), 0);
  EXPECT_TRUE(stack->contains(v.seen));
  EXPECT_LT(reinterpret_cast<std::uintptr_t>(v.saved), stackPointer());
  v.abandon = true;
  EXPECT_EQ(gaur_enterStack(reinterpret_cast<void*>(stack->top()), &v.saved, visit, &v), 1);
}

TEST(Transitions, AbandonEndsTheGuardedCallOnTheSameStack) {
  StackArena arena;
  Stack* stack = arena.take(1 << 20);
  Visit outer;
  int inner = gaur_enterStack(
      reinterpret_cast<void*>(stack->top()), &outer.saved,
      [](void* argument) {
        auto& v = *static_cast<Visit*>(argument);
        v.result = gaur_callGuarded(
            &v.inner, [](void* a) { gaur_abandon(static_cast<Visit*>(a)->inner); }, &v);
        v.seen = stackPointer();
      },
      &outer);
  EXPECT_EQ(inner, 0);
  EXPECT_EQ(outer.result, 1);
  EXPECT_TRUE(stack->contains(outer.seen));
}

}  // namespace
}  // namespace gaur::runtime
