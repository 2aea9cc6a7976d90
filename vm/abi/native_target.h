// What compiled code calls when it calls native code by name: a function and the environment that it gets as
// one more argument, its last. A host function is such a pair with an owner; its trampoline is the pointer
// that code without knowledge of the pair calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/asm_offsets.h"

namespace gaur::ir {
struct Signature;
}

namespace gaur::abi {

/// Changes only as a whole, by another one taking its place, except that `code` becomes gaur_hostDisposed.
/// Functions without an environment do not look at the argument.
struct NativeTarget {
  void* code;
  void* environment;
};

/// Data of an EXTERN symbol. A call by name in code that was compiled while the name stood for a host
/// function goes through `target` and keeps that; one in other code goes to `own.code` and keeps nothing; the
/// value of the constant is `address`. Each is good for whatever the name stands for.
struct NativeSlot {
  void* address;
  NativeTarget* target;
  /// `target` of plain functions. Else its code, also kept in its environment, leads to gaur_hostOfPlainCall.
  NativeTarget own;
  /// There is code that calls `own.code`, or it is being made.
  bool hasPlainCalls;
};
static_assert(offsetof(NativeSlot, address) == 0);

/// A host function. Records lie in a range of the data half of the slab, their trampolines in the same order
/// in one of the code half.
struct HostRecord {
  NativeTarget target;
  /// Gets the environment when nothing can call the function any more; or null.
  void (*finaliser)(void* environment);
  const ir::Signature* signature;
  /// For messages: in memory of malloc, or null.
  char* name;
  /// Bytes of arguments on the stack, for gaur_hostOnStack.
  std::uint32_t stackBytes;
  /// Names that stand for it, which keep it.
  std::uint32_t bindings;
  /// Of free ones: the next.
  HostRecord* nextFree;
  /// By clients, which keep it too.
  std::uint64_t pins;
};
static_assert(sizeof(HostRecord) == 64);
static_assert(offsetof(HostRecord, target) + offsetof(NativeTarget, code) == GAUR_HOST_CODE);
static_assert(offsetof(HostRecord, target) + offsetof(NativeTarget, environment) == GAUR_HOST_ENVIRONMENT);
static_assert(offsetof(HostRecord, stackBytes) == GAUR_HOST_STACK_BYTES);

}  // namespace gaur::abi
