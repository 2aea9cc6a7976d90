// Canonical types: identity of equal types however they are written, recursive ones too; properties; text.
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/unit/ir/bundle_maker.h"
#include "vm/ir/type_node.h"
#include "vm/ir/type_unifier.h"

namespace gaur::ir::test {
namespace {

TEST(TypeTable, EqualPartsGiveTheSameObject) {
  TypeTable types;
  const Type* i64 = types.intType(64);
  EXPECT_EQ(i64, types.intType(64));
  EXPECT_EQ(i64, types.get(TypeKind::Int, 64, {}));
  EXPECT_NE(i64, types.intType(32));
  EXPECT_EQ(types.intType(1000), types.intType(1000));
  EXPECT_EQ(types.ref(i64), types.ref(i64));
  EXPECT_NE(types.ref(i64), types.iref(i64));
  const Type* const elements[] = {i64};
  EXPECT_EQ(types.ref(i64), types.get(TypeKind::Ref, 0, elements));
  EXPECT_NE(types.get(TypeKind::Array, 3, elements), types.get(TypeKind::Array, 4, elements));
  EXPECT_EQ(types.signature(elements, {}), types.signature(elements, {}));
  EXPECT_NE(types.signature(elements, {}), types.signature({}, elements));
}

TEST(TypeTable, IndexesAreDense) {
  TypeTable types;
  const Type* type = types.ref(types.voidType());
  for (std::uint32_t i = 0; i < types.count(); ++i) EXPECT_EQ(types.byIndex(i)->index, i);
  EXPECT_EQ(types.byIndex(type->index), type);
  EXPECT_EQ(types.byIndex(types.count()), nullptr);
}

TEST(TypeTable, StrongAndBooleanLike) {
  TypeTable types;
  const Type* i32 = types.intType(32);
  const Type* const elements[] = {i32};
  EXPECT_EQ(types.strong(types.get(TypeKind::Weakref, 0, elements)), types.ref(i32));
  EXPECT_EQ(types.strong(i32), i32);
  EXPECT_EQ(types.booleanLike(i32), types.intType(1));
  EXPECT_EQ(types.booleanLike(types.vectorOf(i32, 4)), types.vectorOf(types.intType(1), 4));
}

TEST(TypeTable, ManyThreadsGetTheSameObjects) {
  TypeTable types;
  constexpr int kThreads = 4, kCount = 300;
  std::vector<std::vector<const Type*>> got(kThreads);
  std::vector<std::thread> threads;
  for (auto& list : got) {
    threads.emplace_back([&types, &list] {
      for (std::uint64_t i = 1; i <= kCount; ++i) {
        list.push_back(types.iref(types.ref(types.intType(i))));
        list.push_back(types.vectorOf(types.intType(i % 7 + 1), i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& list : got) EXPECT_EQ(list, got[0]);
}

TEST(Type, PropertiesLookIntoComposites) {
  TypeTable types;
  const Type* i64 = types.intType(64);
  const Type* object = types.ref(types.voidType());
  const Type* const weak[] = {types.voidType()};
  const Type* weakref = types.get(TypeKind::Weakref, 0, weak);
  auto pair = [&](const Type* a, const Type* b) {
    const Type* const fields[] = {a, b};
    return types.get(TypeKind::Struct, 0, fields);
  };
  EXPECT_TRUE(isSsa(pair(i64, object)));
  EXPECT_FALSE(isSsa(pair(i64, weakref)));
  EXPECT_FALSE(isSsa(pair(i64, pair(i64, weakref))));
  EXPECT_TRUE(isTraced(pair(i64, pair(object, i64))));
  EXPECT_TRUE(isTraced(pair(i64, types.get(TypeKind::Tagref64))));
  EXPECT_TRUE(isTraced(weakref));
  EXPECT_FALSE(isTraced(pair(i64, types.uptr(object))));
  EXPECT_TRUE(isNativeSafe(pair(i64, types.uptr(object))));
  EXPECT_FALSE(isNativeSafe(pair(i64, pair(object, i64))));
  EXPECT_TRUE(isUltComparable(types.iref(i64)));
  EXPECT_FALSE(isUltComparable(object));
  EXPECT_TRUE(isEqComparable(types.vectorOf(i64, 2)));
  EXPECT_FALSE(isEqComparable(types.get(TypeKind::Double)));
  EXPECT_FALSE(isSsa(types.voidType()));
}

TEST(Type, TextIsTheInlineFormAndEndsForRecursiveTypes) {
  Program program;
  BundleMaker maker(program);
  maker.type("i32", TypeKind::Int, {}, 32);
  TypeDef* list = maker.type("list", TypeKind::Struct, {"i32", "next"});
  maker.type("next", TypeKind::Ref, {"list"});
  ASSERT_TRUE(maker.link());
  EXPECT_EQ(toString(list->type, 3), "struct<int<32> ref<struct<int<32> ref<...>>>>");
  TypeTable& types = program.types();
  const Type* const parameters[] = {types.intType(8), types.get(TypeKind::Double)};
  const Type* function = types.funcref(types.signature(parameters, {}));
  EXPECT_EQ(toString(function), "funcref<(int<8> double)->()>");
  EXPECT_EQ(toString(types.vectorOf(types.get(TypeKind::Float), 4)), "vector<float 4>");
}

TEST(TypeUnifier, OneCycleWrittenInDifferentWaysIsOneType) {
  Program program;
  BundleMaker maker(program);
  // A = struct<ref<A>>, once unrolled by two, once by three, and from outside the cycle.
  TypeDef* a = maker.type("a", TypeKind::Struct, {"ra"});
  maker.type("ra", TypeKind::Ref, {"a"});
  TypeDef* b1 = maker.type("b1", TypeKind::Struct, {"rb2"});
  maker.type("rb2", TypeKind::Ref, {"b2"});
  TypeDef* b2 = maker.type("b2", TypeKind::Struct, {"rb1"});
  maker.type("rb1", TypeKind::Ref, {"b1"});
  TypeDef* outside = maker.type("outside", TypeKind::Struct, {"ra"});
  ASSERT_TRUE(maker.link()) << maker.messages();
  EXPECT_EQ(a->type, b1->type);
  EXPECT_EQ(a->type, b2->type);
  EXPECT_EQ(a->type, outside->type);
  EXPECT_EQ(a->type->element()->referent(), a->type);

  BundleMaker later(program);
  TypeDef* c = later.type("c", TypeKind::Struct, {"rc"});
  later.type("rc", TypeKind::Ref, {"d"});
  later.type("d", TypeKind::Struct, {"rd"});
  later.type("rd", TypeKind::Ref, {"e"});
  later.type("e", TypeKind::Struct, {"re"});
  later.type("re", TypeKind::Ref, {"c"});
  ASSERT_TRUE(later.link());
  EXPECT_EQ(c->type, a->type);
}

TEST(TypeUnifier, RecursionThroughSignatures) {
  Program program;
  BundleMaker maker(program);
  TypeDef* f = maker.functionType("f", TypeKind::Funcref, "s");
  SignatureDef* s = maker.sig("s", {"f"}, {});
  TypeDef* g = maker.functionType("g", TypeKind::Funcref, "t");
  SignatureDef* t = maker.sig("t", {"h"}, {});
  TypeDef* h = maker.functionType("h", TypeKind::Funcref, "u");
  maker.sig("u", {"g"}, {});
  TypeDef* other = maker.functionType("other", TypeKind::Funcref, "v");
  maker.sig("v", {}, {"other"});
  ASSERT_TRUE(maker.link()) << maker.messages();
  EXPECT_EQ(f->type, g->type);
  EXPECT_EQ(f->type, h->type);
  EXPECT_EQ(s->signature, t->signature);
  EXPECT_NE(f->type, other->type);
  EXPECT_EQ(program.types().funcref(s->signature), f->type);
}

TEST(TypeUnifier, AliasesMeanTheirType) {
  Program program;
  BundleMaker maker(program);
  TypeDef* first = maker.alias("first", "second");
  TypeDef* second = maker.alias("second", "i8");
  maker.type("i8", TypeKind::Int, {}, 8);
  ASSERT_TRUE(maker.link());
  EXPECT_EQ(first->type, program.types().intType(8));
  EXPECT_EQ(second->type, program.types().intType(8));
}

TEST(TypeUnifier, AliasCyclesAndSelfContainmentAreErrors) {
  Program program;
  BundleMaker aliases(program);
  aliases.alias("x", "y");
  aliases.alias("y", "x");
  EXPECT_FALSE(aliases.link());
  EXPECT_TRUE(aliases.reported(ErrorId::AliasCycle));
  EXPECT_EQ(aliases.diagnostics().errorTotal(), 1u) << aliases.messages();

  BundleMaker contained(program);
  contained.type("s", TypeKind::Struct, {"t"});
  contained.type("t", TypeKind::Array, {"s"}, 2);
  contained.type("u", TypeKind::Struct, {"ru"});
  contained.type("ru", TypeKind::Ref, {"u"});
  EXPECT_FALSE(contained.link());
  EXPECT_TRUE(contained.reported(ErrorId::TypeContainsItself));
  EXPECT_EQ(contained.diagnostics().errorTotal(), 1u) << contained.messages();
}

TEST(TypeUnifier, TooManyTypesAreAnError) {
  Program program;
  auto define = [&](TypeTable& table, Diagnostics& diagnostics) {
    BundleMaker maker(program);
    for (std::uint64_t bits = 1; bits <= 10; ++bits)
      maker.type("i" + std::to_string(bits), TypeKind::Int, {}, bits);
    TypeUnifier(table, diagnostics).run(maker.builder().bundle());
  };
  TypeTable roomy(10);
  Diagnostics none;
  define(roomy, none);
  EXPECT_FALSE(none.failed());
  EXPECT_EQ(roomy.count(), 10u);
  TypeTable tight(9);
  Diagnostics diagnostics;
  define(tight, diagnostics);
  ASSERT_EQ(diagnostics.list().size(), 1u);
  EXPECT_EQ(diagnostics.list().front().id, ErrorId::TypesTooMany);
  EXPECT_EQ(tight.count(), 0u);
}

TEST(TypeUnifier, DepthIsBoundedByMemoryAlone) {
  Program program;
  Builder builder(program, "deep");
  constexpr Id kDepth = 200'000;
  auto makeChain = [&](TypeKind kind, bool isRing) {
    Id first = program.allocateIds(kDepth);
    TypeDef* outermost = nullptr;
    for (Id i = 0; i < kDepth; ++i) {
      bool isLast = i + 1 == kDepth;
      TypeDef* type = builder.newType(first + i, isLast && !isRing ? TypeKind::Void : kind);
      if (i == 0) outermost = type;
      if (type->kind == TypeKind::Void) continue;
      const Id next[] = {isLast ? first : first + i + 1};
      type->elements = builder.uses<TypeDef>(std::span<const Id>(next));
    }
    return outermost;
  };
  TypeDef* chain = makeChain(TypeKind::Ref, false);
  TypeDef* nest = makeChain(TypeKind::Struct, false);
  TypeDef* ring = makeChain(TypeKind::Iref, true);
  Diagnostics diagnostics;
  link(builder, diagnostics);
  ASSERT_FALSE(diagnostics.failed());
  EXPECT_NE(chain->type, chain->type->referent());
  EXPECT_FALSE(isSsa(nest->type));
  EXPECT_TRUE(isNativeSafe(nest->type));
  EXPECT_EQ(ring->type->referent(), ring->type);
}

TEST(TypeUnifier, LongRingWithOneDifferentMember) {
  Program program;
  constexpr Id kLength = 100'000;
  std::set<const Type*> distinct;
  // The second time it is the known ring, entered at another place.
  for (Id odd : {0u, 5000u}) {
    Builder builder(program, "ring");
    Id first = program.allocateIds(kLength);
    std::vector<TypeDef*> ring;
    for (Id i = 0; i < kLength; ++i) {
      ring.push_back(builder.newType(first + i, i == odd ? TypeKind::Iref : TypeKind::Ref));
      const Id next[] = {first + (i + 1) % kLength};
      ring.back()->elements = builder.uses<TypeDef>(std::span<const Id>(next));
    }
    Diagnostics diagnostics;
    link(builder, diagnostics);
    ASSERT_FALSE(diagnostics.failed());
    for (TypeDef* type : ring) distinct.insert(type->type);
    EXPECT_EQ(distinct.size(), kLength);
  }
}

/// Random graphs in several bundles that refer to each other, against the definition of equality: the
/// coarsest partition in which equal nodes have equal labels and equal children.
struct RandomNode {
  NodeLabel label;
  std::vector<std::size_t> children;
  TypeDef* type = nullptr;
  SignatureDef* signature = nullptr;
  const void* canonical() const {
    return type ? static_cast<const void*>(type->type) : static_cast<const void*>(signature->signature);
  }
};

std::vector<std::size_t> coarsestPartition(const std::vector<RandomNode>& nodes) {
  std::vector<std::size_t> classes(nodes.size(), 0);
  for (std::size_t before = 0;;) {
    std::map<std::vector<std::uint64_t>, std::size_t> byKey;
    std::vector<std::size_t> refined;
    for (const RandomNode& node : nodes) {
      std::vector<std::uint64_t> key{node.label.tag, node.label.split, node.label.length};
      for (std::size_t child : node.children) key.push_back(classes[child]);
      refined.push_back(byKey.emplace(key, byKey.size()).first->second);
    }
    classes = refined;
    if (byKey.size() == before) return classes;
    before = byKey.size();
  }
}

void compareRandomTypes(unsigned seed) {
  std::mt19937 random(seed);
  auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Program program;
  std::vector<RandomNode> nodes;
  std::vector<std::unique_ptr<Builder>> builders;
  for (int bundle = 0; bundle < 3; ++bundle) {
    auto builder = std::make_unique<Builder>(program, "random");
    std::size_t start = nodes.size(), count = 1 + below(14);
    nodes.resize(start + count);
    std::vector<std::size_t> types;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      RandomNode& node = nodes[i];
      if (i >= start) {
        std::size_t shape = below(7);
        Id id = builder->fresh();
        if (shape == 6) {
          node.signature = builder->newSignature(id);
        } else {
          constexpr TypeKind kinds[] = {TypeKind::Int,  TypeKind::Ref,    TypeKind::Ref,
                                        TypeKind::Iref, TypeKind::Struct, TypeKind::Funcref};
          node.type = builder->newType(id, kinds[shape]);
          if (shape == 0) node.type->length = 8;
        }
      }
      if (node.type) types.push_back(i);
    }
    std::vector<std::size_t> signatures;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].signature) signatures.push_back(i);
    for (std::size_t i = start; i < nodes.size(); ++i) {
      RandomNode& node = nodes[i];
      bool isStruct = node.type && node.type->kind == TypeKind::Struct;
      // A struct may hold only what came before it, or pointers: nothing contains itself.
      auto pick = [&]() -> std::size_t {
        std::size_t choice = types[below(types.size())];
        while (isStruct && choice >= i && nodes[choice].type->kind != TypeKind::Ref &&
               nodes[choice].type->kind != TypeKind::Iref)
          choice = below(i + 1) < i ? types[below(types.size())] : types[0];
        return choice;
      };
      if (types.empty() || (isStruct && types[0] >= i)) {
        if (node.type && !(node.type->kind == TypeKind::Int)) {
          node.type->kind = TypeKind::Int;
          node.type->length = 16;
        }
      } else if (node.signature) {
        for (std::size_t k = below(3); k > 0; --k) node.children.push_back(pick());
        node.label.split = static_cast<std::uint32_t>(below(node.children.size() + 1));
      } else if (node.type->kind == TypeKind::Funcref) {
        if (signatures.empty()) {
          node.type->kind = TypeKind::Double;
        } else {
          node.children = {signatures[below(signatures.size())]};
        }
      } else if (node.type->kind != TypeKind::Int) {
        node.children.push_back(pick());
        if (isStruct && below(2) == 0) node.children.push_back(pick());
      }
      node.label.tag = node.signature ? NodeLabel::kSignature : static_cast<std::uint32_t>(node.type->kind);
      node.label.length = node.type ? node.type->length : 0;
      if (node.signature) {
        std::vector<TypeUse> uses;
        for (std::size_t child : node.children) uses.push_back({nodes[child].type, nodes[child].type->id, 0});
        auto all = builder->uses(std::span<const TypeUse>(uses));
        node.signature->parameters = all.first(node.label.split);
        node.signature->results = all.subspan(node.label.split);
      } else if (node.type->kind == TypeKind::Funcref) {
        node.type->signature = {nodes[node.children[0]].signature, nodes[node.children[0]].signature->id, 0};
      } else {
        std::vector<TypeUse> uses;
        for (std::size_t child : node.children) uses.push_back({nodes[child].type, nodes[child].type->id, 0});
        node.type->elements = builder->uses(std::span<const TypeUse>(uses));
      }
    }
    Diagnostics diagnostics;
    link(*builder, diagnostics);
    ASSERT_FALSE(diagnostics.failed()) << render(diagnostics, {"random", ""});
    builders.push_back(std::move(builder));
  }
  auto classes = coarsestPartition(nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      ASSERT_EQ(nodes[i].canonical() == nodes[j].canonical(), classes[i] == classes[j]) << i << " and " << j;
}

TEST(TypeUnifier, RandomTypesAgreeWithTheDefinitionOfEquality) {
  for (unsigned seed = 0; seed < 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    compareRandomTypes(seed);
  }
}

}  // namespace
}  // namespace gaur::ir::test
