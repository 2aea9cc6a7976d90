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

Result<FrameCursor*> makeCursor(Thread& thread, abi::StackObject* stack, const FramePosition& position,
                                const void* savedPointer, std::uint64_t edits) {
  auto* cursor = allocateRuntimeObject<FrameCursor>(thread, abi::kFrameCursorType);
  if (!cursor) return makeError(ErrorId::OutOfMemory, {"a frame cursor"});
  cursor->position = position;
  cursor->savedPointer = savedPointer;
  cursor->edits = edits;
  cursor->stack = stack;
  return cursor;
}

/// Asked at every step of a walk, so that only what goes wrong makes a Result. A stack that stands where it
/// stood has the same frames.
bool isAtFrame(const FrameCursor* cursor) {
  return cursor && cursor->stack && cursor->savedPointer == cursor->stack->savedPointer &&
         cursor->edits == cursor->stack->edits && cursor->position.kind != FrameKind::End;
}

/// Frames may have been popped and pushed since the cursor came to its frame, or the stack may have run.
Result<void> findAgain(Thread& thread, FrameCursor* cursor) {
  GAUR_TRY(checkOpen(cursor));
  if (!isReady(*cursor->stack)) return makeError(ErrorId::StackNotReady);
  if (cursor->position.kind == FrameKind::End) return makeError(ErrorId::NoFrameBelow);
  FramePosition now{};
  FrameWalker walker(thread.vm().codeMap(), thread.unwindCache, now);
  walker.begin(*cursor->stack);
  GAUR_TRY(walker.find(cursor->position));
  cursor->position = now;
  cursor->savedPointer = cursor->stack->savedPointer;
  cursor->edits = cursor->stack->edits;
  return {};
}

}  // namespace

Result<FrameCursor*> newCursor(Thread& thread, abi::StackObject* stack) {
  if (!stack) return makeError(ErrorId::StackNull);
  if (!isReady(*stack)) return makeError(ErrorId::StackNotReady);
  FramePosition top{};
  FrameWalker(thread.vm().codeMap(), thread.unwindCache, top).begin(*stack);
  return makeCursor(thread, stack, top, stack->savedPointer, stack->edits);
}

Result<const FramePosition*> frameOf(FrameCursor* cursor) {
  if (!isAtFrame(cursor)) GAUR_TRY(findAgain(*Thread::current(), cursor));
  return &cursor->position;
}

Result<void> nextFrame(Thread& thread, FrameCursor* cursor) {
  if (!isAtFrame(cursor)) GAUR_TRY(findAgain(thread, cursor));
  return FrameWalker(thread.vm().codeMap(), thread.unwindCache, cursor->position).next();
}

Result<FrameCursor*> copyCursor(Thread& thread, const FrameCursor* cursor) {
  GAUR_TRY(checkOpen(cursor));
  return makeCursor(thread, cursor->stack, cursor->position, cursor->savedPointer, cursor->edits);
}

Result<void> closeCursor(FrameCursor* cursor) {
  GAUR_TRY(checkOpen(cursor));
  cursor->stack = nullptr;
  return {};
}

Result<FrameIds> idsOf(Thread& thread, FrameCursor* cursor) {
  if (!isAtFrame(cursor)) GAUR_TRY(findAgain(thread, cursor));
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
