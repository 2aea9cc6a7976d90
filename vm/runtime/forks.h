// Forks of the process. The child has one thread, the one that forked, and its VMs go on there: it may run,
// compile and collect without the parent noticing.
#pragma once

namespace gaur::runtime {

class MicroVm;

/// Forks take care of the VM until leaveForks.
void enterForks(MicroVm& vm);
void leaveForks(MicroVm& vm);

}  // namespace gaur::runtime
