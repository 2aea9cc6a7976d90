// A TypeTable as a graph and back: the same numbers where one table begins with the other, else a map.
#include <random>

#include "tests/unit/ir/bundle_maker.h"
#include "vm/ir/type_graph.h"

namespace gaur::ir::test {
namespace {

/// A node for TypeGraphs made by hand.
void addNode(TypeGraph& graph, std::optional<TypeKind> kind, std::vector<std::uint32_t> children,
             std::uint64_t length = 0, std::uint32_t parameterCount = 0) {
  TypeGraph::Node& node = graph.nodes.emplace_back();
  node.isSignature = !kind;
  if (kind) node.kind = *kind;
  node.length = length;
  node.parameterCount = parameterCount;
  node.firstChild = static_cast<std::uint32_t>(graph.children.size());
  node.childCount = static_cast<std::uint32_t>(children.size());
  graph.children.insert(graph.children.end(), children.begin(), children.end());
}

/// int<32>, list = struct<int<32> ref<list>>, a callback that takes itself, and others.
TypeGraph recursiveTypes() {
  TypeGraph graph;
  addNode(graph, TypeKind::Int, {}, 32);
  addNode(graph, TypeKind::Struct, {0, 2});
  addNode(graph, TypeKind::Ref, {1});
  addNode(graph, TypeKind::Funcref, {4});
  addNode(graph, std::nullopt, {3, 2, 0}, 0, 2);
  addNode(graph, TypeKind::Void, {});
  addNode(graph, std::nullopt, {});
  addNode(graph, TypeKind::Array, {1}, 9);
  addNode(graph, TypeKind::Hybrid, {0, 2, 7});
  addNode(graph, TypeKind::Ufuncptr, {6});
  return graph;
}

/// Equal as graphs; canonical types of two tables.
void expectSameGraph(const TypeGraph& a, const TypeGraph& b) {
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  EXPECT_EQ(a.children, b.children);
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(a.nodes[i].isSignature, b.nodes[i].isSignature);
    EXPECT_EQ(a.nodes[i].kind, b.nodes[i].kind);
    EXPECT_EQ(a.nodes[i].length, b.nodes[i].length);
    EXPECT_EQ(a.nodes[i].parameterCount, b.nodes[i].parameterCount);
    EXPECT_EQ(a.nodes[i].childCount, b.nodes[i].childCount);
  }
}

TEST(TypeRestore, AnEmptyTableGetsTheSameNumbers) {
  TypeGraph graph = recursiveTypes();
  TypeTable table;
  auto restored = table.restore(graph);
  ASSERT_TRUE(restored);
  EXPECT_TRUE(restored->isIdentical);
  ASSERT_EQ(restored->types.size(), 8u);
  ASSERT_EQ(restored->signatures.size(), 2u);
  const Type* list = restored->types[1];
  EXPECT_EQ(list->element(), table.intType(32));
  EXPECT_EQ(list->elements[1], table.ref(list));
  const Signature* callback = restored->signatures[0];
  ASSERT_EQ(callback->parameters.size(), 2u);
  EXPECT_EQ(callback->parameters[0]->signature, callback);
  EXPECT_EQ(table.count(), 8u);
  expectSameGraph(table.graph(), graph);
}

TEST(TypeRestore, ATableThatBeginsWithTheOtherGetsTheSameNumbers) {
  TypeGraph graph = recursiveTypes();
  TypeTable longer, shorter;
  ASSERT_TRUE(longer.restore(graph));
  longer.vectorOf(longer.intType(32), 4);
  auto again = longer.restore(graph);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->isIdentical);
  EXPECT_EQ(longer.count(), 9u);
  shorter.intType(32);
  auto rest = shorter.restore(graph);
  ASSERT_TRUE(rest);
  EXPECT_TRUE(rest->isIdentical);
}

TEST(TypeRestore, ATableWithOtherTypesGivesAMap) {
  TypeGraph graph = recursiveTypes();
  TypeTable table;
  const Type* real = table.get(TypeKind::Double);
  // The list is there already, in another order.
  TypeGraph listFirst;
  addNode(listFirst, TypeKind::Ref, {1});
  addNode(listFirst, TypeKind::Struct, {2, 0});
  addNode(listFirst, TypeKind::Int, {}, 32);
  auto list = table.restore(listFirst);
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->isIdentical);
  auto restored = table.restore(graph);
  ASSERT_TRUE(restored);
  EXPECT_FALSE(restored->isIdentical);
  EXPECT_EQ(restored->types[1], list->types[1]);
  EXPECT_EQ(restored->types[2], list->types[0]);
  EXPECT_EQ(restored->types[0], table.intType(32));
  for (const Type* type : restored->types) EXPECT_NE(type, real);
  // And from there to a third.
  TypeTable third;
  auto copied = third.restore(table.graph());
  ASSERT_TRUE(copied);
  EXPECT_TRUE(copied->isIdentical);
}

TEST(TypeRestore, WhatIsNotCanonicalIsMerged) {
  TypeGraph graph;
  addNode(graph, TypeKind::Int, {}, 8);
  addNode(graph, TypeKind::Int, {}, 8);
  addNode(graph, TypeKind::Struct, {3});
  addNode(graph, TypeKind::Ref, {4});
  addNode(graph, TypeKind::Struct, {5});
  addNode(graph, TypeKind::Ref, {2});
  TypeTable table;
  auto restored = table.restore(graph);
  ASSERT_TRUE(restored);
  EXPECT_FALSE(restored->isIdentical);
  EXPECT_EQ(restored->types[0], restored->types[1]);
  EXPECT_EQ(restored->types[2], restored->types[4]);
  EXPECT_EQ(table.count(), 3u);
}

TEST(TypeRestore, ImpossibleGraphsAreErrors) {
  TypeTable table;
  auto refused = [&](auto&& make) {
    TypeGraph graph;
    addNode(graph, TypeKind::Int, {}, 8);
    addNode(graph, std::nullopt, {});
    make(graph);
    return !table.restore(graph);
  };
  EXPECT_FALSE(refused([](TypeGraph&) {}));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Struct, {2}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) {
    addNode(graph, TypeKind::Struct, {3});
    addNode(graph, TypeKind::Array, {2}, 2);
  }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Ref, {7}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Ref, {1}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Ref, {0, 0}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Int, {0}, 8); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Hybrid, {}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Funcref, {}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Funcref, {0}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, TypeKind::Funcref, {0, 1}); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { addNode(graph, std::nullopt, {0}, 0, 2); }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { graph.nodes[0].firstChild = 5; }));
  EXPECT_TRUE(refused([](TypeGraph& graph) { graph.nodes[1].childCount = 1; }));
}

/// A table made by bundles of random recursive types comes back with every number the same.
TEST(TypeRestore, TablesOfRandomTypesComeBack) {
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    Program program;
    for (int bundle = 0; bundle < 5; ++bundle) {
      BundleMaker maker(program);
      auto name = [&](unsigned i) {
        return "t" + std::to_string(round) + "." + std::to_string(bundle) + "." + std::to_string(i);
      };
      constexpr unsigned kTypes = 12;
      for (unsigned i = 0; i < kTypes; ++i) {
        std::string first = name(random() % kTypes), second = name(i == 0 ? 0 : random() % i);
        bool contains = i != 0 && random() % 2 == 0;
        if (contains) {
          maker.type(name(i), TypeKind::Struct, {second.c_str(), second.c_str()});
        } else if (random() % 3 == 0) {
          maker.sig("s" + name(i), {first.c_str()}, {first.c_str()});
          maker.functionType(name(i), TypeKind::Funcref, "s" + name(i));
        } else {
          maker.type(name(i), random() % 2 == 0 ? TypeKind::Ref : TypeKind::Uptr, {first.c_str()});
        }
      }
      ASSERT_TRUE(maker.link()) << maker.messages();
    }
    TypeTable copy;
    auto restored = copy.restore(program.types().graph());
    ASSERT_TRUE(restored);
    EXPECT_TRUE(restored->isIdentical);
    EXPECT_EQ(copy.count(), program.types().count());
    expectSameGraph(copy.graph(), program.types().graph());
  }
}

}  // namespace
}  // namespace gaur::ir::test
