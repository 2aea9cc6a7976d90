// On-stack replacement (specification, chapter "Threads and stacks"): editing the frames of a READY stack. No
// code of the program runs meanwhile; afterwards the stack is READY for what its new top frame expects
// (resumption.h).
#pragma once

#include "vm/abi/function_record.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class Thread;

/// The cursor's frame becomes the top of its stack. Cursors at frames above it are at frames that are gone.
Result<void> popFramesTo(Thread& thread, FrameCursor* cursor);

/// A frame of the function, which has not begun, becomes the top. What the function returns goes to the frame
/// below, so its results must be what that one expects. Compiles code where the signature is new.
Result<void> pushFrame(Thread& thread, abi::StackObject* stack, abi::FunctionRecord* function);

}  // namespace gaur::runtime
