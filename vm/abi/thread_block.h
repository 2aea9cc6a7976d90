// What compiled code knows of the thread it runs on. The block is found through one thread-local pointer;
// since a stack can come back on another thread, compiled code reloads that pointer after every call and
// keeps nothing derived from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/asm_offsets.h"
#include "vm/abi/object.h"
#include "vm/abi/stack_object.h"

namespace gaur::abi {

/// Heads of the free lists: blocks of one size and kind, linked through their first word. Refilled by the
/// heap, popped by compiled code.
struct AllocationLists {
  /// [kind][granules]; index 0 is unused.
  void* heads[kBlockKinds][kSmallGranules + 1];
};

struct ThreadBlock {
  AllocationLists allocation;
  /// The stack that the thread works for while it stands on its native stack; null while it stands on a Mu
  /// stack, which it is bound to then, and where there is none, as while a trap handler runs.
  StackObject* stack;
  /// Stack pointer of the native stack to return to while Mu code runs on a Mu stack; null while there is no
  /// Mu code to return to.
  void* nativeStackPointer;
  /// Frame pointer of the stack that this thread swapped away from last: a guess at the one it swaps to next,
  /// never followed unless that stack says the same.
  void* leftFramePointer;
  /// ref<void>, the thread-local of the Mu thread.
  void* threadLocal;
  /// The exception in flight, kept alive between the throw and the landing pad.
  void* exception;
  /// What threadrefs to this thread refer to; null until one is asked for.
  ThreadObject* threadObject;
  /// The runtime's Thread.
  void* thread;
  /// StackTable::memories of the VM's stacks.
  StackMemory* const* stacks;
  /// The runtime's MicroVm.
  void* vm;
  /// On which exposed functions run that native code calls where no Mu code is below; null until there was
  /// such a call. Bound during the call alone.
  StackObject* hostStack;
};

static_assert(offsetof(ThreadBlock, allocation) == 0);
static_assert(offsetof(ThreadBlock, stack) == GAUR_BLOCK_STACK &&
              offsetof(ThreadBlock, nativeStackPointer) == GAUR_BLOCK_NATIVE_STACK_POINTER);
static_assert(offsetof(ThreadBlock, leftFramePointer) == GAUR_BLOCK_LEFT_FRAME_POINTER &&
              offsetof(ThreadBlock, stacks) == GAUR_BLOCK_STACKS);
static_assert(offsetof(ThreadBlock, vm) == GAUR_BLOCK_VM &&
              offsetof(ThreadBlock, hostStack) == GAUR_BLOCK_HOST_STACK);

/// Makes `block` that of the running thread; null: the thread is attached no longer.
void setCurrentThread(ThreadBlock* block);

/// Distance from the thread pointer to the word through which compiled code finds the block of the running
/// thread. On x86-64 it is one that glibc sets aside in the thread's control block, so that it is the same in
/// every process and code of boot images need not be changed.
std::intptr_t currentThreadOffset();

}  // namespace gaur::abi

/// Null on threads that are not attached. Initial-exec, so that its offset from the thread pointer is one
/// number for all threads.
extern "C" __attribute__((
    tls_model("initial-exec"))) thread_local constinit gaur::abi::ThreadBlock* gaur_currentThread;
