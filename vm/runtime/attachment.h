// Native threads that were attached because they called an exposed function: they stay attached until they
// end, or the VM does. Thread::attachedTo is for those that need it for a while.
#pragma once

namespace gaur::runtime {

class MicroVm;

/// Attaches this thread to the VM until it ends.
void attachForGood(MicroVm& vm);
/// Detaches this thread, if attachForGood attached it to this VM.
void detachFrom(MicroVm& vm);

}  // namespace gaur::runtime
