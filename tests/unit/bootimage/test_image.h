// Heaps, cells and functions of tests as a snapshot sees them, and snapshots mapped back as a process would
// that starts from an image.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <set>

#include "bootimage/heap_snapshot.h"
#include "tests/unit/gc/test_heap.h"
#include "vm/abi/function_record.h"
#include "vm/ir/entity.h"

namespace gaur::bootimage {

using ir::TypeKind;

inline const ir::Type* pointerTo(TypeKind kind, const ir::Type* to) {
  return gc::types().pointerLike(kind, to);
}
inline const ir::Type* anyUptr() { return gc::types().uptr(gc::types().voidType()); }

/// Knows a heap and what tests make beside it.
class TestSpace final : public AddressSpace {
 public:
  explicit TestSpace(gc::Heap& heap) : heap_(heap) {}

  struct Global {
    ir::TypeDef type;
    ir::GlobalCell cell;
    std::vector<std::uint64_t> memory;
    void* at(std::uint64_t offset) { return reinterpret_cast<char*>(memory.data()) + offset; }
  };
  struct Func {
    ir::Function function;
    abi::FunctionRecord record;
  };

  Global& addGlobal(const ir::Type* type, const char* name) {
    Global& made = globals.emplace_back();
    made.type.type = type;
    made.cell.entityKind = ir::EntityKind::Global;
    made.cell.nameText = name;
    made.cell.nameLength = static_cast<std::uint32_t>(std::strlen(name));
    made.cell.cellType.target = &made.type;
    made.memory.resize(gc::layoutOf(type).size / 8 + 2);
    return made;
  }
  Func& addFunction() {
    Func& made = functions.emplace_back();
    made.function.entityKind = ir::EntityKind::Function;
    made.record = {nullptr, &made.function, 0, 0, nullptr};
    return made;
  }

  Location locate(std::uintptr_t address) override {
    ++calls;
    for (Global& global : globals) {
      auto begin = reinterpret_cast<std::uintptr_t>(global.memory.data());
      if (address - begin <= gc::layoutOf(global.type.type).size)
        return {Location::Kind::Cell, false, &global.cell, address - begin};
    }
    for (Func& func : functions)
      if (address == reinterpret_cast<std::uintptr_t>(&func.record))
        return {Location::Kind::Function, false, &func.function, 0};
    if (void* object = heap_.objectContaining(address))
      return {Location::Kind::Object, heap_.isImmortal(object) || pinned.contains(object), object,
              address - reinterpret_cast<std::uintptr_t>(object)};
    return {};
  }

  std::deque<Global> globals;
  std::deque<Func> functions;
  std::set<const void*> pinned;
  std::uint64_t calls = 0;

 private:
  gc::Heap& heap_;
};

/// Changes the words that have a bit set for an image whose heap lies `distance` bytes further up: bit 0 of
/// bits[0] is for words[0], and so on.
inline void displace(std::span<std::uint64_t> words, std::span<const std::uint64_t> bits,
                     std::uint64_t distance) {
  const std::uint64_t heapBytes = words.size_bytes();
  for (std::size_t i = 0; i < bits.size(); ++i)
    for (std::uint64_t rest = bits[i]; rest != 0; rest &= rest - 1) {
      std::uint64_t& word = words[i * 64 + static_cast<std::size_t>(std::countr_zero(rest))];
      if (addressIn(word) - kPreferredHeap <= heapBytes) word = moved(word, distance);
    }
}

/// A finished snapshot in memory, at the addresses of the file or elsewhere: the heap as a private mapping of
/// a file, the cells copied.
class TestImage {
 public:
  static constexpr std::uint64_t kDataBase = kPreferredSlab + 0x10000;
  static constexpr std::uint64_t kFunctionsAt = 0x100000;

  /// Everything that words refer to gets a place: cells one after another, functions 32 bytes apart.
  static HeapSnapshot::Targets targets(const HeapSnapshot& snapshot, std::size_t cells,
                                       std::vector<Target>& outside, std::vector<Target>& cellTargets,
                                       const std::map<const void*, std::size_t>& cellNumbers) {
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < cells; ++i) {
      cellTargets.push_back({Target::Kind::Data, offset});
      offset += (snapshot.cellBytes(i).size() + 31) / 16 * 16;
    }
    std::size_t functions = 0;
    for (const Outside& thing : snapshot.outside()) {
      if (thing.kind == Location::Kind::Cell) {
        outside.push_back(cellTargets[cellNumbers.at(thing.thing)]);
      } else {
        outside.push_back({Target::Kind::Data, kFunctionsAt + 32 * functions++});
      }
    }
    return {{kPreferredHeap, kDataBase, kPreferredSlab + 0x4000'0000}, outside, cellTargets};
  }

  /// At its place, or `distance` bytes further up with its words moved.
  explicit TestImage(const HeapSnapshot& snapshot, std::uint64_t distance = 0)
      : bytes_(pages(snapshot.heap().size())) {
    int file = memfd_create("image", MFD_CLOEXEC);
    EXPECT_EQ(ftruncate(file, static_cast<off_t>(bytes_)), 0);
    auto* shared =
        static_cast<std::uint64_t*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    EXPECT_NE(shared, MAP_FAILED);
    std::memcpy(shared, snapshot.heap().data(), snapshot.heap().size());
    displace({shared, snapshot.heap().size() / 8}, snapshot.heapRelocations(), distance);
    munmap(shared, bytes_);
    begin_ = static_cast<char*>(mmap(reinterpret_cast<void*>(kPreferredHeap + distance), bytes_,
                                     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0));
    EXPECT_NE(begin_, MAP_FAILED);
    close(file);
    firstBlocks_.assign(snapshot.firstBlocks().begin(), snapshot.firstBlocks().end());
    used_ = snapshot.heap().size();
  }
  ~TestImage() { munmap(begin_, bytes_); }
  TestImage(const TestImage&) = delete;
  TestImage& operator=(const TestImage&) = delete;

  char* at(Target target) const { return begin_ + target.value; }
  gc::ImmortalRange range() const {
    auto begin = reinterpret_cast<std::uintptr_t>(begin_);
    return {begin, begin + used_, firstBlocks_.data()};
  }

 private:
  static std::size_t pages(std::size_t bytes) {
    return (std::max<std::size_t>(bytes, 1) + 4095) / 4096 * 4096;
  }
  std::size_t bytes_;
  std::size_t used_ = 0;
  char* begin_ = nullptr;
  std::vector<std::uint32_t> firstBlocks_;
};

class SnapshotTest : public gc::HeapTest {
 protected:
  void SetUp() override {
    gc::HeapTest::SetUp();
    space = std::make_unique<TestSpace>(*heap);
  }
  void TearDown() override {
    snapshot.reset();
    space.reset();
    gc::HeapTest::TearDown();
  }

  void begin(HeapSnapshot::Options options = {}) {
    snapshot = std::make_unique<HeapSnapshot>(*space, options);
  }
  void addCell(TestSpace::Global& global) {
    cellNumbers.emplace(&global.cell, cellNumbers.size());
    snapshot->addCell(global.cell, global.memory.data());
  }
  Result<HeapSnapshot::Outcome> finish(std::vector<runtime::PointerRelocation> relocations = {}) {
    snapshot->trace();
    for (std::size_t i = 0; i < snapshot->outside().size(); ++i) {
      const Outside& thing = snapshot->outside()[i];
      if (thing.kind != Location::Kind::Cell || cellNumbers.contains(thing.thing)) continue;
      for (TestSpace::Global& global : space->globals)
        if (&global.cell == thing.thing) addCell(global);
      snapshot->trace();
    }
    return snapshot->finish(
        TestImage::targets(*snapshot, cellNumbers.size(), outsideTargets, cellTargets, cellNumbers),
        relocations);
  }
  void* make(const ir::Type* type, std::uint64_t length = 0) { return thread->make(type, length); }
  static std::uint64_t wordOf(const void* address) { return reinterpret_cast<std::uint64_t>(address); }
  /// Where an address of the test lies in the mapped image.
  char* inImage(const TestImage& image, const void* address) {
    return image.at(*snapshot->targetOf(wordOf(address)));
  }
  bool isKept(const void* ref) { return snapshot->targetOf(wordOf(ref)).has_value(); }

  std::unique_ptr<TestSpace> space;
  std::unique_ptr<HeapSnapshot> snapshot;
  std::map<const void*, std::size_t> cellNumbers;
  std::vector<Target> outsideTargets;
  std::vector<Target> cellTargets;
};

}  // namespace gaur::bootimage
