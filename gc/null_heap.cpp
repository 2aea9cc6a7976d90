// The heap that never frees: an address that moves up through reserved pages.
#include <algorithm>
#include <atomic>

#include "gc/heap.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::gc {

namespace {

constexpr std::uint64_t kDefaultBytes = std::uint64_t{64} << 30;
/// What a refill of a free list takes, if there is as much.
constexpr std::uint64_t kRefillBytes = 4096;

class NullHeap final : public Heap {
 public:
  explicit NullHeap(const HeapOptions& options)
      : size_(platform::roundToPages(options.maxBytes != 0 ? options.maxBytes : kDefaultBytes)) {
    begin_ = reinterpret_cast<std::uintptr_t>(platform::reserveZeroed(size_));
    GAUR_CHECK(begin_ != 0, "no address space for the heap");
  }
  ~NullHeap() override { platform::release(reinterpret_cast<void*>(begin_), size_); }

  void* allocateBlock(abi::AllocationLists& lists, abi::BlockKind kind, std::uint64_t bytes) override {
    if (bytes <= abi::kSmallBytes) {
      void*& head = lists.heads[static_cast<unsigned>(kind)][bytes / abi::kGranule];
      if (void* block = head) {
        head = *static_cast<void**>(block);
        return block;
      }
    }
    std::uint64_t count = bytes > abi::kSmallBytes ? 1 : kRefillBytes / bytes;
    std::uintptr_t first = take(count * bytes);
    if (first == 0 && count > 1) {
      count = 1;
      first = take(bytes);
    }
    if (first == 0) return nullptr;
    if (count > 1) {
      for (std::uint64_t i = 1; i + 1 < count; ++i)
        *reinterpret_cast<std::uintptr_t*>(first + i * bytes) = first + (i + 1) * bytes;
      lists.heads[static_cast<unsigned>(kind)][bytes / abi::kGranule] =
          reinterpret_cast<void*>(first + bytes);
    }
    return reinterpret_cast<void*>(first);
  }

  void attachThread(abi::ThreadBlock&) override {}
  void detachThread(abi::ThreadBlock&) override {}
  void collect() override {}
  void collectAll() override {}
  HeapStatistics statistics() override {
    HeapStatistics result;
    result.allocatedBytes = result.liveBytes = used_;
    result.heapBytes = size_;
    return result;
  }
  void onUnreachable(void*, Finalizer, void*) override {}
  bool hasFinalizersToRun() override { return false; }
  void runFinalizers() override {}
  void addImmortal(const ImmortalRange&) override {}
  void* objectContaining(std::uintptr_t) override { return nullptr; }
  bool isImmortal(const void*) override { return false; }
  void suspendCollections() override {}
  void resumeCollections() override {}

 private:
  /// Address of fresh bytes; 0 when there are not enough.
  std::uintptr_t take(std::uint64_t bytes) {
    std::uint64_t offset = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > size_ - offset) return 0;
    } while (!used_.compare_exchange_weak(offset, offset + bytes, std::memory_order_relaxed));
    return begin_ + offset;
  }

  std::uintptr_t begin_ = 0;
  std::uint64_t size_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace

std::unique_ptr<Heap> makeNullHeap(const HeapOptions& options) { return std::make_unique<NullHeap>(options); }

}  // namespace gaur::gc
