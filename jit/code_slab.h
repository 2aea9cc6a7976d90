// Memory for code and what code refers to: one reserved range of addresses, a data half (records, global
// cells, slots, constants) and a code half that is mapped twice, executable here and writable elsewhere, so
// that no page is ever both. Everything in it is within 2 GB of all code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gaur::jit {

/// Where a slab should lie, and what is in it from the start: the linked code of a boot image.
struct SlabPlacement {
  /// 0: anywhere. Another place is taken where this one is not free.
  std::uintptr_t preferredBase = 0;
  /// The front of each half, which allocation leaves alone.
  std::size_t dataBytes = 0;
  std::size_t codeBytes = 0;
};

class CodeSlab {
 public:
  static constexpr std::size_t kDataBytes = std::size_t{512} << 20;
  static constexpr std::size_t kCodeBytes = std::size_t{1} << 30;

  /// Reserves the range; aborts with a report where the address space does not allow it.
  explicit CodeSlab(const SlabPlacement& placement = {});
  ~CodeSlab();
  CodeSlab(const CodeSlab&) = delete;
  CodeSlab& operator=(const CodeSlab&) = delete;

  bool isCode(std::uintptr_t address) const { return address - codeBegin_ < kCodeBytes; }
  std::uintptr_t codeBegin() const { return codeBegin_; }
  /// Start of the data half, and of the slab.
  std::uintptr_t dataBegin() const { return codeBegin_ - kDataBytes; }
  /// What a boot image has to hold: the front of each half up to the highest address that was in use.
  SlabPlacement extent() const;

  /// Zeroed data. Null when the half is full. Thread-safe, as everything below.
  void* allocateData(std::size_t bytes, std::size_t alignment = 16);
  void freeData(void* data, std::size_t bytes);

  /// Executable memory, 64-byte aligned, not initialised. Null when the half is full.
  void* allocateCode(std::size_t bytes);
  void freeCode(void* code, std::size_t bytes);
  /// Where to write what will be executed at `code`.
  void* writable(void* code) const { return static_cast<char*>(code) + writableDistance_; }

  /// A code stub that loads `chain` into the static chain register (r10; x18 on AArch64) and jumps to the
  /// address in `*target`.
  void* makeTrampoline(void* chain, void* const* target);
  void freeTrampoline(void* trampoline);
  /// Writes the code of one again, at a place that had one in the slab that a boot image was linked in.
  void rewriteTrampoline(void* trampoline, void* chain, void* const* target);

  /// Around a fork of the process, on the thread that forks. The child goes on with a copy of the code, since
  /// its writes to a shared mapping would change the parent's; where there is no memory for one, it runs the
  /// code there is and gets no memory for more. No other thread may write code.
  void beforeFork();
  void afterFork(bool isChild);

  struct Statistics {
    std::size_t codeUsed, codeFree, dataUsed;
    /// Of codeFree: between what is in use.
    std::size_t codeFreePieces, codeLargestFree;
  };
  Statistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::uintptr_t codeBegin_ = 0;
  std::ptrdiff_t writableDistance_ = 0;
};

}  // namespace gaur::jit
