#include "vm/runtime/frame_cursor.h"

#include "jit/code_map.h"
#include "vm/abi/function_record.h"
#include "vm/ir/entity.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

Result<void> checkOpen(const FrameCursor* cursor) {
  if (!cursor) return makeError(ErrorId::CursorNull);
  if (!cursor->stack) return makeError(ErrorId::CursorClosed);
  return {};
}

Result<FrameCursor*> makeCursor(Thread& thread, abi::StackObject* stack, const FramePosition& position) {
  auto* cursor = allocateRuntimeObject<FrameCursor>(thread, abi::kFrameCursorType);
  if (!cursor) return makeError(ErrorId::OutOfMemory, {"a frame cursor"});
  cursor->position = position;
  cursor->stack = stack;
  return cursor;
}

/// Stack pointer that the top frame of a READY stack goes on with.
std::uintptr_t innermostStackPointer(const abi::StackObject& stack) {
  const auto* saved = static_cast<const abi::SavedFrame*>(stack.savedPointer);
  if (saved->pc == reinterpret_cast<void*>(&gaur_resumeFrame))
    return reinterpret_cast<const abi::ResumeFrame*>(saved)->stackPointer;
  return reinterpret_cast<std::uintptr_t>(saved + 1);
}

/// Asked at every step of a walk, so that only what goes wrong makes a Result.
bool isAtFrame(const FrameCursor* cursor) {
  return cursor && cursor->stack && isReady(*cursor->stack) && cursor->position.kind != FrameKind::End &&
         cursor->position.registers.stackPointer >= innermostStackPointer(*cursor->stack);
}

/// Requires: !isAtFrame(cursor).
Error whyNoFrame(const FrameCursor* cursor) {
  if (auto open = checkOpen(cursor); !open) return open.error();
  if (!isReady(*cursor->stack)) return makeError(ErrorId::StackNotReady);
  return makeError(cursor->position.kind == FrameKind::End ? ErrorId::NoFrameBelow : ErrorId::FrameGone);
}

}  // namespace

Result<FrameCursor*> newCursor(Thread& thread, abi::StackObject* stack) {
  if (!stack) return makeError(ErrorId::StackNull);
  if (!isReady(*stack)) return makeError(ErrorId::StackNotReady);
  FramePosition top{};
  FrameWalker(thread.vm().codeMap(), thread.unwindCache, top).begin(*stack);
  return makeCursor(thread, stack, top);
}

Result<const FramePosition*> frameOf(const FrameCursor* cursor) {
  if (!isAtFrame(cursor)) return whyNoFrame(cursor);
  return &cursor->position;
}

Result<void> nextFrame(Thread& thread, FrameCursor* cursor) {
  if (!isAtFrame(cursor)) return whyNoFrame(cursor);
  return FrameWalker(thread.vm().codeMap(), thread.unwindCache, cursor->position).next();
}

Result<FrameCursor*> copyCursor(Thread& thread, const FrameCursor* cursor) {
  GAUR_TRY(checkOpen(cursor));
  return makeCursor(thread, cursor->stack, cursor->position);
}

Result<void> closeCursor(FrameCursor* cursor) {
  GAUR_TRY(checkOpen(cursor));
  cursor->stack = nullptr;
  return {};
}

Result<FrameIds> idsOf(Thread& thread, const FrameCursor* cursor) {
  if (!isAtFrame(cursor)) return whyNoFrame(cursor);
  const FramePosition& position = cursor->position;
  FrameIds ids;
  switch (position.kind) {
    case FrameKind::NotBegun: {
      const ir::Function& function = *startFrameOf(position).record->function;
      const ir::FunctionVersion* version = function.current.load(std::memory_order_acquire);
      ids.function = function.id;
      if (version) ids.version = version->id;
      break;
    }
    case FrameKind::Undefined:
    case FrameKind::Compiled: {
      const jit::CodeMap& map = thread.vm().codeMap();
      thread.unwindCache.refresh(map);
      const jit::CodeSite& site = thread.unwindCache.find(map, position.registers.pc).site;
      ids.function = site.function->record->id;
      ids.version = site.function->version;
      if (position.kind == FrameKind::Compiled) ids.instruction = site.row->instruction;
      break;
    }
    case FrameKind::Native:
    case FrameKind::End: break;
  }
  return ids;
}

}  // namespace gaur::runtime
