// One step out of a native frame, by the call frame information of its code (DWARF 5, section 6.4, in the
// form of the Linux Standard Base's .eh_frame). Nothing is allocated or locked, so it works in signal
// handlers.
#pragma once

#include <ucontext.h>

#include <bitset>
#include <cstdint>

#include "vm/runtime/transitions.h"

namespace gaur::runtime {

/// Where native code stands, and the registers that it has there, as far as they are known.
struct CallFrame {
#if defined(__x86_64__)
  /// DWARF numbers as they are: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, and the return address,
  /// which is the program counter to the frame itself.
  static constexpr unsigned kRegisters = 17, kStackPointer = 7, kReturnAddress = 16;
#elif defined(__aarch64__)
  /// x0 to x30 (the return address), sp, and d8 to d15 (DWARF numbers 72 to 79).
  static constexpr unsigned kRegisters = 40, kStackPointer = 31, kReturnAddress = 30;
#endif

  /// Of a call that native code has made; what callers save is not known.
  explicit CallFrame(const UnwindRegisters& registers);
  /// Of code that a signal interrupted.
  explicit CallFrame(const ucontext_t& context);

  /// The registers that calls keep.
  void readTo(UnwindRegisters& registers) const;

  std::uintptr_t words[kRegisters];
  std::bitset<kRegisters> known;
  std::uintptr_t pc;
  /// `pc` is of the next instruction, and not behind a call, which may be the last one of its function.
  bool isInterrupted;
};

enum class FrameStep : std::uint8_t {
  /// The frame is the caller's now.
  Caller,
  /// Nothing has called it: the beginning of a thread.
  Outermost,
  /// There is no information, or none that can be followed. The frame is as it was.
  Unknown,
};

FrameStep stepOut(CallFrame& frame);

}  // namespace gaur::runtime
