#include "bootimage/image_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "bootimage/image_writer.h"
#include "jit/code_slab.h"
#include "vm/abi/layout.h"
#include "vm/abi/stack_object.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {

namespace {

constexpr int kAccess = PROT_READ | PROT_WRITE;

/// At the preferred place, else anywhere. MAP_FAILED where there is no memory.
void* mapPrivate(std::size_t bytes, int file, std::uint64_t offset, bool elsewhere) {
  const auto start = static_cast<off_t>(offset);
  if (!elsewhere) {
    auto* preferred = reinterpret_cast<void*>(kPreferredHeap);
    void* mapping = mmap(preferred, bytes, kAccess, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, start);
    if (mapping != MAP_FAILED) return mapping;
  }
  return mmap(nullptr, bytes, kAccess, MAP_PRIVATE, file, start);
}

constexpr std::size_t kBitsPerEntry = 64;

/// Writes the heap with all words of the bitmap moved. In pieces that stay in the cache: what is written has
/// its pages at once, where stores would fault for each. False where there is no memory; `isSound` tells of
/// words that hold no address.
bool writeMoved(int file, std::span<const std::byte> heap, std::span<const std::uint64_t> bitmap,
                const Distances& distances, bool& isSound) {
  constexpr std::size_t kPieceWords = std::size_t{1} << 14;
  const auto piece = std::make_unique_for_overwrite<std::uint64_t[]>(kPieceWords);
  const std::size_t words = heap.size() / sizeof(std::uint64_t);
  for (std::size_t first = 0; first < bitmap.size() * kBitsPerEntry; first += kPieceWords) {
    auto part = heap.subspan(std::min(first * sizeof(std::uint64_t), heap.size()));
    part = part.first(std::min(part.size(), kPieceWords * sizeof(std::uint64_t)));
    std::memcpy(piece.get(), part.data(), part.size());
    const std::size_t end = std::min((first + kPieceWords) / kBitsPerEntry, bitmap.size());
    for (std::size_t i = first / kBitsPerEntry; i < end; ++i)
      for (std::uint64_t bits = bitmap[i]; bits != 0; bits &= bits - 1) {
        const std::size_t word = i * kBitsPerEntry + static_cast<std::size_t>(std::countr_zero(bits));
        isSound = word < words && distances.apply(piece[word - first], heap.size());
        if (!isSound) return true;
      }
    if (!writeAll(file, std::as_bytes(std::span(piece.get(), kPieceWords)).first(part.size()))) return false;
  }
  return true;
}

/// Gives the types of all objects the numbers of this process. False where the blocks are none.
bool renumber(std::byte* heap, std::size_t bytes, std::span<const ir::Type* const> types) {
  for (std::size_t at = 0; at < bytes;) {
    if (bytes - at < abi::kGranule) return false;
    auto* block = reinterpret_cast<std::uint64_t*>(heap + at);
    const abi::ObjectHeader header(*block);
    const std::uint32_t number = header.typeIndex();
    const bool isRuntimes = number >= abi::kFirstRuntimeType;
    if (!header.isLive() || (!isRuntimes && number >= types.size())) return false;
    const abi::Layout& layout = isRuntimes ? abi::LayoutTable::shared().byIndex(number)
                                           : abi::LayoutTable::shared().of(types[number]);
    std::uint64_t payload = 0;
    if (!layout.payload(header.length(), payload)) return false;
    const std::uint64_t size = abi::blockBytes(payload, header.isWide());
    if (size > bytes - at) return false;
    // A wide object has it twice; of others it is the same word.
    if (!isRuntimes)
      *block = block[header.prefix() / sizeof(*block) - 1] = header.withType(types[number]->index).bits();
    at += size;
  }
  return true;
}

Error noMemory(const char* what) { return makeError(ErrorId::SystemMemory, {what, std::strerror(errno)}); }

}  // namespace

bool Distances::apply(std::uint64_t& word, std::uint64_t heapBytes) const {
  constexpr std::uint64_t kSlabBytes = jit::CodeSlab::kDataBytes + jit::CodeSlab::kCodeBytes;
  // Nearly all words are plain references into the heap. An interior one may point one past the last byte of
  // the last object.
  if (word - kPreferredHeap <= heapBytes) [[likely]] {
    word += heap;
    return true;
  }
  const std::uint64_t address = addressIn(word);
  if (address - kPreferredHeap <= heapBytes)
    word = moved(word, heap);
  else if (address - kPreferredSlab < kSlabBytes)
    word = moved(word, slab);
  else
    return false;
  return true;
}

int copyToMemoryFile(std::span<const std::byte> bytes) {
  int file = memfd_create("gaur-image", MFD_CLOEXEC);
  if (file < 0 || writeAll(file, bytes)) return file;
  close(file);
  return -1;
}

HeapMemory::HeapMemory(HeapMemory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

HeapMemory& HeapMemory::operator=(HeapMemory&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

HeapMemory::~HeapMemory() {
  if (begin_) munmap(begin_, mapped_);
}

Result<HeapMemory> HeapMemory::map(const ImageFile& image, bool elsewhere) {
  HeapMemory memory;
  const SectionHeader* section = image.find(SectionKind::Heap);
  if (!section || section->bytes == 0) return memory;
  memory.bytes_ = section->bytes;
  memory.mapped_ = platform::roundToPages(section->bytes);
  int file = image.descriptor();
  std::uint64_t offset = image.fileOffset(*section);
  if (file < 0) {
    file = copyToMemoryFile(image.get<SectionKind::Heap>());
    offset = 0;
    if (file < 0) return noMemory("memory for the heap of an image");
  }
  void* mapping = mapPrivate(memory.mapped_, file, offset, elsewhere);
  if (file != image.descriptor()) close(file);
  if (mapping == MAP_FAILED) return noMemory("memory for the heap of an image");
  memory.begin_ = static_cast<std::byte*>(mapping);
  return memory;
}

Result<void> HeapMemory::relocate(const ImageFile& image, const Distances& distances,
                                  std::span<const ir::Type* const> types) {
  auto bitmap = image.get<SectionKind::HeapWords>();
  const std::size_t words = bytes_ / sizeof(std::uint64_t);
  if (bitmap.size() * kBitsPerEntry < words)
    return image.damaged("the map of its heap's addresses is too short");
  // A file in memory takes the changed words, to be mapped privately in the heap's place: to the collector
  // nothing has been written.
  int file = memfd_create("gaur-heap", MFD_CLOEXEC);
  if (file < 0) return noMemory("memory for the heap of an image");
  bool isSound = true;
  bool isWritten = writeMoved(file, image.get<SectionKind::Heap>(), bitmap, distances, isSound);
  if (isWritten && isSound && !types.empty()) {
    void* shared = mmap(nullptr, mapped_, kAccess, MAP_SHARED, file, 0);
    isWritten = shared != MAP_FAILED;
    isSound = !isWritten || renumber(static_cast<std::byte*>(shared), bytes_, types);
    if (isWritten) munmap(shared, mapped_);
  }
  void* placed =
      isWritten && isSound ? mmap(begin_, mapped_, kAccess, MAP_PRIVATE | MAP_FIXED, file, 0) : MAP_FAILED;
  close(file);
  if (!isSound)
    return image.damaged(
        "its heap holds words that are neither addresses of the image nor headers of its types");
  if (placed == MAP_FAILED) return noMemory("memory for the heap of an image");
  return {};
}

}  // namespace gaur::bootimage
