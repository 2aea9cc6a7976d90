// Where C passes the argument behind all others; what a compiler does with it is tested by calls
// (tests/api/host.c).
#include "vm/abi/native_arguments.h"

#include <gtest/gtest.h>

#include <vector>

namespace gaur::abi {
namespace {

using ir::Type;
using ir::TypeKind;

class LastArgumentTest : public ::testing::Test {
 protected:
  const Type* make(TypeKind kind, std::vector<const Type*> elements, std::uint64_t length = 0) {
    return types.get(kind, length, elements);
  }
  LastArgument last(std::vector<const Type*> parameters, std::vector<const Type*> results = {}) {
    auto found = lastArgument(LayoutTable::shared(), *types.signature(parameters, results));
    EXPECT_TRUE(found);
    return found.value_or(LastArgument{});
  }
  void expectRegister(std::uint32_t number, const LastArgument& is) { EXPECT_EQ(is.integerRegister, number); }
  void expectStack(std::uint32_t bytes, const LastArgument& is) {
    EXPECT_EQ(is.integerRegister, LastArgument::kOnStack);
    EXPECT_EQ(is.stackBytes, bytes);
  }

  ir::TypeTable& types = ir::TypeTable::shared();
  const Type* i64 = types.intType(64);
  const Type* f64 = types.get(TypeKind::Double);
};

#if defined(__x86_64__)

TEST_F(LastArgumentTest, FloatingPointTakesNoIntegerRegister) {
  expectRegister(0, last({}));
  expectRegister(2, last({i64, f64, types.intType(8), f64}));
  expectRegister(1, last({f64, f64, f64, f64, f64, f64, f64, f64, f64, i64}));
  EXPECT_EQ(last({f64, f64, f64, f64, f64, f64, f64, f64, f64}).stackBytes, 8U);
}

TEST_F(LastArgumentTest, AfterSixIntegersItLiesOnTheStack) {
  expectStack(0, last({i64, i64, i64, i64, i64, i64}));
  expectStack(16, last({i64, i64, i64, i64, i64, i64, types.intType(16), i64}));
}

TEST_F(LastArgumentTest, AggregatesGoInRegistersAsAWholeOrNotAtAll) {
  const Type* mixed = make(TypeKind::Struct, {i64, f64});
  const Type* two = make(TypeKind::Struct, {i64, i64});
  const Type* three = make(TypeKind::Struct, {i64, i64, i64});
  expectRegister(1, last({mixed}));
  expectRegister(2, last({two}));
  expectRegister(0, last({three}));
  EXPECT_EQ(last({three}).stackBytes, 24U);
  // One register is left, which the environment gets.
  expectRegister(5, last({i64, i64, i64, i64, i64, two}));
  EXPECT_EQ(last({i64, i64, i64, i64, i64, two}).stackBytes, 16U);
}

TEST_F(LastArgumentTest, MemoryForTheResultComesFirst) {
  const Type* three = make(TypeKind::Struct, {i64, i64, i64});
  const Type* two = make(TypeKind::Struct, {i64, i64});
  expectRegister(2, last({i64}, {three}));
  expectRegister(1, last({i64}, {two}));
}

#endif

TEST_F(LastArgumentTest, WhatCHasNotIsRefused) {
  const Type* wide = make(TypeKind::Vector, {f64}, 8);
  EXPECT_FALSE(lastArgument(LayoutTable::shared(), *types.signature(std::vector{wide}, {})));
  EXPECT_FALSE(lastArgument(LayoutTable::shared(), *types.signature(std::vector{types.intType(256)}, {})));
}

}  // namespace
}  // namespace gaur::abi
