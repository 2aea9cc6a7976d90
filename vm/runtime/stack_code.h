// The words of a READY stack that hold addresses of code, for who takes the stack to another process: a boot
// image. All other words are values of the frames, of which no more is known than what the collector knows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jit/code_map.h"
#include "vm/abi/stack_object.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

struct CodeWord {
  enum class Kind : std::uint8_t {
    /// A return address in compiled code: `site`.
    Return,
    /// One of the places in stackStubs().
    Stub,
    /// The code that begins functions of `signature`.
    StartAdapter,
  };
  Kind kind;
  std::uintptr_t* place;
  jit::CodeSite site = {};
  /// StartAdapter; and Return, where it lies in such code.
  const ir::Signature* signature = nullptr;
};

/// From the top of the stack to its end. Requires: the stack is READY, on an attached thread. An error where
/// it has a frame of native code, which tells the frame before it.
Result<std::vector<CodeWord>> codeWordsOf(MicroVm& vm, const abi::StackObject& stack);

/// Addresses in the runtime that a stack may hold, in an order that is the same in all processes of one
/// build.
std::span<void* const> stackStubs();

}  // namespace gaur::runtime
