// From code address to function and call site. Look-ups take no lock and touch no other module's state, so
// that the unwinder and signal handlers may use them while other threads load code.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "vm/abi/code_map.h"

namespace gaur::jit {

class CodeSlab;

struct CodeSite {
  const abi::CodeBlock* block = nullptr;
  const abi::FunctionCode* function = nullptr;
  /// Null where the address is no recorded return address.
  const abi::CallSiteRow* row = nullptr;

  explicit operator bool() const { return function != nullptr; }
  std::uintptr_t landingPad() const {
    return row && row->landingPadOffset ? block->begin + row->landingPadOffset : 0;
  }
};

class CodeMap {
 public:
  explicit CodeMap(const CodeSlab& slab);
  ~CodeMap();

  /// Enters a block; it must stay as it is until `remove`.
  void add(const abi::CodeBlock& block);
  void remove(const abi::CodeBlock& block);

  /// The function that contains `pc`. Signal-safe.
  CodeSite findFunction(std::uintptr_t pc) const;
  /// The call site that returns to `returnAddress`, or at least its function. Signal-safe.
  CodeSite findReturn(std::uintptr_t returnAddress) const;
  /// Another number after each removal: what was found before may be gone.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::atomic<std::uint64_t> generation_{1};
};

/// What unwinding wants to know of one return address, gathered from the rows.
struct alignas(64) UnwindStep {
  std::uintptr_t returnAddress = 0;
  CodeSite site;
  /// Address; 0 = none.
  std::uintptr_t landingPad = 0;
  const abi::SavedRegister* saved = nullptr;
  std::uint32_t savedCount = 0;
  std::int32_t cfaOffset = 0;
};

/// The steps that one thread unwound by last, so that a throw does not search for each of its frames again.
/// Not signal-safe.
class UnwindCache {
 public:
  /// The step for an address; one without a site where it is not in compiled code. Valid until the next call.
  const UnwindStep& find(const CodeMap& map, std::uintptr_t returnAddress) {
    // Other code may have come to where some was removed.
    if (generation_ != map.generation()) clear(map.generation());
    UnwindStep& step = steps_[returnAddress * kMixer >> (64 - kBits)];
    if (step.returnAddress != returnAddress) fill(step, map, returnAddress);
    return step;
  }

 private:
  static constexpr unsigned kBits = 8;
  /// 2^64 divided by the golden ratio: neighbouring addresses land far apart.
  static constexpr std::uint64_t kMixer = 0x9e3779b97f4a7c15;

  void clear(std::uint64_t generation);
  void fill(UnwindStep& step, const CodeMap& map, std::uintptr_t returnAddress);

  std::uint64_t generation_ = 0;
  std::array<UnwindStep, std::size_t{1} << kBits> steps_;
};

}  // namespace gaur::jit
