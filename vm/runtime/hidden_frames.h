// The frames that resumption needs and that no function of the program has (vm/abi/stack_object.h): how
// whoever goes over the frames of a stack knows them, and finds what lies beyond.
#pragma once

#include <cstdint>

#include "vm/abi/stack_object.h"
#include "vm/runtime/register_file.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

inline std::uintptr_t addressOf(void (*place)()) { return reinterpret_cast<std::uintptr_t>(place); }
inline std::uintptr_t addressOf(const void* object) { return reinterpret_cast<std::uintptr_t>(object); }

struct HiddenFrame {
  enum class Kind : std::uint8_t {
    /// A frame of compiled or native code.
    None,
    /// Of a start adapter: the function that it called returns to it.
    Begun,
    /// Of a function that has not begun.
    NotBegun,
    /// A frame that was uncovered by popping those above it.
    Uncovered,
    /// The end of a stack.
    Bottom,
  };
  Kind kind;
  /// Of the StartFrame (Begun, NotBegun) or the ResumeFrame (Uncovered), which need not be readable where the
  /// stack pointer is a guess.
  std::uintptr_t address;

  const abi::StartFrame& start() const { return *reinterpret_cast<const abi::StartFrame*>(address); }
  const abi::ResumeFrame& uncovered() const { return *reinterpret_cast<const abi::ResumeFrame*>(address); }
};

/// What waits at `pc`, with this stack pointer once it goes on.
inline HiddenFrame hiddenFrameAt(std::uintptr_t pc, std::uintptr_t stackPointer) {
  using Kind = HiddenFrame::Kind;
  // The head of a frame that waits READY has been popped.
  const std::uintptr_t head = stackPointer - sizeof(abi::SavedFrame);
  if (pc == addressOf(gaur_startReturn)) return {Kind::Begun, stackPointer};
  if (pc == addressOf(gaur_startFrame)) return {Kind::NotBegun, head};
  if (pc == addressOf(gaur_resumeFrame)) return {Kind::Uncovered, head};
  if (pc == addressOf(gaur_stackBottom)) return {Kind::Bottom, 0};
  return {Kind::None, 0};
}
inline HiddenFrame hiddenFrameAt(const abi::SavedFrame* saved) {
  return hiddenFrameAt(addressOf(saved->pc), addressOf(saved + 1));
}

/// Registers of a frame that waits READY; of those that a callee saves, it knows the frame pointer alone.
inline void readSavedFrame(const abi::SavedFrame* saved, UnwindRegisters& registers) {
  framePointerOf(registers) = addressOf(saved->framePointer);
  registers.pc = addressOf(saved->pc);
  registers.stackPointer = addressOf(saved + 1);
}

/// Registers of an uncovered frame, whose frame pointer is there already.
inline void readResumeFrame(const abi::ResumeFrame& frame, UnwindRegisters& registers) {
  RegisterFile file(registers);
  file.loadFrom(frame);
  file.storeTo(registers);
  registers.pc = frame.pc;
  registers.stackPointer = frame.stackPointer;
}

}  // namespace gaur::runtime
