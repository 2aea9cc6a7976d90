// Unwinding: from the frame that throws to the landing pad of the nearest call that has one, by frame
// pointers and the rows of the code map. It takes no lock and no memory. Calls from native code have a
// landing pad, so it never reaches a native frame.
#include <fmt/format.h>

#include <utility>

#include "jit/code_map.h"
#include "vm/runtime/backtrace.h"
#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/register_file.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

/// Where unwinding stands: what the registers are for the frame, the address it waits at, and the stack
/// pointer once the call there is over.
struct Position {
  RegisterFile registers;
  std::uintptr_t pc;
  std::uintptr_t stackPointer;
  /// The frame was uncovered by popping, so that its callee has no arguments left on the stack.
  bool isResumed = false;

  std::uintptr_t& framePointer() { return registers[RegisterFile::kFramePointer]; }
};

/// Goes over the frames that resumption needs (vm/abi/stack_object.h). False at the bottom of a stack.
bool crossHiddenFrame(Position& at) {
  const HiddenFrame hidden = hiddenFrameAt(at.pc, at.stackPointer);
  if (hidden.kind == HiddenFrame::Kind::Uncovered) {
    const abi::ResumeFrame& frame = hidden.uncovered();
    at.registers.loadFrom(frame);
    at.pc = frame.pc;
    at.stackPointer = frame.stackPointer;
    at.isResumed = true;
    return true;
  }
  GAUR_CHECK(hidden.kind != HiddenFrame::Kind::None,
             fmt::format("unwinding met the address {:#x}, which is in no compiled code", at.pc));
  if (hidden.kind == HiddenFrame::Kind::Bottom) return false;
  const abi::SavedFrame* below = hidden.start().below;
  at.framePointer() = addressOf(below->framePointer);
  at.pc = addressOf(below->pc);
  at.stackPointer = addressOf(below + 1);
  return true;
}

std::uintptr_t landingStackPointer(const jit::UnwindStep& step, std::uintptr_t cfa, const Position& at) {
  const abi::CallSiteRow& row = *step.site.row;
  if (row.frameSize != abi::kDynamicFrame) return cfa - kReturnAddressBytes - row.frameSize;
  // A frame that grows while it runs is addressed by its frame pointer: anything below its cells will do.
  return (at.isResumed ? at.stackPointer : at.stackPointer + row.argumentBytes) & ~std::uintptr_t{15};
}

/// No frame of the program takes the exception: where it came from is all that can be told of it later.
void rememberThrow(Thread& thread, const UnwindRegisters& state) {
  thread.throwTrace =
      collectBacktrace(thread.vm(), state.pc, RegisterFile(state)[RegisterFile::kFramePointer]);
}

}  // namespace

}  // namespace gaur::runtime

using namespace gaur;
using namespace gaur::runtime;

/// Sets the registers to those of the landing pad that takes the exception, and returns the exception for the
/// stub to pass on.
extern "C" void* gaur_unwind(UnwindRegisters* state, void* exception) {
  Thread* thread = Thread::current();
  const jit::CodeMap& map = thread->vm().codeMap();
  Position at{RegisterFile(*state), state->pc, state->stackPointer};
  thread->overflow = std::exchange(thread->overflowPending, false);
  while (true) {
    const jit::UnwindStep& step = thread->unwindCache.find(map, at.pc);
    if (!step.site) {
      if (crossHiddenFrame(at)) continue;
      rememberThrow(*thread, *state);
      thread->uncaught(exception);
    }
    std::uintptr_t framePointer = at.framePointer();
    std::uintptr_t cfa = moved(framePointer, step.cfaOffset);
    if (step.landingPad != 0) {
      if (step.site.function->kind == abi::CodeKind::NativeAdapter) rememberThrow(*thread, *state);
      at.registers.storeTo(*state);
      state->stackPointer = landingStackPointer(step, cfa, at);
      state->pc = step.landingPad;
      return exception;
    }
    for (std::uint32_t i = 0; i < step.savedCount; ++i)
      at.registers[step.saved[i].dwarfNumber] = wordAt(moved(cfa, step.saved[i].cfaOffset));
    at.pc = wordAt(returnPlace(framePointer, cfa));
    at.framePointer() = wordAt(framePointer);
    at.stackPointer = cfa;
    at.isResumed = false;
  }
}

/// The exception that is thrown next stands for a stack overflow.
extern "C" void gaur_noteStackOverflow() { Thread::current()->overflowPending = true; }
