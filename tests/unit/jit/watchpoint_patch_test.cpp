// The instruction of a watchpoint, patched in code that is written by hand here.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "jit/code_slab.h"
#include "jit/code_stubs.h"
#include "jit/instruction_fetch.h"

namespace gaur::jit {
namespace {

#if defined(__x86_64__)
const std::vector<unsigned char> kNop = {0x0f, 0x1f, 0x44, 0x00, 0x00};
const std::vector<unsigned char> kReturnOne = {0xb8, 1, 0, 0, 0, 0xc3};
const std::vector<unsigned char> kReturnTwo = {0xb8, 2, 0, 0, 0, 0xc3};
constexpr std::size_t kPlaces = 4;  // in an aligned word
constexpr std::size_t kStep = 1;
#else
const std::vector<unsigned char> kNop = {0x1f, 0x20, 0x03, 0xd5};
const std::vector<unsigned char> kReturnOne = {0x20, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
const std::vector<unsigned char> kReturnTwo = {0x40, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
constexpr std::size_t kPlaces = 2;
constexpr std::size_t kStep = 4;
#endif

/// A function that returns 1, or 2 while its first instruction is patched; `place` bytes from an aligned
/// word.
struct Function {
  explicit Function(CodeSlab& slab, std::size_t place, std::size_t distance = 64) {
    auto* begin = static_cast<unsigned char*>(slab.allocateCode(distance + 128));
    code = begin + place;
    writable = static_cast<unsigned char*>(slab.writable(code));
    target = begin + distance;
    auto put = [](unsigned char*& at, const std::vector<unsigned char>& bytes) {
      std::memcpy(at, bytes.data(), bytes.size());
      at += bytes.size();
    };
    auto* at = writable;
    put(at, kNop);
    put(at, kReturnOne);
    at = static_cast<unsigned char*>(slab.writable(target));
    put(at, kReturnTwo);
    flushCode(begin, slab.writable(begin), distance + 128);
  }
  int call() const { return reinterpret_cast<int (*)()>(code)(); }

  unsigned char* code;
  unsigned char* writable;
  unsigned char* target;
};

TEST(WatchpointPatch, JumpsAndFallsThroughAtEveryPlace) {
  CodeSlab slab;
  for (std::size_t place = 0; place < kPlaces * kStep; place += kStep) {
    Function function(slab, place);
    ASSERT_TRUE(isPatchable(reinterpret_cast<std::uintptr_t>(function.code)));
    const std::vector<unsigned char> original(function.writable, function.writable + 24);
    EXPECT_EQ(function.call(), 1);
    for (int round = 0; round < 3; ++round) {
      patchWatchpoint(function.code, function.writable, function.target);
      synchroniseInstructionFetch();
      EXPECT_EQ(function.call(), 2);
      patchWatchpoint(function.code, function.writable, function.target);
      EXPECT_EQ(function.call(), 2);
      patchWatchpoint(function.code, function.writable, nullptr);
      synchroniseInstructionFetch();
      EXPECT_EQ(function.call(), 1);
      EXPECT_EQ(std::vector<unsigned char>(function.writable, function.writable + 24), original)
          << "other bytes have changed";
    }
  }
}

TEST(WatchpointPatch, ReachesFarAndBackwards) {
  CodeSlab slab;
  Function far(slab, 0, std::size_t{16} << 20);
  patchWatchpoint(far.code, far.writable, far.target);
  synchroniseInstructionFetch();
  EXPECT_EQ(far.call(), 2);
  Function late(slab, 0);
  ASSERT_GT(late.code, far.target);
  patchWatchpoint(late.code, late.writable, far.target);
  synchroniseInstructionFetch();
  EXPECT_EQ(late.call(), 2);
}

TEST(WatchpointPatch, RefusesWhatIsNoWatchpoint) {
  CodeSlab slab;
  Function function(slab, 0);
  auto* other = function.writable + kNop.size() + 3;
  EXPECT_DEATH(patchWatchpoint(function.code + kNop.size() + 3, other, function.target), "no watchpoint");
#if defined(__x86_64__)
  EXPECT_FALSE(isPatchable(4));
  EXPECT_TRUE(isPatchable(3));
#endif
}

}  // namespace
}  // namespace gaur::jit
