// Unwinding: from the frame that throws to the landing pad of the nearest call that has one, by frame pointers and the rows of the code map. It
// takes no lock and no memory. Calls from native code have a landing pad, so it never reaches a native frame.
#include <fmt/format.h>

#include <utility>

#include "jit/code_map.h"
#include "vm/runtime/backtrace.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

/// The registers that a callee saves, by their DWARF numbers.
#if defined(__x86_64__)
class RegisterFile {
 public:
  static constexpr unsigned kFramePointer = 6;

  explicit RegisterFile(const UnwindRegisters& from) {
    values_[3] = from.rbx;
    values_[6] = from.rbp;
    values_[12] = from.r12;
    values_[13] = from.r13;
    values_[14] = from.r14;
    values_[15] = from.r15;
  }
  void storeTo(UnwindRegisters& to) const {
    to.rbx = values_[3];
    to.rbp = values_[6];
    to.r12 = values_[12];
    to.r13 = values_[13];
    to.r14 = values_[14];
    to.r15 = values_[15];
  }
  std::uintptr_t& operator[](unsigned number) { return values_[number & 15]; }

 private:
  std::uintptr_t values_[16];
};
/// The return address lies below the frame's canonical address.
constexpr std::uintptr_t kReturnAddressBytes = 8;
#elif defined(__aarch64__)
class RegisterFile {
 public:
  static constexpr unsigned kFramePointer = 29;

  explicit RegisterFile(const UnwindRegisters& from) {
    for (unsigned i = 0; i < 12; ++i) values_[19 + i] = from.x19to30[i];
    for (unsigned i = 0; i < 8; ++i) values_[72 + i] = from.d8to15[i];
  }
  void storeTo(UnwindRegisters& to) const {
    for (unsigned i = 0; i < 12; ++i) to.x19to30[i] = values_[19 + i];
    for (unsigned i = 0; i < 8; ++i) to.d8to15[i] = values_[72 + i];
  }
  std::uintptr_t& operator[](unsigned number) { return values_[number]; }

 private:
  std::uintptr_t values_[96];
};
constexpr std::uintptr_t kReturnAddressBytes = 0;
#endif

std::uintptr_t wordAt(std::uintptr_t address) { return *reinterpret_cast<const std::uintptr_t*>(address); }

std::uintptr_t moved(std::uintptr_t address, std::int64_t offset) { return address + static_cast<std::uintptr_t>(offset); }

}  // namespace

}  // namespace gaur::runtime

using namespace gaur;
using namespace gaur::runtime;

/// Sets the registers to those of the landing pad that takes the exception, and returns the exception for the stub to pass on.
extern "C" void* gaur_unwind(UnwindRegisters* state, void* exception) {
  Thread* thread = Thread::current();
  const jit::CodeMap& map = thread->vm().codeMap();
  thread->unwindCache.refresh(map);
  RegisterFile registers(*state);
  std::uintptr_t pc = state->pc;
  std::uintptr_t callStackPointer = state->stackPointer;
  thread->throwSite = pc;
  thread->overflow = std::exchange(thread->overflowPending, false);
  while (true) {
    const jit::UnwindStep& step = thread->unwindCache.find(map, pc);
    GAUR_CHECK(step.site, fmt::format("unwinding met the address {:#x}, which is in no compiled code; thrown at\n{}", pc,
                                 formatBacktrace(thread->vm(), collectBacktrace(thread->vm(), state->pc, registers[RegisterFile::kFramePointer]))));
    std::uintptr_t framePointer = registers[RegisterFile::kFramePointer];
    std::uintptr_t cfa = moved(framePointer, step.cfaOffset);
    if (step.landingPad != 0) {
      registers.storeTo(*state);
      // A frame that grows while it runs is addressed by its frame pointer: anything below its cells will do.
      bool isDynamic = step.site.row->frameSize == abi::kDynamicFrame;
      state->stackPointer = isDynamic ? callStackPointer + step.site.row->argumentBytes : cfa - kReturnAddressBytes - step.site.row->frameSize;
      state->pc = step.landingPad;
      return exception;
    }
    for (std::uint32_t i = 0; i < step.savedCount; ++i)
      registers[step.saved[i].dwarfNumber] = wordAt(moved(cfa, step.saved[i].cfaOffset));
#if defined(__x86_64__)
    pc = wordAt(cfa - kReturnAddressBytes);
#else
    pc = wordAt(framePointer + sizeof(std::uintptr_t));
#endif
    registers[RegisterFile::kFramePointer] = wordAt(framePointer);
    callStackPointer = cfa;
  }
}

/// The exception that is thrown next stands for a stack overflow.
extern "C" void gaur_noteStackOverflow() {
  Thread::current()->overflowPending = true;
}
