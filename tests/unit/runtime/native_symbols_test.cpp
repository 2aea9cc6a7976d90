#include "vm/runtime/native_symbols.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "jit/code_slab.h"

namespace gaur::runtime {
namespace {

TEST(NativeSymbols, AreFoundInTheProcessAndTheLibrariesOfC) {
  jit::CodeSlab slab;
  NativeSymbols symbols(slab);
  auto found = symbols.slot("getenv");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->address, reinterpret_cast<void*>(&getenv));
  EXPECT_TRUE(symbols.slot("cos"));
  EXPECT_EQ(*symbols.slot("getenv"), *found) << "one slot a symbol";
  auto unknown = symbols.slot("no_such_symbol_anywhere");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("no_such_symbol_anywhere"), std::string::npos);
}

TEST(NativeSymbols, RegisteredOnesComeFirst) {
  jit::CodeSlab slab;
  NativeSymbols symbols(slab);
  int here = 0;
  abi::NativeSlot* slot = *symbols.slot("getenv");
  symbols.registerSymbol("getenv", &here);
  EXPECT_EQ(slot->address, &here);
  symbols.registerSymbol("fresh_symbol", &here);
  EXPECT_EQ((*symbols.slot("fresh_symbol"))->address, &here);
}

TEST(NativeSymbols, TellLibrariesThatCannotBeOpened) {
  jit::CodeSlab slab;
  NativeSymbols symbols(slab);
  EXPECT_FALSE(symbols.addLibrary("/nowhere/libnothing.so"));
  EXPECT_TRUE(symbols.addLibrary("libm.so.6"));
}

}  // namespace
}  // namespace gaur::runtime
