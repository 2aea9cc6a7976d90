// A heap with a root provider that tests fill by hand, and allocation the way compiled code does it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "gc/heap.h"
#include "gc/roots.h"
#include "tests/unit/clear_stack.h"
#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/abi/stack_object.h"
#include "vm/abi/thread_block.h"
#include "vm/ir/type.h"

namespace gaur::gc {

/// Type numbers key the shared layouts, so all tests use one table: that of VMs, which other tests of a
/// process make.
inline ir::TypeTable& types() { return ir::TypeTable::shared(); }

inline const ir::Type* composite(ir::TypeKind kind, std::vector<const ir::Type*> elements,
                                 std::uint64_t length = 0) {
  return types().get(kind, length, elements);
}
inline const ir::Type* structOf(std::vector<const ir::Type*> fields) {
  return composite(ir::TypeKind::Struct, std::move(fields));
}
inline const ir::Type* hybridOf(std::vector<const ir::Type*> parts) {
  return composite(ir::TypeKind::Hybrid, std::move(parts));
}
inline const ir::Type* arrayOf(const ir::Type* element, std::uint64_t length) {
  return composite(ir::TypeKind::Array, {element}, length);
}
inline const ir::Type* int64() { return types().intType(64); }
inline const ir::Type* anyRef() { return types().ref(types().voidType()); }
inline const ir::Type* weakRef() { return types().pointerLike(ir::TypeKind::Weakref, types().voidType()); }
inline const ir::Type* tagged() { return types().get(ir::TypeKind::Tagref64); }
inline const abi::Layout& layoutOf(const ir::Type* type) { return abi::LayoutTable::shared().of(type); }

inline std::uint64_t tag(const void* ref) {
  return abi::kTagrefRefBits | (reinterpret_cast<std::uint64_t>(ref) & abi::kTagrefAddressMask);
}

/// Keeps an address where the collector does not see it.
class Hidden {
 public:
  Hidden() = default;
  explicit Hidden(const void* address) : word_(reinterpret_cast<std::uint64_t>(address) ^ kMask) {}
  template <class T = void>
  T* get() const {
    return reinterpret_cast<T*>(word_ ^ kMask);
  }

 private:
  static constexpr std::uint64_t kMask = 0x5555555555555555;
  std::uint64_t word_ = kMask;
};

class TestRoots : public RootProvider {
 public:
  struct Range {
    const void* begin;
    const void* end;
  };
  struct Cell {
    const abi::GcMap* map;
    void* base;
  };

  StackRange muStackOf(std::uintptr_t sp) override {
    for (StackRange stack : stacks)
      if (sp >= stack.begin && sp < stack.end) return stack;
    return {};
  }
  void pushRoots(RootSink& sink) override {
    ++calls;
    for (Range range : ranges) sink.conservative(range.begin, range.end);
    for (std::uintptr_t word : words) sink.word(word);
    for (std::uintptr_t address : owned) sink.owned(address);
    for (Cell cell : cells) sink.cell(*cell.map, cell.base);
  }

  void afterMarking(bool (*isReachable)(const void*)) override {
    if (onMarked) onMarked(isReachable);
  }

  std::vector<StackRange> stacks;
  std::vector<Range> ranges;
  std::vector<std::uintptr_t> words;
  std::vector<std::uintptr_t> owned;
  std::vector<Cell> cells;
  int calls = 0;
  std::function<void(bool (*)(const void*))> onMarked;
};

/// A Mu thread as the heap sees it.
class TestThread {
 public:
  explicit TestThread(Heap& heap) : heap_(heap) { heap_.attachThread(block); }
  ~TestThread() { heap_.detachThread(block); }
  TestThread(const TestThread&) = delete;
  TestThread& operator=(const TestThread&) = delete;

  /// Reference to a new object, or null.
  void* make(const ir::Type* type, std::uint64_t length = 0) {
    return make(layoutOf(type), type->index, length);
  }
  /// An object of the runtime, zeroed.
  template <class Object>
  Object* makeRuntimeObject(std::uint32_t typeIndex) {
    return static_cast<Object*>(make(abi::LayoutTable::shared().byIndex(typeIndex), typeIndex, 0));
  }

  void* make(const abi::Layout& layout, std::uint32_t typeIndex, std::uint64_t length) {
    std::uint64_t payload = 0;
    if (!layout.payload(length, payload)) return nullptr;
    std::uint64_t bytes = abi::blockBytes(payload, layout.isWide());
    auto kind = layout.isPointerFree() ? abi::BlockKind::PointerFree : abi::BlockKind::Traced;
    auto* object = static_cast<std::uint64_t*>(takeBlock(kind, bytes));
    if (!object) return nullptr;
    auto header = abi::ObjectHeader::make(typeIndex, layout.isWide(), length);
    object[0] = header.bits();
    if (header.isWide()) object[1] = header.bits();
    return reinterpret_cast<char*>(object) + header.prefix();
  }

  void* takeBlock(abi::BlockKind kind, std::uint64_t bytes) {
    if (bytes > abi::kSmallBytes) return heap_.allocateBlock(block.allocation, kind, bytes);
    void*& head = block.allocation.heads[static_cast<unsigned>(kind)][bytes / abi::kGranule];
    void* object = head;
    if (!object) return heap_.allocateBlock(block.allocation, kind, bytes);
    head = *static_cast<void**>(object);
    std::memset(static_cast<char*>(object) + sizeof(void*), 0, bytes - sizeof(void*));
    return object;
  }

  abi::ThreadBlock block = {};

 private:
  Heap& heap_;
};

template <class T>
T& at(void* ref, std::uint64_t offset) {
  return *reinterpret_cast<T*>(static_cast<char*>(ref) + offset);
}

/// Counts which of many objects are alive, by weak references in a cell.
class Population {
 public:
  explicit Population(TestRoots& roots) : roots_(roots) { members_.reserve(kMost); }
  void add(const void* ref) {
    members_.push_back(abi::hideWeak(reinterpret_cast<std::uint64_t>(ref)));
    roots_.cells.push_back({&layoutOf(weakRef()).map, &members_.back()});
  }
  std::size_t alive() const {
    std::size_t count = 0;
    for (std::uint64_t word : members_) count += word != 0;
    return count;
  }

 private:
  static constexpr std::size_t kMost = 4096;
  TestRoots& roots_;
  std::vector<std::uint64_t> members_;
};

class HeapTest : public ::testing::Test {
 protected:
  void start(HeapOptions options = {}) {
    options.verify = true;
    heap = makeBoehmHeap(options, roots);
    thread = std::make_unique<TestThread>(*heap);
  }
  void SetUp() override { start(); }
  void TearDown() override {
    thread.reset();
    heap.reset();
  }

  void collect() {
    clearStackBelow();
    heap->collect();
  }
  /// Reuses all memory that is free.
  void churn() {
    for (int i = 0; i < 20000; ++i) {
      void* garbage = thread->make(structOf({int64(), int64(), anyRef()}));
      at<std::uint64_t>(garbage, 0) = at<std::uint64_t>(garbage, 8) = 0xdeadbeefdeadbeef;
      at<std::uint64_t>(thread->make(int64()), 0) = 0xdeadbeefdeadbeef;
      at<std::uint64_t>(thread->make(tagged()), 0) = 0;
    }
  }

  TestRoots roots;
  std::unique_ptr<Heap> heap;
  std::unique_ptr<TestThread> thread;
};

}  // namespace gaur::gc
