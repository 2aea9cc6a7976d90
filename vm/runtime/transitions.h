// The transitions between stacks and between C++ and compiled code that are written in assembly:
// transitions_<target>.S. The README of vm/abi tells what the registers hold at each of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/stack_object.h"

namespace gaur::runtime {

using StackFunction = void (*)(void* argument);

#if defined(__x86_64__)
/// What a frame has to find in its registers when control comes back to it.
struct UnwindRegisters {
  std::uintptr_t rbx, rbp, r12, r13, r14, r15;
  std::uintptr_t stackPointer;
  std::uintptr_t pc;
};
static_assert(offsetof(UnwindRegisters, rbp) == 8 && offsetof(UnwindRegisters, r12) == 16);
static_assert(offsetof(UnwindRegisters, stackPointer) == 48 && offsetof(UnwindRegisters, pc) == 56);
#elif defined(__aarch64__)
struct UnwindRegisters {
  std::uintptr_t x19to30[12];
  std::uintptr_t d8to15[8];
  std::uintptr_t stackPointer;
  std::uintptr_t pc;
};
static_assert(offsetof(UnwindRegisters, d8to15) == 96);
static_assert(offsetof(UnwindRegisters, stackPointer) == 160 && offsetof(UnwindRegisters, pc) == 168);
#endif

/// Below this address of the stack it runs on, compiled code raises a stack overflow; 0 lets it go on to the
/// end.
inline void setStackLimit(std::uintptr_t limit) {
#if defined(__x86_64__)
  // The word of the thread control block that the C library sets aside for split stacks: prologues of
  // compiled code compare with it.
  asm volatile("movq %0, %%fs:0x70" ::"r"(limit) : "memory");
#else
  (void)limit;
#endif
}

inline std::uintptr_t stackLimit() {
  std::uintptr_t limit = 0;
#if defined(__x86_64__)
  asm volatile("movq %%fs:0x70, %0" : "=r"(limit));
#endif
  return limit;
}

inline std::uintptr_t stackPointer() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

}  // namespace gaur::runtime

extern "C" {

/// Calls function(argument) on the stack with this top (a multiple of 16). The stack pointer of the stack
/// that is left is stored in *saved, above all registers that must survive. Returns 0, or 1 if it was left
/// through gaur_abandon(*saved).
int gaur_enterStack(void* top, void** saved, gaur::runtime::StackFunction function, void* argument);
/// The same on the stack it is called on.
int gaur_callGuarded(void** saved, gaur::runtime::StackFunction function, void* argument);
/// Gives up everything since the gaur_enterStack or gaur_callGuarded that stored `saved`: it returns 1.
[[noreturn]] void gaur_abandon(void* saved);

/// Resumes a stack that stands at its leftPointer, as a READY one does at its savedPointer, with what the
/// image tells. The native stack is left as by gaur_enterStack: its stack pointer goes to *saved; returns 1
/// by gaur_abandon. The block's `stack`, which may refer to the one to resume, becomes null when that is
/// bound.
int gaur_enterResumed(gaur::abi::StackObject* stack, void** saved, const gaur::abi::ResumeImage* image);

// Places that a SavedFrame's pc, or a return address, can be besides compiled code (vm/abi/stack_object.h).
// Not called from C++.
void gaur_startFrame();
/// Return address of a start adapter; its StartFrame lies at the stack pointer after the return.
void gaur_startReturn();
void gaur_resumeFrame();
/// Return address of the lowest frame of a stack that new_stack made.
void gaur_stackBottom();

/// Stands behind the trampoline of a function that is not compiled: compiles it and goes on to it with the
/// arguments as they are. Not called from C++.
void gaur_lazyEntry();
/// Stands behind the trampoline of an exposed function: sees to it that the thread is attached and the
/// adapter is compiled.
void gaur_exposedEntry();
/// Stands behind the stubs of linked images (vm/abi/linked_image.h): goes on to what LinkedImage::bind
/// returns, with the arguments as they are.
void gaur_resolve_export();

// In front of the code of host functions (vm/abi/native_target.h), with the record, or another NativeTarget,
// in the static chain register. Not called from C++.
/// Calls the code with the arguments as they are and the environment behind those on the stack.
void gaur_hostOnStack();
/// Stands in place of the code once the function is disposed: the call fails.
void gaur_hostDisposed();
/// Stands behind NativeSlot::own while the name stands for a host function, with the slot in that register:
/// calls the slot's address with the arguments as they are, and keeps it, since the caller does not.
void gaur_hostOfPlainCall();

/// Throws the exception as if from the call that these registers wait in.
[[noreturn]] void gaur_throwAt(const gaur::runtime::UnwindRegisters* registers, void* exception);

}  // extern "C"
