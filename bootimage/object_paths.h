// The shortest ways from roots to words of the objects of an image, for messages. Found by searching the
// objects, only when somebody wants to know.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bootimage/word_map.h"
#include "vm/ir/entity.h"

namespace gaur::bootimage {

/// Objects side by side, and cells, as a snapshot has copied them or as an image that was loaded has them.
struct ObjectGraph {
  /// Words of objects and of cells in one numbering: cells lie one after another beyond all objects.
  static constexpr std::uint64_t kFirstCellWord = std::uint64_t{1} << 62;

  struct Cell {
    const ir::GlobalCell* cell;
    const std::byte* memory;
    /// Its first byte's place, from kFirstCellWord. They ascend.
    std::uint64_t begin;
  };
  struct Root {
    /// Offset of a byte of the object.
    std::uint64_t object;
    std::string name;
  };
  std::span<const std::byte> heap;
  /// What references to its first byte hold.
  std::uint64_t base;
  /// As gc::ImmortalRange::firstBlocks.
  std::span<const std::uint32_t> firstBlocks;
  std::vector<Cell> cells;
  std::vector<Root> roots;
};

class ObjectPaths {
 public:
  /// The objects are not changed as long as this is used. They may be damaged: then there is no way to some.
  explicit ObjectPaths(ObjectGraph graph) : graph_(std::move(graph)) {}

  /// "@table.1[5] -> .0 -> .2": from a global cell or another root, indexes of fields and elements, an arrow
  /// for each reference that is followed. One for each place.
  std::vector<std::string> find(std::span<const std::uint64_t> places);

 private:
  /// Where the search came from: a word (its place), or a root.
  using Origin = std::uint64_t;
  static constexpr Origin kRoot = std::uint64_t{1} << 63;
  static constexpr Origin kUnseen = ~std::uint64_t{0};

  static constexpr std::uint64_t kNoBlock = ~std::uint64_t{0};
  /// kNoBlock where the objects are damaged, as for the next.
  std::uint64_t blockAt(std::uint64_t offset) const;
  std::uint64_t blockAfter(std::uint64_t block) const;
  void search(std::span<const std::uint64_t> places);
  void reach(std::uint64_t block, Origin origin);
  void visit(const std::byte* memory, WordKind kind, std::uint64_t place);
  std::string pathTo(std::uint64_t place) const;

  const ObjectGraph graph_;
  WordMaps maps_;
  /// By granule where a block starts.
  std::vector<Origin> origins_;
  std::vector<std::uint64_t> queue_;
};

}  // namespace gaur::bootimage
