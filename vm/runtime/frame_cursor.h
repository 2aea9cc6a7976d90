// Frame cursors (specification, chapter "Threads and stacks", Stack introspection): what a framecursorref
// refers to, and what can be asked of the frame it stands at. Mistakes of a client are errors here; who calls
// makes guest failures or API errors of them.
#pragma once

#include "vm/abi/stack_object.h"
#include "vm/runtime/frame_walker.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;
class Thread;

/// Heap object of type abi::kFrameCursorType. The collector follows the first word and takes the rest for
/// plain data.
struct FrameCursor {
  /// Null once the cursor is closed.
  abi::StackObject* stack;
  FramePosition position;
  /// Where the stack stood when the position was right.
  const void* savedPointer;
  std::uint64_t edits;
};
static_assert(offsetof(FrameCursor, stack) == offsetof(abi::FrameCursorObject, stack));
static_assert(sizeof(FrameCursor) == sizeof(abi::FrameCursorObject));

// `thread` is the calling thread, which may stand on any stack. Cursors may be null, closed, or at frames
// that are gone: all of that is an error, as is a stack that is not READY.

/// A cursor at the innermost frame of a READY stack. Nothing but the caller keeps it alive.
Result<FrameCursor*> newCursor(Thread& thread, abi::StackObject* stack);
/// Goes to the next frame outwards.
Result<void> nextFrame(Thread& thread, FrameCursor* cursor);
Result<FrameCursor*> copyCursor(Thread& thread, const FrameCursor* cursor);
Result<void> closeCursor(FrameCursor* cursor);

/// The position, once it is certain that the stack has such a frame. Registers are those of now.
Result<const FramePosition*> frameOf(FrameCursor* cursor);

/// What waits in a frame. IDs are kNoId for native frames; version and instruction also for undefined
/// functions, the instruction also for functions that have not begun.
struct FrameIds {
  Id function = kNoId;
  Id version = kNoId;
  Id instruction = kNoId;
};
Result<FrameIds> idsOf(Thread& thread, FrameCursor* cursor);

}  // namespace gaur::runtime
