// Memory outside the heap in equal cells that the collector marks itself, since what lies there refers to
// nothing: a byte for each cell instead of an object.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "gc/collector_list.h"

namespace gaur::gc {

/// How a collection came to a cell. Bits.
enum class CellMark : std::uint8_t {
  None = 0,
  /// A slot of a type, a handle, a root.
  Value = 1,
  /// A word of a stack or a register.
  Stack = 2,
};
constexpr CellMark operator|(CellMark a, CellMark b) {
  return static_cast<CellMark>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has(CellMark set, CellMark one) {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(one)) != 0;
}

/// Marking sees it from construction to destruction. The address of a cell is that of its first byte, and no
/// other.
class MarkedRange : public Listed<MarkedRange> {
 public:
  /// `cells` of 1 << cellShift bytes each. Several ranges may share marks: cell i of each is the same thing.
  MarkedRange(std::uintptr_t begin, std::size_t cells, unsigned cellShift,
              std::shared_ptr<std::atomic<CellMark>[]> marks);
  ~MarkedRange();

  /// In a collection: marks the cell, if the address is that of one. Nothing happens to cells that are marked
  /// already.
  void mark(std::uintptr_t address, CellMark how) {
    const std::uintptr_t offset = address - begin_;
    if (offset >= bytes_ || (offset & ((std::uintptr_t{1} << shift_) - 1)) != 0) return;
    std::atomic<CellMark>& cell = marks_[offset >> shift_];
    cell.store(cell.load(std::memory_order_relaxed) | how, std::memory_order_relaxed);
  }

  std::uintptr_t begin() const { return begin_; }
  std::uintptr_t bytes() const { return bytes_; }
  /// At the beginning of a collection.
  void clear();

 private:
  const std::uintptr_t begin_;
  const std::uintptr_t bytes_;
  const unsigned shift_;
  std::shared_ptr<std::atomic<CellMark>[]> marks_;
};

/// In all ranges.
void markCells(std::uintptr_t address, CellMark how);

}  // namespace gaur::gc
