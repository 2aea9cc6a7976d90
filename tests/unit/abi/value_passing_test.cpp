// How values travel: what they take in memory, and for which signatures native callers pass everything in
// registers. The convention of System V says what is right there.
#include "vm/abi/value_passing.h"

#include <gtest/gtest.h>

#include <vector>

#include "vm/ir/type.h"

namespace gaur::abi {
namespace {

using ir::Type;
using ir::TypeKind;

class NativeArgumentsTest : public ::testing::Test {
 protected:
  using List = std::vector<const Type*>;

  bool inRegisters(List parameters, List results = {}) {
    ir::Signature signature{0, parameters, results};
    return nativeArgumentsInRegisters(table, signature);
  }
  List times(std::size_t count, const Type* type, List more = {}) {
    more.insert(more.end(), count, type);
    return more;
  }
  const Type* make(TypeKind kind, List elements, std::uint64_t length = 0) {
    return types.get(kind, length, elements);
  }

  ir::TypeTable types;
  LayoutTable table;
  const Type* word = types.intType(64);
  const Type* number = make(TypeKind::Double, {});
  const Type* pointer = types.pointerLike(TypeKind::Uptr, types.voidType());
  const Type* pair = make(TypeKind::Struct, {word, word});
  const Type* quad = make(TypeKind::Vector, {types.intType(32)}, 4);
};

TEST_F(NativeArgumentsTest, SixWordsAndEightVectors) {
  EXPECT_TRUE(inRegisters({}));
  EXPECT_TRUE(inRegisters(times(6, word)));
  EXPECT_FALSE(inRegisters(times(7, word)));
  EXPECT_TRUE(inRegisters(times(3, pointer, times(3, types.intType(8)))));
  EXPECT_TRUE(inRegisters(times(8, number)));
  EXPECT_FALSE(inRegisters(times(9, number)));
  EXPECT_TRUE(inRegisters(times(8, number, times(6, word))));
  EXPECT_FALSE(inRegisters(times(8, number, times(7, word))));
  EXPECT_TRUE(inRegisters(times(4, quad, times(4, number))));
  EXPECT_FALSE(inRegisters(times(5, quad, times(4, number))));
}

TEST_F(NativeArgumentsTest, ResultsInMemoryTakeAWord) {
  EXPECT_TRUE(inRegisters(times(6, word), {word}));
  EXPECT_TRUE(inRegisters(times(5, word), {pair}));
  EXPECT_FALSE(inRegisters(times(6, word), {make(TypeKind::Struct, {word, word, word})}));
}

TEST_F(NativeArgumentsTest, WhatMayLieInMemoryCountsAsIfItDid) {
  EXPECT_FALSE(inRegisters({pair}));
  EXPECT_FALSE(inRegisters({types.intType(128)}));
  EXPECT_FALSE(inRegisters({make(TypeKind::Vector, {types.intType(32)}, 8)}));
}

TEST_F(NativeArgumentsTest, ThePlaceAfterTheLastValueIsNotWritten) {
  const Type* byte = types.intType(8);
  const Type* triple = make(TypeKind::Struct, {word, word, word});
  auto expectBytes = [&](List values, std::uint64_t room, std::uint64_t written) {
    EXPECT_EQ(memoryBytes(table, values), room);
    EXPECT_EQ(writtenBytes(table, values), written);
  };
  expectBytes({}, 0, 0);
  expectBytes({byte}, 16, 1);
  expectBytes({word}, 16, 8);
  expectBytes({pair}, 16, 16);
  expectBytes({triple}, 32, 24);
  expectBytes({triple, byte, word}, 64, 56);
}

}  // namespace
}  // namespace gaur::abi
