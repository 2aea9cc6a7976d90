// Graphs of objects come back from a snapshot as they were, at the addresses of the file and elsewhere.
#include <gmock/gmock.h>

#include "tests/unit/bootimage/test_image.h"

namespace gaur::bootimage {
namespace {

using gc::anyRef;
using gc::arrayOf;
using gc::at;
using gc::hybridOf;
using gc::int64;
using gc::structOf;
using gc::tagged;
using gc::types;
using gc::weakRef;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kDistance = 0x10'0000'0000;

const ir::Type* iref() { return pointerTo(TypeKind::Iref, int64()); }

TEST(Relocation, WordsOfEveryFormMove) {
  constexpr std::uint64_t kFar = 0x50'0000'0000;
  const std::uint64_t object = kPreferredHeap + 0x808;
  EXPECT_EQ(moved(object, kFar), object + kFar);
  EXPECT_EQ(addressIn(object), object);
  EXPECT_EQ(moved(abi::hideWeak(object), kFar), abi::hideWeak(object + kFar));
  EXPECT_EQ(addressIn(abi::hideWeak(object)), object);
  for (std::uint64_t tag : {0, 1, 0x3f, 0x2a}) {
    auto tagged = [&](std::uint64_t address) {
      return abi::kTagrefRefBits | address | (tag & 1) << abi::kTagrefTagLowShift |
             (tag & abi::kTagrefTagHighMask) << abi::kTagrefTagHighShift;
    };
    EXPECT_EQ(moved(tagged(object), kFar), tagged(object + kFar));
    EXPECT_EQ(moved(tagged(object + kFar), -kFar), tagged(object));
    EXPECT_EQ(addressIn(tagged(object)), object);
  }
}

TEST_F(SnapshotTest, ReferencesOfEveryKind) {
  const ir::Type* leaf = structOf({int64(), int64()});
  const ir::Type* wide = hybridOf({int64(), types().vectorOf(types().get(TypeKind::Float), 4)});
  const ir::Type* node = structOf({anyRef(), iref(), weakRef(), tagged(), anyRef(), tagged(), tagged()});
  for (std::uint64_t distance : {std::uint64_t{0}, kDistance}) {
    cellNumbers.clear();
    cellTargets.clear();
    void* target = make(leaf);
    at<std::uint64_t>(target, 8) = 4711;
    void* vectors = make(wide, 3);
    at<float>(vectors, 16 + 16 + 4) = 1.5f;
    void* object = make(node);
    at<void*>(object, 0) = target;
    at<std::uint64_t>(object, 8) = wordOf(target) + 8;
    at<std::uint64_t>(object, 16) = abi::hideWeak(wordOf(vectors));
    at<std::uint64_t>(object, 24) = gc::tag(target) | std::uint64_t{1} << 47 | 4;
    at<void*>(object, 32) = vectors;
    at<double>(object, 40) = 2.5;
    at<std::uint64_t>(object, 48) = abi::kTagrefIntMask | 42 << 1;
    begin();
    snapshot->addObject(object, "object");
    auto outcome = finish();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(snapshot->objectCount(), 3u);
    TestImage image(*snapshot, distance);
    char* copy = inImage(image, object);
    char* newTarget = at<char*>(copy, 0);
    EXPECT_EQ(newTarget, inImage(image, target));
    EXPECT_EQ(abi::ObjectHeader::of(newTarget).bits(), abi::ObjectHeader::of(target).bits());
    EXPECT_EQ(at<std::uint64_t>(newTarget, 8), 4711u);
    EXPECT_EQ(at<char*>(copy, 8), newTarget + 8);
    EXPECT_EQ(abi::revealWeak(at<std::uint64_t>(copy, 16)), wordOf(at<char*>(copy, 32)));
    EXPECT_EQ(abi::tagrefAddress(at<std::uint64_t>(copy, 24)), wordOf(newTarget));
    EXPECT_EQ(at<std::uint64_t>(copy, 24) & ~abi::kTagrefAddressMask,
              abi::kTagrefRefBits | std::uint64_t{1} << 47 | 4);
    char* newVectors = at<char*>(copy, 32);
    EXPECT_EQ(wordOf(newVectors) % 16, 0u);
    EXPECT_EQ(at<float>(newVectors, 16 + 16 + 4), 1.5f);
    EXPECT_EQ(abi::ObjectHeader::of(newVectors).length(), 3u);
    EXPECT_EQ(at<double>(copy, 40), 2.5);
    EXPECT_EQ(at<std::uint64_t>(copy, 48), abi::kTagrefIntMask | 42 << 1);
  }
}

TEST_F(SnapshotTest, OnlyWhatIsReached) {
  const ir::Type* node = structOf({anyRef(), weakRef(), weakRef()});
  void* kept = make(int64());
  void* weaklyKept = make(int64());
  void* object = make(node);
  at<void*>(object, 0) = kept;
  at<std::uint64_t>(object, 8) = abi::hideWeak(wordOf(weaklyKept));
  at<std::uint64_t>(object, 16) = abi::hideWeak(wordOf(kept));
  begin();
  snapshot->addObject(object, "object");
  ASSERT_TRUE(finish());
  EXPECT_TRUE(isKept(kept));
  EXPECT_FALSE(isKept(weaklyKept));
  TestImage image(*snapshot);
  char* copy = inImage(image, object);
  EXPECT_EQ(at<std::uint64_t>(copy, 8), 0u);
  EXPECT_EQ(at<std::uint64_t>(copy, 16), abi::hideWeak(wordOf(inImage(image, kept))));
  // The running heap is as it was.
  EXPECT_EQ(at<void*>(object, 0), kept);
  EXPECT_EQ(at<std::uint64_t>(object, 8), abi::hideWeak(wordOf(weaklyKept)));
}

TEST_F(SnapshotTest, InteriorReferences) {
  const ir::Type* array = arrayOf(int64(), 5);
  const ir::Type* large = arrayOf(int64(), 1000);
  const ir::Type* hybrid = hybridOf({int64(), int64()});
  std::vector<std::pair<void*, std::uint64_t>> targets;
  for (std::uint64_t i = 0; i <= 5; ++i) targets.push_back({make(array), 8 * i});
  for (std::uint64_t i : {0, 1, 511, 512, 1000}) targets.push_back({make(large), 8 * i});
  for (std::uint64_t i : {0, 1, 8, 9}) targets.push_back({make(hybrid, 8), 8 * i});
  void* object = make(hybridOf({iref()}), targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i)
    at<std::uint64_t>(object, 8 * i) = wordOf(targets[i].first) + targets[i].second;
  begin();
  snapshot->addObject(object, "object");
  auto outcome = finish();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(snapshot->objectCount(), targets.size() + 1);
  TestImage image(*snapshot);
  for (std::size_t i = 0; i < targets.size(); ++i)
    EXPECT_EQ(at<char*>(inImage(image, object), 8 * i), inImage(image, targets[i].first) + targets[i].second)
        << i;
}

TEST_F(SnapshotTest, CellsFunctionsAndInteriorsOfCells) {
  const ir::Type* funcref = types().get(TypeKind::Funcref, 0, {}, types().signature({}, {}));
  TestSpace::Func& f = space->addFunction();
  TestSpace::Func& g = space->addFunction();
  TestSpace::Global& first = space->addGlobal(structOf({anyRef(), iref(), funcref}), "first");
  TestSpace::Global& second = space->addGlobal(structOf({int64(), int64(), weakRef()}), "second");
  void* object = make(structOf({iref(), funcref, funcref}));
  at<void*>(first.at(0), 0) = object;
  at<void*>(first.at(8), 0) = second.at(8);
  at<void*>(first.at(16), 0) = &f.record;
  at<std::uint64_t>(second.at(8), 0) = 99;
  at<std::uint64_t>(second.at(16), 0) = abi::hideWeak(wordOf(object));
  at<void*>(object, 0) = first.at(8);
  at<void*>(object, 8) = &g.record;
  at<void*>(object, 16) = &f.record;
  begin();
  addCell(first);
  auto outcome = finish();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(snapshot->outside().size(), 4u);  // second, f, first, g
  ASSERT_EQ(cellTargets.size(), 2u);
  TestImage image(*snapshot);
  auto word = [&](std::size_t cell, std::uint64_t offset) {
    std::uint64_t value;
    std::memcpy(&value, snapshot->cellBytes(cell).data() + offset, sizeof value);
    return value;
  };
  auto data = [&](const void* thing) {
    for (std::size_t i = 0; i < snapshot->outside().size(); ++i)
      if (snapshot->outside()[i].thing == thing) return TestImage::kDataBase + outsideTargets[i].value;
    return std::uint64_t{0};
  };
  char* copy = inImage(image, object);
  EXPECT_EQ(word(0, 0), wordOf(copy));
  EXPECT_EQ(word(0, 8), TestImage::kDataBase + cellTargets[1].value + 8);
  EXPECT_EQ(word(0, 16), data(&f.function));
  EXPECT_EQ(word(1, 8), 99u);
  EXPECT_EQ(word(1, 16), abi::hideWeak(wordOf(copy)));
  EXPECT_EQ(at<std::uint64_t>(copy, 0), TestImage::kDataBase + cellTargets[0].value + 8);
  EXPECT_EQ(at<std::uint64_t>(copy, 8), data(&g.function));
  EXPECT_EQ(at<std::uint64_t>(copy, 16), data(&f.function));
  std::uint64_t second0 = cellTargets[1].value;
  EXPECT_THAT(
      std::vector<std::uint64_t>(snapshot->dataRelocations().begin(), snapshot->dataRelocations().end()),
      ::testing::ElementsAre(0, 8, 16, second0 + 16));
  EXPECT_EQ(snapshot->targetOf(wordOf(second.at(8))), (Target{Target::Kind::Data, second0 + 8}));
}

TEST_F(SnapshotTest, RawPointers) {
  TestSpace::Global& global = space->addGlobal(structOf({int64(), int64()}), "global");
  void* pinned = make(int64());
  void* referred = make(int64());
  void* other = make(int64());
  space->pinned.insert(pinned);
  void* object = make(structOf({anyUptr(), anyUptr(), anyUptr(), anyUptr(), anyRef(), anyUptr(), anyUptr()}));
  at<void*>(object, 0) = pinned;
  at<std::uint64_t>(object, 8) = wordOf(referred) + 8;
  at<void*>(object, 16) = other;
  at<void*>(object, 24) = global.at(8);
  at<void*>(object, 32) = referred;
  at<std::uint64_t>(object, 40) = 0x1234;
  using enum UnknownPointers;
  for (UnknownPointers unknown : {Keep, Warn, Error, Null}) {
    cellNumbers.clear();
    cellTargets.clear();
    outsideTargets.clear();
    begin({unknown});
    snapshot->addObject(object, "root");
    auto outcome = finish();
    ASSERT_EQ(static_cast<bool>(outcome), unknown != Error);
    EXPECT_TRUE(isKept(pinned));
    EXPECT_FALSE(isKept(other));
    if (unknown == Error) {
      EXPECT_THAT(outcome.error().message, HasSubstr("root.5 is the uptr 0x1234"));
      EXPECT_THAT(outcome.error().message, HasSubstr("root.2 is the uptr"));
      EXPECT_THAT(outcome.error().message, HasSubstr("2 raw pointers"));
      continue;
    }
    EXPECT_EQ(outcome->warnings.size(), unknown == Warn ? 2u : 0u);
    TestImage image(*snapshot);
    char* copy = inImage(image, object);
    EXPECT_EQ(at<char*>(copy, 0), inImage(image, pinned));
    EXPECT_EQ(at<char*>(copy, 8), inImage(image, referred) + 8);
    EXPECT_EQ(at<void*>(copy, 16), unknown == Null ? nullptr : other);
    EXPECT_EQ(at<std::uint64_t>(copy, 24), TestImage::kDataBase + cellTargets[0].value + 8);
    EXPECT_EQ(at<std::uint64_t>(copy, 40), unknown == Null ? 0u : 0x1234u);
  }
}

TEST_F(SnapshotTest, FieldsThatGetSymbols) {
  TestSpace::Global& global = space->addGlobal(structOf({int64(), anyUptr()}), "global");
  void* unreached = make(anyUptr());
  void* pinned = make(int64());
  space->pinned.insert(pinned);
  void* object = make(structOf({anyUptr(), anyUptr(), anyUptr()}));
  at<std::uint64_t>(object, 0) = 0x1234;
  at<void*>(object, 8) = pinned;
  at<void*>(global.at(8), 0) = pinned;
  begin({UnknownPointers::Error});
  addCell(global);
  snapshot->addObject(object, "root");
  auto outcome = finish({{wordOf(unreached), "unreached", 0, false, ""},
                         {wordOf(object) + 16, "third", 5, false, ""},
                         {wordOf(object), "first", 0, true, ""},
                         {wordOf(global.at(8)), "replaced", 7, true, ""},
                         {wordOf(object) + 8, "second", 0, false, ""},
                         {wordOf(global.at(8)), "cell", -3, false, ""}});
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_EQ(outcome->symbols.size(), 4u);
  std::uint64_t offset = snapshot->targetOf(wordOf(object))->value;
  const std::uint32_t symbols[] = {2, 4, 1, 5};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outcome->symbols[i].symbol, symbols[i]);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(outcome->symbols[i].place, (Place{Section::Heap, offset + 8 * i}));
  EXPECT_EQ(outcome->symbols[3].place, (Place{Section::Data, cellTargets[0].value + 8}));
  EXPECT_TRUE(outcome->symbols[0].isWeak);
  EXPECT_EQ(outcome->symbols[2].addend, 5);
  EXPECT_EQ(outcome->symbols[3].addend, -3);
  EXPECT_TRUE(snapshot->dataRelocations().empty());
  for (std::uint64_t bits : snapshot->heapRelocations()) EXPECT_EQ(bits, 0u);
  TestImage image(*snapshot);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(at<std::uint64_t>(inImage(image, object), 8 * i), 0u);
}

TEST_F(SnapshotTest, WhatNoImageHoldsIsNamed) {
  const ir::Type* threadref = types().get(TypeKind::Threadref);
  const ir::Type* node = structOf({int64(), anyRef(), arrayOf(iref(), 3), threadref});
  TestSpace::Global& global = space->addGlobal(structOf({int64(), anyRef()}), "table");
  void* last = make(node);
  std::uint64_t onStack = 0;
  at<void*>(last, 16 + 16) = &onStack;
  at<void*>(last, 40) = thread->makeRuntimeObject<abi::ThreadObject>(abi::kThreadObjectType);
  void* chain = last;
  for (int i = 0; i < 2; ++i) {
    void* before = make(node);
    at<void*>(before, 8) = chain;
    chain = before;
  }
  at<void*>(global.at(8), 0) = chain;
  begin();
  addCell(global);
  auto outcome = finish();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().id, ErrorId::ImageReference);
  EXPECT_THAT(outcome.error().message, HasSubstr("2 words"));
  EXPECT_THAT(outcome.error().message, HasSubstr("@table.1 -> .1 -> .1 -> .2[2] is the iref"));
  EXPECT_THAT(outcome.error().message, HasSubstr("@table.1 -> .1 -> .1 -> .3 is the opaque reference"));
}

TEST_F(SnapshotTest, PathsAreShortAndLongOnesAreCut) {
  const ir::Type* node = structOf({anyRef(), types().get(TypeKind::Threadref)});
  void* last = make(node);
  at<std::uint64_t>(last, 8) = 8;
  void* chain = last;
  for (int i = 0; i < 1000; ++i) {
    void* before = make(node);
    at<void*>(before, 0) = chain;
    chain = before;
  }
  begin();
  snapshot->addObject(chain, "chain");
  auto outcome = finish();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(
      outcome.error().message,
      HasSubstr(
          "chain.0 -> .0 -> .0 -> .0 -> .0 -> .0 -> ... (989 more) -> .0 -> .0 -> .0 -> .0 -> .0 -> .1 is"));
  void* shortcut = make(structOf({anyRef(), anyRef()}));
  at<void*>(shortcut, 0) = chain;
  at<void*>(shortcut, 8) = last;
  begin();
  snapshot->addObject(shortcut, "shortcut");
  auto again = finish();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("shortcut.1 -> .1 is"));
}

TEST_F(SnapshotTest, StacksThatNoThreadIsOn) {
  const ir::Type* stackref = types().get(TypeKind::Stackref);
  auto makeStack = [&] { return thread->makeRuntimeObject<abi::StackObject>(abi::kStackObjectType); };
  std::uint64_t memory[2] = {};
  auto *ready = makeStack(), *dead = makeStack(), *bound = makeStack();
  ready->cookie = 7;
  bound->stack = memory;
  void* object = make(structOf({stackref, stackref, stackref}));
  at<void*>(object, 0) = bound;
  begin();
  snapshot->addObject(object, "object");
  auto outcome = finish();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("object.0 is the stackref"));
  at<void*>(object, 0) = at<void*>(object, 8) = ready;
  at<void*>(object, 16) = dead;
  // As long as the collector does not look at it.
  gc::CollectionPause pause(*heap);
  ready->savedPointer = memory;
  begin();
  snapshot->addObject(object, "object");
  ASSERT_TRUE(finish());
  ready->savedPointer = nullptr;
  ASSERT_EQ(snapshot->stacks().size(), 1u);
  EXPECT_EQ(snapshot->stacks()[0], ready);
  TestImage image(*snapshot);
  char* copies = inImage(image, object);
  EXPECT_EQ(at<char*>(copies, 0), inImage(image, ready));
  EXPECT_EQ(at<char*>(copies, 8), inImage(image, ready));
  EXPECT_EQ(at<char*>(copies, 16), inImage(image, dead));
  for (std::size_t offset : {0, 16}) {
    auto* copy = at<abi::StackObject*>(copies, offset);
    EXPECT_EQ(copy->cookie, 0u);
    EXPECT_EQ(copy->savedPointer, nullptr);
    EXPECT_EQ(abi::ObjectHeader::of(copy).typeIndex(), abi::kStackObjectType);
  }
}

TEST_F(SnapshotTest, DeepAndWideGraphs) {
  constexpr std::uint64_t kMany = 200'000;
  const ir::Type* node = structOf({anyRef(), int64()});
  void* list = nullptr;
  void* array = make(hybridOf({int64(), anyRef()}), kMany);
  at<std::uint64_t>(array, 0) = 1;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    void* next = make(node);
    at<void*>(next, 0) = list;
    at<std::uint64_t>(next, 8) = i;
    at<void*>(array, 8 + 8 * (kMany - 1 - i)) = list = next;
  }
  for (void* root : {list, array}) {
    gc::CollectionPause pause(*heap);
    begin();
    snapshot->addObject(root, "root");
    ASSERT_TRUE(finish());
    EXPECT_EQ(snapshot->objectCount(), kMany + (root == array));
    TestImage image(*snapshot);
    char* copy = inImage(image, list);
    for (std::uint64_t i = kMany; i-- > 0; copy = at<char*>(copy, 0)) {
      ASSERT_EQ(at<std::uint64_t>(copy, 8), i);
      if (root == array) {
        ASSERT_EQ(at<char*>(inImage(image, array), 8 + 8 * (kMany - 1 - i)), copy);
      }
    }
    EXPECT_EQ(copy, nullptr);
    // Every page knows the block that holds its first byte.
    gc::ImmortalRange range = image.range();
    std::uintptr_t block = range.begin;
    for (std::size_t page = 0; page < snapshot->firstBlocks().size(); ++page) {
      std::uintptr_t byte = range.begin + page * gc::ImmortalRange::kPageBytes;
      for (;;) {
        std::uint64_t payload = 0;
        abi::ObjectHeader header(*reinterpret_cast<std::uint64_t*>(block));
        ASSERT_TRUE(abi::LayoutTable::shared().byIndex(header.typeIndex()).payload(header.length(), payload));
        std::uintptr_t next = block + abi::blockBytes(payload, header.isWide());
        if (next > byte) break;
        block = next;
      }
      ASSERT_EQ(snapshot->firstBlocks()[page] * abi::kGranule, block - range.begin);
    }
  }
}

TEST_F(SnapshotTest, AnImageOfAnImageIsTheSame) {
  const ir::Type* node = structOf({anyRef(), anyUptr(), weakRef(), iref(), tagged()});
  std::vector<void*> nodes;
  for (int i = 0; i < 1000; ++i) nodes.push_back(make(node));
  std::uint64_t random = 1;
  auto any = [&] {
    random = random * 6364136223846793005 + 1442695040888963407;
    return nodes[random >> 33 & 511];
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    at<void*>(nodes[i], 0) = any();
    at<void*>(nodes[i], 8) = any();
    at<std::uint64_t>(nodes[i], 16) = abi::hideWeak(wordOf(any()));
    at<std::uint64_t>(nodes[i], 24) = wordOf(any()) + 16;
    at<std::uint64_t>(nodes[i], 32) = gc::tag(any());
    space->pinned.insert(nodes[i]);
  }
  begin();
  snapshot->addObject(nodes[999], "root");
  ASSERT_TRUE(finish());
  std::unique_ptr<HeapSnapshot> first = std::move(snapshot);
  TestImage image(*first);
  heap->addImmortal(image.range());
  begin();
  snapshot->addObject(image.at(*first->targetOf(wordOf(nodes[999]))), "root");
  auto outcome = finish();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->warnings.empty());
  EXPECT_EQ(snapshot->objectCount(), first->objectCount());
  ASSERT_EQ(snapshot->heap().size(), first->heap().size());
  EXPECT_EQ(std::memcmp(snapshot->heap().data(), first->heap().data(), first->heap().size()), 0);
  thread.reset();
  heap.reset();  // before the image's memory goes
}

}  // namespace
}  // namespace gaur::bootimage
