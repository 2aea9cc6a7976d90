// How the slab is mapped and shared out. Three mappings in all, whatever is loaded: data, code, and the
// writable view of code.
#include "jit/code_slab.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "jit/code_stubs.h"
#include "jit/range_allocator.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

constexpr std::size_t kDataGranule = 16;
/// A granule of the code map: no two allocations share one.
constexpr std::size_t kCodeGranule = 64;
/// Trampolines are made by the page.
constexpr std::size_t kTrampolinePage = 4096;

void* checked(void* mapping, const char* what) {
  GAUR_CHECK(mapping != MAP_FAILED, std::string("cannot map ") + what + ": " + std::strerror(errno));
  return mapping;
}

/// Address space for both halves, at `preferred` where that is free.
void* reserve(std::uintptr_t preferred) {
  constexpr std::size_t kBytes = CodeSlab::kDataBytes + CodeSlab::kCodeBytes;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (preferred != 0) {
    auto* wanted = reinterpret_cast<void*>(preferred);
    void* range = mmap(wanted, kBytes, PROT_NONE, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
    if (range == wanted) return range;
    // Kernels that do not know the flag take the address for a hint.
    if (range != MAP_FAILED) return range;
  }
  return checked(mmap(nullptr, kBytes, PROT_NONE, kFlags, -1, 0), "the code slab");
}

int makeCodeFile() {
  int file = memfd_create("gaur-code", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(CodeSlab::kCodeBytes)) == 0) return file;
  close(file);
  return -1;
}

void mapExecutable(void* code, int file) {
  checked(mmap(code, CodeSlab::kCodeBytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE | MAP_FIXED,
               file, 0),
          "executable memory");
}

/// At `place`, or anywhere.
void* mapWritable(void* place, int file) {
  const int flags = MAP_SHARED | MAP_NORESERVE | (place ? MAP_FIXED : 0);
  return checked(mmap(place, CodeSlab::kCodeBytes, PROT_READ | PROT_WRITE, flags, file, 0),
                 "the writable view of executable memory");
}

/// A file with these bytes at its begin; -1 where there is no memory.
int copyOf(const char* code, std::size_t bytes) {
  int file = makeCodeFile();
  for (std::size_t done = 0; file >= 0 && done < bytes;) {
    ssize_t written = pwrite(file, code + done, bytes - done, static_cast<off_t>(done));
    if (written > 0) {
      done += static_cast<std::size_t>(written);
    } else if (written == 0 || errno != EINTR) {
      close(std::exchange(file, -1));
    }
  }
  return file;
}

}  // namespace

struct CodeSlab::Impl {
  Impl(std::uintptr_t dataBegin, std::uintptr_t codeBegin, const SlabPlacement& placement)
      : data(dataBegin, kDataBytes, kDataGranule, placement.dataBytes),
        code(codeBegin, kCodeBytes, kCodeGranule, placement.codeBytes) {}

  mutable std::mutex mutex;
  RangeAllocator data;
  RangeAllocator code;
  std::vector<void*> freeTrampolines;
  /// The code for the child, while the process forks.
  int copy = -1;
  /// In a child that has no code of its own.
  bool isSealed = false;
};

CodeSlab::CodeSlab(const SlabPlacement& placement) {
  void* range = reserve(placement.preferredBase);
  char* data = static_cast<char*>(range);
  char* code = data + kDataBytes;
  checked(mmap(data, kDataBytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0),
          "the data half of the code slab");
  int file = makeCodeFile();
  GAUR_CHECK(file >= 0, std::string("cannot make memory for code: ") + std::strerror(errno));
  mapExecutable(code, file);
  void* writable = mapWritable(nullptr, file);
  close(file);

  codeBegin_ = reinterpret_cast<std::uintptr_t>(code);
  writableDistance_ = static_cast<char*>(writable) - code;
  impl_ = std::make_unique<Impl>(reinterpret_cast<std::uintptr_t>(data), codeBegin_, placement);
}

CodeSlab::~CodeSlab() {
  void* code = reinterpret_cast<void*>(codeBegin_);
  munmap(writable(code), kCodeBytes);
  munmap(static_cast<char*>(code) - kDataBytes, kDataBytes + kCodeBytes);
}

void* CodeSlab::allocateData(std::size_t bytes, std::size_t alignment) {
  // Free data is zero: fresh pages are, and freeData clears.
  std::lock_guard lock(impl_->mutex);
  return reinterpret_cast<void*>(impl_->data.allocate(bytes, alignment));
}

void CodeSlab::freeData(void* data, std::size_t bytes) {
  std::memset(data, 0, bytes);
  std::lock_guard lock(impl_->mutex);
  impl_->data.free(reinterpret_cast<std::uintptr_t>(data), bytes);
}

void* CodeSlab::allocateCode(std::size_t bytes) {
  std::lock_guard lock(impl_->mutex);
  return impl_->isSealed ? nullptr : reinterpret_cast<void*>(impl_->code.allocate(bytes, kCodeGranule));
}

void CodeSlab::freeCode(void* code, std::size_t bytes) {
  std::size_t whole = impl_->code.rounded(bytes);
  fillWithTraps(writable(code), whole);
  flushCode(code, writable(code), whole);
  std::lock_guard lock(impl_->mutex);
  impl_->code.free(reinterpret_cast<std::uintptr_t>(code), bytes);
}

void* CodeSlab::makeTrampoline(void* chain, void* const* target) {
  void* trampoline = nullptr;
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->isSealed) return nullptr;
    auto& free = impl_->freeTrampolines;
    if (free.empty()) {
      std::uintptr_t page = impl_->code.allocate(kTrampolinePage, kCodeGranule);
      if (page == 0) return nullptr;
      for (std::size_t offset = kTrampolinePage; offset != 0; offset -= kTrampolineBytes)
        free.push_back(reinterpret_cast<void*>(page + offset - kTrampolineBytes));
    }
    trampoline = free.back();
    free.pop_back();
  }
  rewriteTrampoline(trampoline, chain, target);
  return trampoline;
}

void CodeSlab::rewriteTrampoline(void* trampoline, void* chain, void* const* target) {
  writeTrampoline(writable(trampoline), chain, target);
  flushCode(trampoline, writable(trampoline), kTrampolineBytes);
}

void CodeSlab::freeTrampoline(void* trampoline) {
  fillWithTraps(writable(trampoline), kTrampolineBytes);
  flushCode(trampoline, writable(trampoline), kTrampolineBytes);
  std::lock_guard lock(impl_->mutex);
  impl_->freeTrampolines.push_back(trampoline);
}

void CodeSlab::beforeFork() {
  impl_->mutex.lock();
  impl_->copy = copyOf(reinterpret_cast<const char*>(codeBegin_), impl_->code.frontier() - codeBegin_);
}

void CodeSlab::afterFork(bool isChild) {
  void* code = reinterpret_cast<void*>(codeBegin_);
  if (isChild && impl_->copy >= 0) {
    mapExecutable(code, impl_->copy);
    mapWritable(writable(code), impl_->copy);
  } else if (isChild) {
    impl_->isSealed = true;
    // Writes lead nowhere.
    checked(mmap(writable(code), kCodeBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0),
            "memory in place of the parent's code");
  }
  if (impl_->copy >= 0) close(std::exchange(impl_->copy, -1));
  impl_->mutex.unlock();
}

SlabPlacement CodeSlab::extent() const {
  std::lock_guard lock(impl_->mutex);
  return {dataBegin(), impl_->data.frontier() - dataBegin(), impl_->code.frontier() - codeBegin_};
}

CodeSlab::Statistics CodeSlab::statistics() const {
  std::lock_guard lock(impl_->mutex);
  return {impl_->code.used(), impl_->code.freeBytes(), impl_->data.used(), impl_->code.freePieces(),
          impl_->code.largestFree()};
}

}  // namespace gaur::jit
