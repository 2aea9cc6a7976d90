// What the builder records before anything is checked.
#include "tests/unit/ir/bundle_maker.h"

namespace gaur::ir::test {
namespace {

TEST(Builder, SymbolsNameTheirEntities) {
  Program program;
  Builder builder(program, "test");
  Id id = builder.symbol("@my.type");
  TypeDef* type = builder.newType(id, TypeKind::Float);
  EXPECT_EQ(type->name(), "my.type");
  EXPECT_FALSE(type->hasLocalName);
  EXPECT_EQ(builder.defined(id), type);
  EXPECT_EQ(type->entityKind, EntityKind::Type);
}

TEST(Builder, NamesAreCopied) {
  Program program;
  Builder builder(program, "test");
  std::string name = "@first";
  Id id = builder.symbol(name);
  name = "@wrong";
  EXPECT_EQ(builder.symbolName(id), "first");
  EXPECT_EQ(builder.symbol("first"), id);
}

TEST(Builder, ResultsGetFreshIdsWhereNoneAreGiven) {
  Program program;
  Builder builder(program, "test");
  Instruction* instruction = builder.newInstruction(builder.fresh(), Opcode::Trap, 9);
  Id named = builder.symbol("named");
  const Id ids[] = {kNoId, named};
  const SourcePos positions[] = {4};
  auto results = builder.newResults(instruction, ids, positions);
  EXPECT_NE(results[0].id, kNoId);
  EXPECT_EQ(results[1].id, named);
  EXPECT_EQ(results[1].name(), "named");
  EXPECT_EQ(results[0].pos, 4u);
  EXPECT_EQ(results[1].pos, 9u);
  EXPECT_EQ(results[1].index, 1u);
  EXPECT_EQ(builder.defined(named), &results[1]);
}

TEST(Builder, ClausesNeedNoId) {
  Program program;
  Builder builder(program, "test");
  Dest* first = builder.newDest(kNoId);
  Dest* second = builder.newDest(kNoId);
  EXPECT_NE(first, second);
  EXPECT_EQ(builder.defined(kNoId), nullptr);
}

}  // namespace
}  // namespace gaur::ir::test
