// Where the heap of an image lies in this process: mapped from the file at the place it prefers, or anywhere
// else, and then changed for that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bootimage/image_file.h"
#include "vm/ir/type.h"

namespace gaur::bootimage {

/// How far things lie from where the file assumes them.
struct Distances {
  std::uint64_t heap = 0;
  std::uint64_t slab = 0;

  bool none() const { return heap == 0 && slab == 0; }
  /// A word with an address (relocation.h) as it has to be here; nothing where it refers to neither.
  bool apply(std::uint64_t& word, std::uint64_t heapBytes) const;
};

/// A file in memory with these bytes, to be mapped; the caller closes it. Negative where there is no memory.
int copyToMemoryFile(std::span<const std::byte> bytes);

class HeapMemory {
 public:
  /// Private memory with the contents of the section Heap; pages that nobody writes stay those of the file.
  /// Empty for an image without objects.
  static Result<HeapMemory> map(const ImageFile& image, bool elsewhere);
  HeapMemory() = default;
  HeapMemory(HeapMemory&& other) noexcept;
  HeapMemory& operator=(HeapMemory&& other) noexcept;
  ~HeapMemory();

  std::byte* begin() const { return begin_; }
  std::size_t bytes() const { return bytes_; }

  /// Changes all words that hold addresses, and, unless `types` is empty, the numbers of types in headers:
  /// they are indexes of it. Afterwards pages are as unwritten as before: the collector looks at written ones
  /// alone.
  Result<void> relocate(const ImageFile& image, const Distances& distances,
                        std::span<const ir::Type* const> types);

 private:
  std::byte* begin_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t mapped_ = 0;
};

}  // namespace gaur::bootimage
