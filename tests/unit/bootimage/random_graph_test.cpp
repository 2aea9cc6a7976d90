// Random graphs of objects of random types: what is reached, and each word of it, against a model that knows
// nothing of how a snapshot is made.
#include <random>
#include <set>

#include "tests/unit/bootimage/test_image.h"

namespace gaur::bootimage {
namespace {

using gc::at;
using gc::types;

class RandomGraphs : public SnapshotTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  struct Object {
    char* ref;
    const ir::Type* type;
    std::uint64_t length;
    std::uint64_t bytes() const {
      return gc::layoutOf(type).size +
             length * gc::layoutOf(type).stride * (type->is(TypeKind::Hybrid) ? 1 : 0);
    }
  };

  std::uint64_t below(std::uint64_t n) { return random() % n; }

  const ir::Type* leafType() {
    const ir::Type* all[] = {types().intType(8),
                             types().intType(32),
                             gc::int64(),
                             types().get(TypeKind::Double),
                             types().vectorOf(types().get(TypeKind::Float), 4),
                             gc::anyRef(),
                             gc::anyRef(),
                             pointerTo(TypeKind::Iref, types().intType(8)),
                             gc::weakRef(),
                             gc::tagged(),
                             types().get(TypeKind::Funcref, 0, {}, types().signature({}, {})),
                             anyUptr()};
    return all[below(std::size(all))];
  }
  const ir::Type* memoryType(unsigned depth) {
    switch (depth == 0 ? 0 : below(4)) {
      case 1: {
        std::vector<const ir::Type*> fields(below(5));
        for (const ir::Type*& field : fields) field = memoryType(depth - 1);
        return gc::structOf(fields);
      }
      case 2: return gc::arrayOf(memoryType(depth - 1), below(8) == 0 ? 60 + below(100) : 1 + below(5));
      default: return leafType();
    }
  }
  const ir::Type* objectType() {
    if (below(3) != 0) return memoryType(3);
    std::vector<const ir::Type*> parts(1 + below(3));
    for (const ir::Type*& part : parts) part = memoryType(2);
    return gc::hybridOf(parts);
  }

  template <class F>
  void forEachWordOf(char* memory, const ir::Type* type, std::uint64_t length, F&& f) {
    const WordMaps::ObjectMap& map = maps.of(type);
    auto* base = reinterpret_cast<std::byte*>(memory);
    forEachWord(map.fixed, base, f);
    for (std::uint64_t i = 0; map.variable && i < length; ++i)
      forEachWord(*map.variable, base + map.fixedBytes + i * map.stride, f);
  }

  Object& any() { return objects[below(objects.size())]; }

  void fill(std::uint64_t& word, WordKind kind) {
    Object& target = any();
    std::uint64_t inside = wordOf(target.ref) + below(target.bytes() + 1);
    word = 0;
    if (below(3) == 0) return;
    switch (kind) {
      case WordKind::Ref: word = wordOf(target.ref); break;
      case WordKind::Iref:
        word = below(8) == 0 ? wordOf(space->globals[below(2)].at(below(24))) : inside;
        break;
      case WordKind::Weakref: word = abi::hideWeak(wordOf(target.ref)); break;
      case WordKind::Tagref:
        word = below(2) == 0   ? gc::tag(target.ref) | below(32) << 47 | below(2) << 2
               : below(2) == 0 ? abi::kTagrefIntMask | below(1000) << 1
                               : 0x4004000000000000;
        break;
      case WordKind::Funcref: word = wordOf(&space->functions[below(3)].record); break;
      case WordKind::Uptr:
        word = below(3) == 0   ? 1 + below(4095)
               : below(3) == 0 ? wordOf(space->globals[below(2)].at(8))
                               : inside;
        break;
      default: break;
    }
  }

  void build(std::size_t count) {
    for (int i = 0; i < 3; ++i) space->addFunction();
    for (const char* name : {"a", "b"})
      space->addGlobal(gc::structOf({gc::anyRef(), gc::anyRef(), pointerTo(TypeKind::Iref, gc::int64())}),
                       name);
    for (std::size_t i = 0; i < count; ++i) {
      const ir::Type* type = objectType();
      std::uint64_t length = type->is(TypeKind::Hybrid) ? below(below(10) == 0 ? 1000 : 10) : 0;
      objects.push_back({static_cast<char*>(make(type, length)), type, length});
    }
    for (Object& object : objects) {
      for (std::uint64_t i = 0; i < object.bytes(); ++i) object.ref[i] = static_cast<char>(random());
      forEachWordOf(object.ref, object.type, object.length,
                    [&](std::uint64_t* word, WordKind kind) { fill(*word, kind); });
      byRef.emplace(object.ref, &object);
      if (below(4) == 0) space->pinned.insert(object.ref);
    }
    for (TestSpace::Global& global : space->globals)
      forEachWordOf(static_cast<char*>(global.at(0)), global.type.type, 0,
                    [&](std::uint64_t* word, WordKind kind) { fill(*word, kind); });
  }

  /// The object that the byte belongs to (one past the end counts), by looking at all of them.
  const Object* objectAt(std::uint64_t address) {
    auto next = byRef.upper_bound(reinterpret_cast<char*>(address));
    if (next == byRef.begin()) return nullptr;
    const Object* object = (--next)->second;
    return address <= wordOf(object->ref) + object->bytes() ? object : nullptr;
  }

  /// What a strong reader of the word follows.
  const Object* followed(std::uint64_t word, WordKind kind) {
    if (kind == WordKind::Ref || kind == WordKind::Iref) return objectAt(word);
    if (kind == WordKind::Tagref && abi::tagrefHoldsRef(word)) return objectAt(abi::tagrefAddress(word));
    const Object* object = kind == WordKind::Uptr ? objectAt(word) : nullptr;
    return object && space->pinned.contains(object->ref) ? object : nullptr;
  }

  std::set<const Object*> reachedFrom(Object& root) {
    std::set<const Object*> seen{&root};
    std::vector<const Object*> work{&root};
    auto follow = [&](std::uint64_t* word, WordKind kind) {
      if (const Object* next = followed(*word, kind); next && seen.insert(next).second) work.push_back(next);
    };
    for (TestSpace::Global& global : space->globals)
      forEachWordOf(static_cast<char*>(global.at(0)), global.type.type, 0, follow);
    while (!work.empty()) {
      const Object* object = work.back();
      work.pop_back();
      forEachWordOf(object->ref, object->type, object->length, follow);
    }
    return seen;
  }

  std::uint64_t imageWord(const TestImage& image, std::uint64_t word, WordKind kind,
                          const std::set<const Object*>& reached) {
    if (word == 0) return 0;
    auto moved = [&](std::uint64_t address) -> std::uint64_t {
      for (std::size_t i = 0; i < space->globals.size(); ++i)
        if (address - wordOf(space->globals[i].at(0)) <= 24)
          return TestImage::kDataBase + cellTargets[i].value + (address - wordOf(space->globals[i].at(0)));
      const Object* object = objectAt(address);
      if (!object || !reached.contains(object)) return 0;
      return wordOf(inImage(image, object->ref)) + (address - wordOf(object->ref));
    };
    switch (kind) {
      case WordKind::Weakref: return abi::hideWeak(moved(abi::revealWeak(word)));
      case WordKind::Tagref:
        return abi::tagrefHoldsRef(word) ? (word & ~abi::kTagrefAddressMask) | moved(abi::tagrefAddress(word))
                                         : word;
      case WordKind::Funcref:
        for (std::size_t i = 0; i < snapshot->outside().size(); ++i)
          if (snapshot->outside()[i].thing == reinterpret_cast<abi::FunctionRecord*>(word)->function)
            return TestImage::kDataBase + outsideTargets[i].value;
        return 0;
      case WordKind::Uptr: return moved(word) != 0 ? moved(word) : word;
      default: return moved(word);
    }
  }

  std::mt19937_64 random{GetParam()};
  WordMaps maps;
  std::vector<Object> objects;
  std::map<char*, const Object*> byRef;
};

TEST_P(RandomGraphs, ComeBackWordByWord) {
  gc::CollectionPause pause(*heap);
  build(50 + below(400));
  Object& root = any();
  HeapSnapshot::Options options;
  options.unknownPointers = UnknownPointers::Keep;
  begin(options);
  for (TestSpace::Global& global : space->globals) addCell(global);
  snapshot->addObject(root.ref, "root");
  auto outcome = finish();
  ASSERT_TRUE(outcome) << outcome.error().message;
  std::set<const Object*> reached = reachedFrom(root);
  EXPECT_EQ(snapshot->objectCount(), reached.size());
  TestImage image(*snapshot, GetParam() % 2 * 0x7'0000'0000);
  for (const Object* object : reached) {
    ASSERT_TRUE(isKept(object->ref));
    char* copy = inImage(image, object->ref);
    ASSERT_EQ(abi::ObjectHeader::of(copy).bits(), abi::ObjectHeader::of(object->ref).bits());
    ASSERT_EQ(wordOf(copy) % gc::layoutOf(object->type).alignment, 0u);
    std::vector<char> expected(object->ref, object->ref + object->bytes());
    forEachWordOf(object->ref, object->type, object->length, [&](std::uint64_t* word, WordKind kind) {
      std::uint64_t wanted = imageWord(image, *word, kind, reached);
      std::memcpy(expected.data() + (reinterpret_cast<char*>(word) - object->ref), &wanted, sizeof wanted);
      EXPECT_EQ(
          at<std::uint64_t>(copy, static_cast<std::uint64_t>(reinterpret_cast<char*>(word) - object->ref)),
          wanted)
          << text(kind) << std::hex << *word;
    });
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), copy));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraphs, ::testing::Range(1u, 41u));

}  // namespace
}  // namespace gaur::bootimage
