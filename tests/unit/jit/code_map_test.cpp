// The code map: edges of functions and blocks, removal, and readers beside writers.
#include "jit/code_map.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "jit/code_slab.h"

namespace gaur::jit {
namespace {

struct Block {
  explicit Block(CodeSlab& slab, std::size_t bytes = 256) {
    auto begin = reinterpret_cast<std::uintptr_t>(slab.allocateCode(bytes));
    constexpr auto kind = abi::CodeKind::Function;
    functions = {{0, 100, 4, 16, 11, kind, nullptr, 0, 2, 0, 0},
                 {112, 200, 116, 16, 12, kind, nullptr, 2, 1, 0, 0}};
    rows = {{20, 60, 1, 0, 0, 24, 0, 0, false},
            {100, 0, 2, 0, 0, 24, 0, 0, false},
            {150, 0, 3, 0, 0, 24, 0, 0, false}};
    block = {begin, begin + 200, functions, rows, {}, {}};
  }
  std::vector<abi::FunctionCode> functions;
  std::vector<abi::CallSiteRow> rows;
  abi::CodeBlock block;
};

TEST(CodeMap, FindsFunctionsByTheirEdges) {
  CodeSlab slab;
  CodeMap map(slab);
  Block b(slab);
  map.add(b.block);
  auto begin = b.block.begin;
  EXPECT_EQ(map.findFunction(begin).function->version, 11u);
  EXPECT_EQ(map.findFunction(begin + 99).function->version, 11u);
  EXPECT_FALSE(map.findFunction(begin + 100)) << "padding belongs to nothing";
  EXPECT_EQ(map.findFunction(begin + 112).function->version, 12u);
  EXPECT_FALSE(map.findFunction(begin + 200));
  EXPECT_FALSE(map.findFunction(begin - 1));
  EXPECT_FALSE(map.findFunction(0));
  EXPECT_FALSE(map.findFunction(reinterpret_cast<std::uintptr_t>(&slab)));
  map.remove(b.block);
}

TEST(CodeMap, FindsReturnAddresses) {
  CodeSlab slab;
  CodeMap map(slab);
  Block b(slab);
  map.add(b.block);
  auto begin = b.block.begin;
  CodeSite site = map.findReturn(begin + 20);
  ASSERT_TRUE(site && site.row);
  EXPECT_EQ(site.row->instruction, 1u);
  EXPECT_EQ(site.landingPad(), begin + 60);
  // A call at the very end of a function returns to an address behind it.
  site = map.findReturn(begin + 100);
  ASSERT_TRUE(site && site.row);
  EXPECT_EQ(site.function->version, 11u);
  EXPECT_EQ(site.landingPad(), 0u);
  // A call without a record: at least the function.
  site = map.findReturn(begin + 21);
  ASSERT_TRUE(site);
  EXPECT_EQ(site.row, nullptr);
  map.remove(b.block);
  EXPECT_FALSE(map.findReturn(begin + 20));
}

TEST(CodeMap, HoldsManyBlocksAndForgetsTheRemoved) {
  CodeSlab slab;
  CodeMap map(slab);
  std::vector<std::unique_ptr<Block>> blocks;
  for (int i = 0; i < 5000; ++i) {
    blocks.push_back(std::make_unique<Block>(slab));
    map.add(blocks.back()->block);
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) map.remove(blocks[i]->block);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CodeSite site = map.findFunction(blocks[i]->block.begin + 130);
    EXPECT_EQ(site.block, i % 2 ? &blocks[i]->block : nullptr);
  }
}

TEST(CodeMap, UnwindStepsAreForgottenWithTheirBlock) {
  CodeSlab slab;
  CodeMap map(slab);
  UnwindCache cache;
  Block b(slab);
  map.add(b.block);
  auto address = b.block.begin + 20;
  for (int i = 0; i < 2; ++i) {
    const UnwindStep& step = cache.find(map, address);
    ASSERT_TRUE(step.site && step.site.row);
    EXPECT_EQ(step.landingPad, b.block.begin + 60);
    EXPECT_EQ(step.cfaOffset, 16);
  }
  map.remove(b.block);
  EXPECT_FALSE(cache.find(map, address).site);
  map.add(b.block);
  EXPECT_TRUE(cache.find(map, address).site) << "that there was nothing is not remembered";
  map.remove(b.block);
}

TEST(CodeMap, RefusesOverlap) {
  CodeSlab slab;
  CodeMap map(slab);
  Block b(slab);
  map.add(b.block);
  EXPECT_DEATH(map.add(b.block), "overlap");
}

TEST(CodeMap, ReadersSeeABlockOrNothing) {
  CodeSlab slab;
  CodeMap map(slab);
  Block b(slab);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> found{0};
  std::thread reader([&] {
    while (!stop) {
      CodeSite site = map.findReturn(b.block.begin + 150);
      if (!site) continue;
      ASSERT_EQ(site.row->instruction, 3u);
      found.fetch_add(1);
    }
  });
  for (int i = 0; i < 1000 || found == 0; ++i) {
    map.add(b.block);
    if (i % 64 == 0) std::this_thread::yield();
    map.remove(b.block);
  }
  stop = true;
  reader.join();
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace gaur::jit
