// Memory of boot images: which of its pages were written since it was mapped, which blocks overlap a page,
// and which object an address belongs to. Without a write barrier the system's page tables tell what was
// written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gc/heap.h"
#include "vm/abi/layout.h"
#include "vm/abi/object.h"

namespace gaur::gc {

/// Asks the system which pages of a private mapping are no longer those of the file. One a process.
class WrittenPages {
 public:
  struct Run {
    std::uintptr_t begin;
    std::uintptr_t end;
  };

  WrittenPages();
  ~WrittenPages();
  WrittenPages(const WrittenPages&) = delete;
  WrittenPages& operator=(const WrittenPages&) = delete;

  /// How it is found out: by one call for many pages (Linux 6.7), by a word a page, or not at all, and then
  /// every page counts as written.
  enum class Method : std::uint8_t { Scan, Words, All };
  Method method() const { return method_; }
  /// For tests. Requires: the system can do it.
  void use(Method method) { method_ = method; }

  /// In the child of a fork, whose pages are others.
  void reopen();

  /// Fills `runs` with written pages in [from, end), in order, and moves `from` to where to go on; returns
  /// how many. 0 when there are no more. Takes no lock and no memory, as the root hook demands.
  std::size_t find(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const;

  template <class F>
  void forEach(std::uintptr_t begin, std::uintptr_t end, F&& f) const {
    Run runs[kRuns];
    while (std::size_t count = find(begin, end, runs))
      for (std::size_t i = 0; i < count; ++i) f(runs[i]);
  }

 private:
  // On the stack of whoever collects, which may be one of the VM's.
  static constexpr std::size_t kRuns = 64;
  static constexpr std::size_t kWords = 256;
  std::size_t scan(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const;
  std::size_t readWords(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const;

  int pagemap_ = -1;
  Method method_ = Method::All;
};

/// Bytes of the block of an object of an image: there every hybrid's length is in its header.
std::uint64_t immortalBlockBytes(abi::ObjectHeader header);

/// Calls f(block) for every block of the range that overlaps [begin, end).
template <class F>
void forEachBlock(const ImmortalRange& range, std::uintptr_t begin, std::uintptr_t end, F&& f) {
  std::uintptr_t block =
      range.begin +
      std::uintptr_t{range.firstBlocks[(begin - range.begin) / ImmortalRange::kPageBytes]} * abi::kGranule;
  while (block < end && block < range.end) {
    abi::ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(block));
    std::uintptr_t next = block + immortalBlockBytes(header);
    if (next > begin) f(reinterpret_cast<std::uint64_t*>(block));
    block = next;
  }
}

/// Calls f(slot, SlotKind) for what the collector looks at in a block of an image, as far as it lies in
/// [begin, end).
template <class F>
void forEachSlotWithin(std::uint64_t* block, std::uintptr_t begin, std::uintptr_t end, F&& f) {
  abi::ObjectHeader header(*block);
  const abi::Layout& layout = abi::LayoutTable::shared().byIndex(header.typeIndex());
  std::uintptr_t base = reinterpret_cast<std::uintptr_t>(block) + header.prefix();
  abi::forEachSlotWithin(layout.map, base, begin, end, f);
  if (layout.variableMap && !layout.variableMap->isEmpty())
    abi::forEachSlotWithin(abi::GcRepeat{layout.size, header.length(), layout.stride, layout.variableMap},
                           base, begin, end, f);
}

/// The object of the range that holds the byte at `address`, as a reference; null for the word before an
/// object. Requires: the address lies in the range.
void* objectHolding(const ImmortalRange& range, std::uintptr_t address);

}  // namespace gaur::gc
