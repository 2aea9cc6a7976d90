#include "vm/runtime/native_unwind.h"

#include <fmt/format.h>
#include <ucontext.h>

#include "vm/runtime/call_frame.h"

namespace gaur::runtime {

namespace {

/// No stack is so deep; information that leads in circles is.
constexpr unsigned kMostFrames = 200'000;

/// Steps until the program counter is a return address in compiled code.
NativeEnd walk(const jit::CodeMap& map, CallFrame& frame, UnwindRegisters& registers) {
  for (unsigned i = 0; i < kMostFrames; ++i) {
    if (frame.pc == 0) return NativeEnd::Host;
    switch (stepOut(frame)) {
      case FrameStep::Unknown: return NativeEnd::Unknown;
      case FrameStep::Outermost: return NativeEnd::Host;
      case FrameStep::Caller: break;
    }
    if (!map.findReturn(frame.pc)) continue;
    frame.readTo(registers);
    return NativeEnd::CompiledCode;
  }
  return NativeEnd::Unknown;
}

Result<NativeEnd> walkOrFail(const jit::CodeMap& map, CallFrame frame, UnwindRegisters& registers) {
  NativeEnd end = walk(map, frame, registers);
  if (end == NativeEnd::Unknown)
    return makeError(ErrorId::NativeFrameUnknown, {fmt::format("{:#x}", frame.pc)});
  return end;
}

/// The caller's registers, as of an instruction in it.
[[gnu::always_inline]] inline UnwindRegisters registersHere() {
  UnwindRegisters here{};
#if defined(__x86_64__)
  asm volatile(
      "movq %%rbx, 0(%0)\n movq %%rbp, 8(%0)\n movq %%r12, 16(%0)\n movq %%r13, 24(%0)\n"
      "movq %%r14, 32(%0)\n movq %%r15, 40(%0)\n movq %%rsp, 48(%0)\n"
      "leaq 0f(%%rip), %%rax\n movq %%rax, 56(%0)\n 0:"
      :
      : "r"(&here)
      : "rax", "memory");
#elif defined(__aarch64__)
  asm volatile(
      "stp x19, x20, [%0]\n stp x21, x22, [%0, #16]\n stp x23, x24, [%0, #32]\n stp x25, x26, [%0, #48]\n"
      "stp x27, x28, [%0, #64]\n stp x29, x30, [%0, #80]\n stp d8, d9, [%0, #96]\n"
      "stp d10, d11, [%0, #112]\n stp d12, d13, [%0, #128]\n stp d14, d15, [%0, #144]\n"
      "mov x16, sp\n adr x17, 0f\n stp x16, x17, [%0, #160]\n 0:"
      :
      : "r"(&here)
      : "x16", "x17", "memory");
#endif
  return here;
}

}  // namespace

Result<NativeEnd> unwindNative(const jit::CodeMap& map, UnwindRegisters& registers) {
  return walkOrFail(map, CallFrame(registers), registers);
}

Result<NativeEnd> unwindHere(const jit::CodeMap& map, UnwindRegisters& registers) {
  CallFrame here(registersHere());
  here.isInterrupted = true;
  return walkOrFail(map, here, registers);
}

NativeEnd tryUnwindNative(const jit::CodeMap& map, UnwindRegisters& registers) {
  CallFrame frame(registers);
  return walk(map, frame, registers);
}

NativeEnd unwindFromSignal(const jit::CodeMap& map, void* context, UnwindRegisters& registers) {
  CallFrame frame(*static_cast<const ucontext_t*>(context));
  return walk(map, frame, registers);
}

}  // namespace gaur::runtime
