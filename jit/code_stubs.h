// The few instructions that are written by hand instead of compiled: trampolines, and what fills memory that holds no code. One file a target
// implements this: code_stubs_<target>.cpp.
#pragma once

#include <cstddef>

namespace gaur::jit {

inline constexpr std::size_t kTrampolineBytes = 32;

/// Writes to `writable`, to run at any address, the code of a trampoline (see CodeSlab::makeTrampoline).
void writeTrampoline(void* writable, void* chain, void* const* target);

/// Fills with instructions that trap.
void fillWithTraps(void* writable, std::size_t bytes);

/// Makes what was written to `writable` visible to instruction fetch from `code`.
void flushCode(void* code, void* writable, std::size_t bytes);

}  // namespace gaur::jit
