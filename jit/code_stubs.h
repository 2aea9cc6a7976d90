// The few instructions that are written by hand instead of compiled: trampolines, what fills memory that
// holds no code, and the jumps of watchpoints. One file a target implements this: code_stubs_<target>.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaur::jit {

inline constexpr std::size_t kTrampolineBytes = 32;

/// Writes to `writable`, to run at any address, the code of a trampoline (see CodeSlab::makeTrampoline).
void writeTrampoline(void* writable, void* chain, void* const* target);

/// Writes to `writable` the code of a host function's pointer (vm/abi/native_target.h): the record into the
/// static chain register, the environment into the integer argument register with this number, and on to the
/// code of the record. With null, to `onStack`, which finds the record there, in place of the last two.
void writeHostTrampoline(void* writable, void* record, unsigned integerRegister, const void* onStack);

/// Fills with instructions that trap.
void fillWithTraps(void* writable, std::size_t bytes);

/// Makes what was written to `writable` visible to instruction fetch from `code`.
void flushCode(void* code, void* writable, std::size_t bytes);

/// Whether the instruction of a watchpoint can lie at the address: so that one store can replace it.
bool isPatchable(std::uintptr_t address);
/// Makes the instruction of a watchpoint, which lies at `code` and is written through `writable`, a jump to
/// `target`, or with null the one that does nothing. Threads that run it execute the old or the new one. One
/// call at a time for an instruction.
void patchWatchpoint(void* code, void* writable, const void* target);

}  // namespace gaur::jit
