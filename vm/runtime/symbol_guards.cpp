#include "vm/runtime/symbol_guards.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

/// Fields may have an addend, and what is at a symbol may be big.
constexpr std::size_t kGuardBytes = std::size_t{1} << 20;
constexpr std::size_t kMostGuards = 4096;

std::mutex guardsMutex;
std::atomic<std::uintptr_t> guardsBegin{0};
std::array<std::atomic<const char*>, kMostGuards> guardedSymbols;

/// With the mutex held. 0 where there is no address space.
std::uintptr_t reserveGuards() {
  std::uintptr_t begin = guardsBegin.load(std::memory_order_relaxed);
  if (begin != 0) return begin;
  void* memory = platform::reserveZeroed(kGuardBytes * kMostGuards);
  if (!memory || !platform::protect(memory, kGuardBytes * kMostGuards, platform::Access::None)) return 0;
  begin = reinterpret_cast<std::uintptr_t>(memory);
  guardsBegin.store(begin, std::memory_order_release);
  return begin;
}

}  // namespace

void* guardOf(std::string_view symbol) {
  static std::map<std::string, std::size_t, std::less<>> numbers;
  std::lock_guard lock(guardsMutex);
  const std::uintptr_t begin = reserveGuards();
  auto known = numbers.find(symbol);
  if (known == numbers.end()) {
    if (begin == 0 || numbers.size() == kMostGuards) return nullptr;
    known = numbers.emplace(std::string(symbol), numbers.size()).first;
    // Names stay where they are.
    guardedSymbols[known->second].store(known->first.c_str(), std::memory_order_release);
  }
  // In the middle, for addends of either sign.
  return reinterpret_cast<void*>(begin + known->second * kGuardBytes + kGuardBytes / 2);
}

const char* symbolGuardedAt(std::uintptr_t address) {
  const std::uintptr_t begin = guardsBegin.load(std::memory_order_acquire);
  const std::size_t number = (address - begin) / kGuardBytes;
  return begin == 0 || number >= kMostGuards ? nullptr
                                             : guardedSymbols[number].load(std::memory_order_acquire);
}

}  // namespace gaur::runtime
