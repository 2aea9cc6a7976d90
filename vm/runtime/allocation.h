// Allocation from C++ on an attached thread, as compiled code does it: from the thread's free list, else from
// the heap.
#pragma once

#include <cstring>

#include "vm/abi/layout.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

/// A zeroed object; null where memory is exhausted. May collect.
inline void* allocateObject(Thread& thread, abi::ObjectHeader header, std::uint64_t blockBytes,
                            abi::BlockKind kind) {
  auto* block = static_cast<std::uint64_t*>(
      thread.vm().heap().allocateBlock(thread.block().allocation, kind, blockBytes));
  if (!block) return nullptr;
  block[0] = header.bits();
  if (header.isWide()) block[1] = header.bits();
  return reinterpret_cast<char*>(block) + header.prefix();
}

/// An object of a runtime type with a struct of its own (vm/abi/stack_object.h); fields are zero.
template <class T>
T* allocateRuntimeObject(Thread& thread, std::uint32_t typeIndex) {
  constexpr std::uint64_t kBytes = abi::blockBytes(sizeof(T), false);
  static_assert(kBytes <= abi::kSmallBytes);
  auto header = abi::ObjectHeader::make(typeIndex, false);
  void*& head =
      thread.block()
          .allocation.heads[static_cast<std::size_t>(abi::BlockKind::Traced)][kBytes / abi::kGranule];
  if (!head) return static_cast<T*>(allocateObject(thread, header, kBytes, abi::BlockKind::Traced));
  auto* block = static_cast<std::uint64_t*>(head);
  head = reinterpret_cast<void*>(block[0]);
  // The header last: what it tells the collector must be true then.
  std::memset(block + 1, 0, kBytes - sizeof(*block));
  block[0] = header.bits();
  return reinterpret_cast<T*>(block + 1);
}

/// A hybrid with `length` elements in its variable part; null where that cannot be had.
void* allocateHybrid(Thread& thread, std::uint32_t typeIndex, std::uint64_t length);

}  // namespace gaur::runtime
