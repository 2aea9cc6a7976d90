#include "vm/runtime/frame_walker.h"

#include <fmt/format.h>

#include <cstring>

#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/native_unwind.h"
#include "vm/runtime/register_file.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

using abi::CodeKind;

constexpr std::uintptr_t kStackAlignment = 16;

std::uintptr_t canonicalAddress(const UnwindRegisters& registers, std::int32_t offset) {
  return moved(framePointerOf(registers), offset);
}

/// Stack pointer after the call, from what the callee's frame began at.
std::uintptr_t stackPointerAfter(const abi::CallSiteRow& row, std::uintptr_t cfa,
                                 std::uintptr_t calleeFrame) {
  // Cells lie at the lower end of a frame that grows while it runs: the stack pointer must not go above what
  // the callee left.
  if (row.frameSize == abi::kDynamicFrame) return calleeFrame + row.calleePops % kStackAlignment;
  return cfa - kReturnAddressBytes - row.frameSize + row.calleePops;
}

}  // namespace

void FrameWalker::begin(const abi::StackObject& stack) {
  enter(static_cast<abi::SavedFrame*>(stack.savedPointer));
}

Result<void> FrameWalker::find(const FramePosition& wanted) {
  const UnwindRegisters& registers = position_.registers;
  // Where it can be resumed does not count: a frame gets such a place when it is uncovered.
  while (position_.kind != wanted.kind || registers.pc != wanted.registers.pc ||
         registers.stackPointer != wanted.registers.stackPointer ||
         framePointerOf(registers) != framePointerOf(wanted.registers)) {
    if (position_.kind == FrameKind::End || registers.stackPointer > wanted.registers.stackPointer)
      return makeError(ErrorId::FrameGone);
    GAUR_TRY(next());
  }
  return {};
}

Result<void> FrameWalker::next() {
  switch (position_.kind) {
    case FrameKind::Compiled:
    case FrameKind::Undefined:
      leave(cache_.find(map_, position_.registers.pc));
      settle();
      return {};
    case FrameKind::NotBegun: enter(startFrameOf(position_).below); return {};
    case FrameKind::Native: {
      UnwindRegisters registers = position_.registers;
      GAUR_TRY_ASSIGN(NativeEnd end, unwindNative(map_, registers));
      position_ = {registers, nullptr, FrameKind::End};
      if (end == NativeEnd::CompiledCode) settle();
      return {};
    }
    case FrameKind::End: break;
  }
  return makeError(ErrorId::NoFrameBelow);
}

/// To the caller of a compiled frame. The stack pointer becomes the one before the call.
void FrameWalker::leave(const jit::UnwindStep& step) {
  UnwindRegisters& registers = position_.registers;
  std::uintptr_t framePointer = framePointerOf(registers);
  std::uintptr_t cfa = moved(framePointer, step.cfaOffset);
  for (std::uint32_t i = 0; i < step.savedCount; ++i)
    calleeSaved(registers, step.saved[i].dwarfNumber) = wordAt(moved(cfa, step.saved[i].cfaOffset));
  framePointerOf(registers) = wordAt(framePointer);
  registers.pc = wordAt(returnPlace(framePointer, cfa));
  registers.stackPointer = cfa;
  position_.saved = nullptr;
}

/// From registers in some frame to the next frame that shows, which may be that one.
void FrameWalker::settle() {
  UnwindRegisters& registers = position_.registers;
  while (true) {
    const HiddenFrame hidden = hiddenFrameAt(registers.pc, registers.stackPointer);
    if (hidden.kind == HiddenFrame::Kind::Begun) return enter(hidden.start().below);
    if (hidden.kind == HiddenFrame::Kind::Bottom) break;
    const jit::UnwindStep& step = cache_.find(map_, registers.pc);
    GAUR_CHECK(step.site && step.site.row,
               fmt::format("a frame of a stack is at {:#x}, which is no call site", registers.pc));
    const abi::FunctionCode& function = *step.site.function;
    switch (function.kind) {
      case CodeKind::Function:
      case CodeKind::Undefined:
        registers.stackPointer = stackPointerAfter(
            *step.site.row, canonicalAddress(registers, step.cfaOffset), registers.stackPointer);
        position_.kind = function.kind == CodeKind::Function ? FrameKind::Compiled : FrameKind::Undefined;
        return;
      case CodeKind::StartAdapter: leave(step); break;
      case CodeKind::NativeAdapter: return passAdapter(step);
    }
  }
  position_.kind = FrameKind::End;
}

/// From an adapter that native code called to that native code.
void FrameWalker::passAdapter(const jit::UnwindStep& step) {
  const abi::CallSiteRow& row = *step.site.row;
  std::uintptr_t framePointer = framePointerOf(position_.registers);
  if (row.keepaliveCount != 0)
    outerCookie_ = OuterCookie{
        framePointer, valueAt(step.site, framePointer, step.site.block->keepalives[row.firstKeepalive])};
  UnwindRegisters& registers = position_.registers;
  registers.stackPointer =
      stackPointerAfter(row, canonicalAddress(registers, step.cfaOffset), registers.stackPointer);
  passedAdapter_ = Adapter{
      registers, reinterpret_cast<const void*>(step.site.block->begin + step.site.function->beginOffset)};
  leave(step);
  // The host does not show: it is no part of the program.
  UnwindRegisters beyond = registers;
  auto end = unwindNative(map_, beyond);
  position_.kind = end && *end == NativeEnd::Host ? FrameKind::End : FrameKind::Native;
}

void FrameWalker::enter(abi::SavedFrame* saved) {
  UnwindRegisters& registers = position_.registers;
  position_.saved = saved;
  readSavedFrame(saved, registers);
  const HiddenFrame hidden = hiddenFrameAt(saved);
  if (hidden.kind == HiddenFrame::Kind::NotBegun || hidden.kind == HiddenFrame::Kind::Bottom) {
    position_.kind = hidden.kind == HiddenFrame::Kind::NotBegun ? FrameKind::NotBegun : FrameKind::End;
    return;
  }
  if (hidden.kind == HiddenFrame::Kind::Uncovered) readResumeFrame(hidden.uncovered(), registers);
  const jit::UnwindStep& step = cache_.find(map_, registers.pc);
  GAUR_CHECK(step.site, fmt::format("a stack stands at {:#x}, which is no call site", registers.pc));
  if (step.site.function->kind == CodeKind::NativeAdapter) {
    passAdapter(step);
    position_.saved = saved;
    return;
  }
  position_.kind =
      step.site.function->kind == CodeKind::Undefined ? FrameKind::Undefined : FrameKind::Compiled;
}

std::uint64_t valueAt(const jit::CodeSite& site, std::uintptr_t framePointer,
                      const abi::KeepaliveLocation& location) {
  using Kind = abi::KeepaliveLocation::Kind;
  if (location.kind == Kind::Constant) return static_cast<std::uint64_t>(location.constant);
  std::uintptr_t base = framePointer;
  if (location.kind == Kind::FromStackPointer || location.kind == Kind::StackPointerPlus) {
    GAUR_CHECK(site.row->frameSize != abi::kDynamicFrame,
               "a value of a frame that grows is told from its stack pointer");
    base = moved(framePointer, site.function->cfaOffset) - kReturnAddressBytes - site.row->frameSize;
  }
  std::uintptr_t address = moved(base, location.offset);
  if (location.kind == Kind::StackPointerPlus || location.kind == Kind::FramePointerPlus) return address;
  std::uint64_t value = 0;
  GAUR_CHECK(location.size <= sizeof value, "a part of a value is larger than a word");
  std::memcpy(&value, reinterpret_cast<const void*>(address), location.size);
  return value;
}

void* valueMemoryOf(const jit::CodeMap& map, const FramePosition& position) {
  if (position.kind == FrameKind::NotBegun) return startFrameOf(position).valueMemory;
  return valueMemoryAt(map, position.registers);
}

void* valueMemoryAt(const jit::CodeMap& map, const UnwindRegisters& registers) {
  jit::CodeSite site = map.findReturn(registers.pc);
  if (!site.row || !site.row->hasResultMemory) return nullptr;
  // Told by the location before the first KEEPALIVE value.
  const abi::KeepaliveLocation& location = site.block->keepalives[site.row->firstKeepalive - 1];
  return reinterpret_cast<void*>(valueAt(site, framePointerOf(registers), location));
}

}  // namespace gaur::runtime
