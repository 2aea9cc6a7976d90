// Native calls with aggregates by value, through libffi: it knows how each platform passes them.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "vm/ir/type.h"
#include "vm/support/result.h"

namespace gaur::jit {
class CodeSlab;
}

namespace gaur::runtime {

/// What libffi is told of one signature.
class NativeCall {
 public:
  static Result<std::unique_ptr<NativeCall>> make(const ir::Signature* signature);
  ~NativeCall();

  /// `result` has room for the result, at least 16 bytes; `values` points to each argument.
  void call(void* function, void* result, void** values);

 private:
  struct Impl;
  explicit NativeCall(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The native calls of one VM, one a signature.
class NativeCallTable {
 public:
  explicit NativeCallTable(jit::CodeSlab& slab) : slab_(slab) {}

  /// Slot with the NativeCall of the signature, in the data half of the slab. Thread-safe.
  Result<void**> slot(const ir::Signature* signature);
  /// Takes over a slot that code of a boot image refers to.
  Result<void> adopt(const ir::Signature* signature, void** slot);

 private:
  struct Entry {
    std::unique_ptr<NativeCall> call;
    void** slot = nullptr;
  };
  jit::CodeSlab& slab_;
  std::mutex mutex_;
  std::map<const ir::Signature*, Entry> entries_;
};

}  // namespace gaur::runtime
