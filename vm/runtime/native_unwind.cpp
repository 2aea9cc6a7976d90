#define UNW_LOCAL_ONLY
#include "vm/runtime/native_unwind.h"

#include <fmt/format.h>
#include <libunwind.h>
#include <ucontext.h>

#include <cstring>

namespace gaur::runtime {

namespace {

/// No stack is so deep; unwind information that leads in circles is.
constexpr unsigned kMostFrames = 200'000;

std::uintptr_t registerOf(unw_cursor_t& cursor, int number) {
  unw_word_t word = 0;
  unw_get_reg(&cursor, number, &word);
  return word;
}

#if defined(__x86_64__)
unw_context_t contextOf(const UnwindRegisters& registers) {
  unw_context_t context;
  std::memset(&context, 0, sizeof context);
  auto set = [&](int index, std::uintptr_t value) {
    context.uc_mcontext.gregs[index] = static_cast<greg_t>(value);
  };
  set(REG_RBX, registers.rbx);
  set(REG_RBP, registers.rbp);
  set(REG_R12, registers.r12);
  set(REG_R13, registers.r13);
  set(REG_R14, registers.r14);
  set(REG_R15, registers.r15);
  set(REG_RSP, registers.stackPointer);
  set(REG_RIP, registers.pc);
  return context;
}

void readRegisters(unw_cursor_t& cursor, UnwindRegisters& registers) {
  registers.rbx = registerOf(cursor, UNW_X86_64_RBX);
  registers.rbp = registerOf(cursor, UNW_X86_64_RBP);
  registers.r12 = registerOf(cursor, UNW_X86_64_R12);
  registers.r13 = registerOf(cursor, UNW_X86_64_R13);
  registers.r14 = registerOf(cursor, UNW_X86_64_R14);
  registers.r15 = registerOf(cursor, UNW_X86_64_R15);
  registers.stackPointer = registerOf(cursor, UNW_X86_64_RSP);
  registers.pc = registerOf(cursor, UNW_X86_64_RIP);
}
#elif defined(__aarch64__)
unw_context_t contextOf(const UnwindRegisters& registers) {
  unw_context_t context;
  std::memset(&context, 0, sizeof context);
  for (unsigned i = 0; i < 12; ++i) context.uc_mcontext.regs[19 + i] = registers.x19to30[i];
  context.uc_mcontext.sp = registers.stackPointer;
  context.uc_mcontext.pc = registers.pc;
  return context;
}

void readRegisters(unw_cursor_t& cursor, UnwindRegisters& registers) {
  for (int i = 0; i < 12; ++i) registers.x19to30[i] = registerOf(cursor, UNW_AARCH64_X19 + i);
  // Only those that native code saved are known to the cursor; the others are as they were.
  for (int i = 0; i < 8; ++i) {
    unw_save_loc_t place{};
    if (unw_get_save_loc(&cursor, UNW_AARCH64_V8 + i, &place) == 0 && place.type == UNW_SLT_MEMORY)
      registers.d8to15[i] = *reinterpret_cast<const std::uintptr_t*>(place.u.addr);
  }
  registers.stackPointer = registerOf(cursor, UNW_AARCH64_SP);
  registers.pc = registerOf(cursor, UNW_AARCH64_PC);
}
#endif

std::uintptr_t programCounter(unw_cursor_t& cursor) { return registerOf(cursor, UNW_REG_IP); }

/// Without it libunwind would guess by frame pointers, and lose what the callee saved. It tells by a range of
/// one byte that it knows nothing.
bool hasUnwindInformation(unw_cursor_t& cursor) {
  unw_proc_info_t info{};
  return unw_get_proc_info(&cursor, &info) == 0 && info.end_ip - info.start_ip > 1;
}

/// Steps until the program counter is a return address in compiled code.
NativeEnd walk(const jit::CodeMap& map, unw_cursor_t& cursor, UnwindRegisters& registers) {
  for (unsigned i = 0; i < kMostFrames; ++i) {
    if (programCounter(cursor) == 0) return NativeEnd::Host;
    if (!hasUnwindInformation(cursor)) return NativeEnd::Unknown;
    int stepped = unw_step(&cursor);
    if (stepped < 0) return NativeEnd::Unknown;
    if (stepped == 0) return NativeEnd::Host;
    if (!map.findReturn(programCounter(cursor))) continue;
    readRegisters(cursor, registers);
    return NativeEnd::CompiledCode;
  }
  return NativeEnd::Unknown;
}

/// `place` becomes the program counter of the last native frame that was reached.
NativeEnd walkFrom(const jit::CodeMap& map, UnwindRegisters& registers, std::uintptr_t& place) {
  unw_context_t context = contextOf(registers);
  unw_cursor_t cursor;
  place = registers.pc;
  if (unw_init_local(&cursor, &context) != 0) return NativeEnd::Unknown;
  NativeEnd end = walk(map, cursor, registers);
  place = programCounter(cursor);
  return end;
}

}  // namespace

Result<NativeEnd> unwindNative(const jit::CodeMap& map, UnwindRegisters& registers) {
  std::uintptr_t place = 0;
  NativeEnd end = walkFrom(map, registers, place);
  if (end == NativeEnd::Unknown) return makeError(ErrorId::NativeFrameUnknown, {fmt::format("{:#x}", place)});
  return end;
}

Result<NativeEnd> unwindHere(const jit::CodeMap& map, UnwindRegisters& registers) {
  unw_context_t context;
  unw_cursor_t cursor;
  if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0)
    return makeError(ErrorId::NativeFrameUnknown, {"here"});
#if defined(__aarch64__)
  asm volatile(
      "stp d8, d9, [%0]\n stp d10, d11, [%0, #16]\n stp d12, d13, [%0, #32]\n stp d14, d15, [%0, #48]"
      :
      : "r"(registers.d8to15)
      : "memory");
#endif
  const NativeEnd end = walk(map, cursor, registers);
  if (end == NativeEnd::Unknown)
    return makeError(ErrorId::NativeFrameUnknown, {fmt::format("{:#x}", programCounter(cursor))});
  return end;
}

NativeEnd tryUnwindNative(const jit::CodeMap& map, UnwindRegisters& registers) {
  std::uintptr_t place = 0;
  return walkFrom(map, registers, place);
}

NativeEnd unwindFromSignal(const jit::CodeMap& map, void* context, UnwindRegisters& registers) {
  unw_cursor_t cursor;
  // The C library's context is what libunwind takes for its own on the targets that there are.
  static_assert(sizeof(unw_context_t) <= sizeof(ucontext_t));
  if (unw_init_local2(&cursor, static_cast<unw_context_t*>(context), UNW_INIT_SIGNAL_FRAME) != 0)
    return NativeEnd::Unknown;
  return walk(map, cursor, registers);
}

}  // namespace gaur::runtime
