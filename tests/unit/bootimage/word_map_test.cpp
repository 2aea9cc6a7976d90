#include "bootimage/word_map.h"

#include <gtest/gtest.h>

#include "tests/unit/bootimage/test_image.h"

namespace gaur::bootimage {
namespace {

using gc::anyRef;
using gc::arrayOf;
using gc::hybridOf;
using gc::int64;
using gc::layoutOf;
using gc::structOf;
using gc::tagged;
using gc::types;
using gc::weakRef;

std::vector<std::pair<std::uint64_t, WordKind>> wordsOf(const WordMap& map) {
  std::vector<std::pair<std::uint64_t, WordKind>> words;
  const auto* base = reinterpret_cast<const std::byte*>(std::uintptr_t{0x1000});
  forEachWord(map, base, [&](const std::uint64_t* word, WordKind kind) {
    words.push_back({reinterpret_cast<std::uintptr_t>(word) - 0x1000, kind});
  });
  return words;
}

const ir::Type* functionType(TypeKind kind) { return types().get(kind, 0, {}, types().signature({}, {})); }

TEST(WordMap, EveryKind) {
  WordMaps maps;
  const std::pair<const ir::Type*, WordKind> kinds[] = {
      {anyRef(), WordKind::Ref},
      {pointerTo(TypeKind::Iref, int64()), WordKind::Iref},
      {weakRef(), WordKind::Weakref},
      {tagged(), WordKind::Tagref},
      {functionType(TypeKind::Funcref), WordKind::Funcref},
      {anyUptr(), WordKind::Uptr},
      {functionType(TypeKind::Ufuncptr), WordKind::Ufuncptr},
      {types().get(TypeKind::Stackref), WordKind::Stackref},
      {types().get(TypeKind::Threadref), WordKind::Opaque},
      {types().get(TypeKind::Framecursorref), WordKind::Opaque},
      {types().get(TypeKind::Irbuilderref), WordKind::Opaque},
  };
  std::vector<const ir::Type*> all;
  for (auto [type, kind] : kinds) {
    EXPECT_EQ(wordsOf(maps.of(type).fixed), (std::vector<std::pair<std::uint64_t, WordKind>>{{0, kind}}));
    all.push_back(type);
    all.push_back(types().intType(8));
  }
  auto words = wordsOf(maps.of(structOf(all)).fixed);
  ASSERT_EQ(words.size(), std::size(kinds));
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i], std::make_pair(16 * i, kinds[i].second));
  EXPECT_TRUE(maps.of(structOf({int64(), types().get(TypeKind::Double)})).isEmpty());
}

TEST(WordMap, SequencesAndHybrids) {
  WordMaps maps;
  const ir::Type* pair = structOf({types().intType(32), anyUptr()});
  for (std::uint64_t length : {1, 3, 64, 65, 1000}) {
    auto words = wordsOf(maps.of(structOf({anyRef(), arrayOf(pair, length)})).fixed);
    ASSERT_EQ(words.size(), length + 1);
    for (std::uint64_t i = 0; i < length; ++i)
      EXPECT_EQ(words[i + 1], std::make_pair(8 + 16 * i + 8, WordKind::Uptr));
  }
  EXPECT_EQ(wordsOf(maps.of(arrayOf(arrayOf(tagged(), 100), 100)).fixed).size(), 10000u);
  const auto& hybrid = maps.of(hybridOf({int64(), anyRef(), pair}));
  EXPECT_EQ(wordsOf(hybrid.fixed), (std::vector<std::pair<std::uint64_t, WordKind>>{{8, WordKind::Ref}}));
  EXPECT_EQ(wordsOf(*hybrid.variable),
            (std::vector<std::pair<std::uint64_t, WordKind>>{{8, WordKind::Uptr}}));
  EXPECT_EQ(hybrid.stride, 16u);
}

TEST(WordMap, HasEverySlotOfTheCollector) {
  WordMaps maps;
  const ir::Type* pair = structOf({types().intType(8), weakRef()});
  for (const ir::Type* type :
       {structOf({anyRef(), tagged(), arrayOf(pair, 5)}), arrayOf(pair, 700),
        arrayOf(arrayOf(structOf({tagged(), anyRef()}), 9), 30),
        structOf({arrayOf(types().get(TypeKind::Threadref), 2), pointerTo(TypeKind::Iref, pair)})}) {
    std::set<std::uint64_t> words;
    for (auto [offset, kind] : wordsOf(maps.of(type).fixed)) words.insert(offset);
    std::size_t slots = 0;
    abi::forEachSlot(layoutOf(type).map, 0x1000, [&](std::uint64_t* slot, abi::SlotKind) {
      ++slots;
      EXPECT_TRUE(words.contains(reinterpret_cast<std::uintptr_t>(slot) - 0x1000)) << ir::toString(type);
    });
    EXPECT_EQ(slots, words.size());
  }
}

TEST(WordMap, FieldPaths) {
  const ir::Type* pair = structOf({types().intType(32), anyUptr()});
  const ir::Type* type = structOf({int64(), arrayOf(pair, 10), anyRef()});
  EXPECT_EQ(fieldPath(type, 0), ".0");
  EXPECT_EQ(fieldPath(type, 8 + 3 * 16 + 8), ".1[3].1");
  EXPECT_EQ(fieldPath(type, 8 + 160), ".2");
  const ir::Type* hybrid = hybridOf({int64(), pair});
  EXPECT_EQ(fieldPath(hybrid, 8 + 16 * 7 + 8), "[7].1");
  EXPECT_EQ(fieldPath(hybrid, 0), ".0");
  EXPECT_EQ(fieldPath(anyRef(), 0), "");
}

}  // namespace
}  // namespace gaur::bootimage
