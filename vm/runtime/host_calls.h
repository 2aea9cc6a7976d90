// What native code can ask of the Mu code that called it: who that is, and to throw there.
#pragma once

#include "vm/abi/native_target.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/support/result.h"

namespace gaur::runtime {

/// The instruction that called the native code that this thread runs, outwards from here. Fails where no Mu
/// code did, or its frame cannot be found. To be called on the stack that the native code runs on.
Result<FrameIds> nativeCaller();

/// Throws from the call of that instruction. The native frames between are given up: nothing of them runs any
/// more. Returns, with an error, only as nativeCaller.
Error throwFromNative(void* exception);

/// Whether certainly no frame is in the function and nobody can call it from another thread: the calling
/// thread is the only one, runs no Mu code, there are no stacks, and its native stack from `caller` outwards
/// does not mention the function.
bool isIdle(MicroVm& vm, const abi::HostRecord& record, const void* caller);

}  // namespace gaur::runtime
