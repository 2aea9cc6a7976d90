// The shortest ways from the roots of a snapshot to words in it, for messages. Found by searching the copied
// objects, only when somebody wants to know.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bootimage/heap_snapshot.h"

namespace gaur::bootimage {

class ObjectPaths {
 public:
  /// Requires: the snapshot has been traced; it is not changed as long as this is used.
  explicit ObjectPaths(const HeapSnapshot& snapshot) : snapshot_(snapshot) {}

  /// "@table.1[5] -> .0 -> .2": from a global cell or another root, indexes of fields and elements, an arrow
  /// for each reference that is followed. One for each place.
  std::vector<std::string> find(std::span<const std::uint64_t> places);

 private:
  /// Where the search came from: a word (its place), or a root.
  using Origin = std::uint64_t;
  static constexpr Origin kRoot = std::uint64_t{1} << 63;
  static constexpr Origin kUnseen = ~std::uint64_t{0};

  std::uint64_t blockAt(std::uint64_t offset) const;
  void search(std::span<const std::uint64_t> places);
  void reach(std::uint64_t block, Origin origin);
  void visit(const std::byte* memory, WordKind kind, std::uint64_t place);
  std::string pathTo(std::uint64_t place) const;

  const HeapSnapshot& snapshot_;
  WordMaps maps_;
  /// By granule where a block starts.
  std::vector<Origin> origins_;
  std::vector<std::uint64_t> queue_;
};

}  // namespace gaur::bootimage
