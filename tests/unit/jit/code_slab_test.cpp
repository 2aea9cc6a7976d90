// The slab: what may be done with its memory, and that freed memory serves again.
#include "jit/code_slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "jit/range_allocator.h"

namespace gaur::jit {
namespace {

TEST(CodeSlab, NoPageIsWritableAndExecutable) {
  CodeSlab slab;
  ASSERT_NE(slab.allocateCode(100), nullptr);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  bool sawCode = false;
  while (std::getline(maps, line)) {
    EXPECT_EQ(line.find("rwx"), std::string::npos) << line;
    sawCode |= line.find("gaur-code") != std::string::npos && line.find("r-x") != std::string::npos;
  }
  EXPECT_TRUE(sawCode);
}

TEST(CodeSlab, CodeIsWrittenThroughTheOtherView) {
  CodeSlab slab;
  auto* code = static_cast<unsigned char*>(slab.allocateCode(64));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(code) % 64, 0u);
  EXPECT_TRUE(slab.isCode(reinterpret_cast<std::uintptr_t>(code)));
  std::memset(slab.writable(code), 0x5a, 64);
  EXPECT_EQ(code[0], 0x5a);
  EXPECT_EQ(code[63], 0x5a);
  EXPECT_DEATH(code[0] = 1, "");
}

TEST(CodeSlab, DataIsZeroAlsoWhenReused) {
  CodeSlab slab;
  auto* data = static_cast<unsigned char*>(slab.allocateData(200, 64));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u);
  EXPECT_FALSE(slab.isCode(reinterpret_cast<std::uintptr_t>(data)));
  std::memset(data, 0xff, 200);
  slab.freeData(data, 200);
  auto* again = static_cast<unsigned char*>(slab.allocateData(200, 64));
  EXPECT_EQ(again, data);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(again[i], 0);
}

TEST(CodeSlab, FreedCodeTrapsAndServesAgain) {
  CodeSlab slab;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(slab.allocateCode(100));
  std::size_t used = slab.statistics().codeUsed;
  EXPECT_EQ(used, 100u * 128u);
  for (int i = 0; i < 100; i += 2) slab.freeCode(blocks[i], 100);
#if defined(__x86_64__)
  EXPECT_EQ(*static_cast<unsigned char*>(blocks[0]), 0xcc);
#endif
  EXPECT_EQ(slab.statistics().codeUsed, used / 2);
  for (int i = 0; i < 100; i += 2) blocks[i] = slab.allocateCode(128);
  EXPECT_EQ(slab.statistics().codeUsed, used);
  EXPECT_EQ(slab.statistics().codeFree, 0u);
  for (void* block : blocks) slab.freeCode(block, 128);
  EXPECT_EQ(slab.statistics().codeUsed, 0u);
  EXPECT_EQ(slab.statistics().codeFree, 0u) << "neighbours were not merged";
}

TEST(CodeSlab, FullHalvesGiveNull) {
  CodeSlab slab;
  EXPECT_EQ(slab.allocateCode(CodeSlab::kCodeBytes + 1), nullptr);
  EXPECT_EQ(slab.allocateData(~std::size_t{0} - 4), nullptr);
  void* all = slab.allocateCode(CodeSlab::kCodeBytes);
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(slab.allocateCode(1), nullptr);
}

#if defined(__x86_64__)
__attribute__((naked)) void* returnChain() { __asm__("mov %r10, %rax\n ret"); }
__attribute__((naked)) void* returnNegatedChain() { __asm__("mov %r10, %rax\n neg %rax\n ret"); }

TEST(CodeSlab, TrampolinesPassTheirChainAndFollowTheirTarget) {
  CodeSlab slab;
  void* target = reinterpret_cast<void*>(&returnChain);
  std::vector<void*> trampolines;
  for (std::uintptr_t i = 0; i < 300; ++i)
    trampolines.push_back(slab.makeTrampoline(reinterpret_cast<void*>(i), &target));
  for (std::uintptr_t i = 0; i < 300; ++i)
    EXPECT_EQ(reinterpret_cast<void* (*)()>(trampolines[i])(), reinterpret_cast<void*>(i));
  target = reinterpret_cast<void*>(&returnNegatedChain);
  EXPECT_EQ(reinterpret_cast<std::intptr_t (*)()>(trampolines[7])(), -7);
  slab.freeTrampoline(trampolines[7]);
  EXPECT_EQ(slab.makeTrampoline(nullptr, &target), trampolines[7]);
}
#endif

TEST(RangeAllocator, AlignsWithoutLosingTheGap) {
  RangeAllocator ranges(0x1000, 0x10000, 16);
  EXPECT_EQ(ranges.allocate(16, 16), 0x1000u);
  EXPECT_EQ(ranges.allocate(32, 256), 0x1100u);
  EXPECT_EQ(ranges.freeBytes(), 0xf0u);
  EXPECT_EQ(ranges.allocate(0xf0, 16), 0x1010u);
  EXPECT_EQ(ranges.freeBytes(), 0u);
}

TEST(RangeAllocator, RandomUseLosesNothing) {
  RangeAllocator ranges(0x10000, 1 << 20, 64);
  std::vector<std::pair<std::uintptr_t, std::size_t>> live;
  std::uint32_t seed = 1;
  auto next = [&seed] { return seed = seed * 1664525 + 1013904223; };
  for (int i = 0; i < 20000; ++i) {
    if (live.empty() || (next() >> 16) % 3 != 0) {
      std::size_t bytes = 1 + (next() >> 16) % 3000;
      if (std::uintptr_t address = ranges.allocate(bytes, 64)) {
        for (auto [other, size] : live) ASSERT_TRUE(address + bytes <= other || other + size <= address);
        live.push_back({address, bytes});
        if (live.size() < 200) continue;
      }
    }
    std::size_t which = (next() >> 16) % live.size();
    ranges.free(live[which].first, live[which].second);
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
  }
  for (auto [address, size] : live) ranges.free(address, size);
  EXPECT_EQ(ranges.used(), 0u);
  EXPECT_EQ(ranges.freeBytes(), 0u);
  EXPECT_EQ(ranges.allocate(1 << 20, 64), 0x10000u);
}

}  // namespace
}  // namespace gaur::jit
