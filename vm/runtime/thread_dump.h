// The backtraces of everything that a program does at one time: of all attached threads, wherever they are,
// and of the stacks that wait.
#pragma once

#include <string>

namespace gaur::runtime {

class MicroVm;

/// Tells all threads of the VM with their backtraces, and the first of the READY stacks. Threads are
/// interrupted one after another and go on at once; the stacks are read in a collection, so they are those of
/// one moment. Call on a native stack; the calling thread does not show, unless it is attached. A thread that
/// does not take signals is told to do so.
std::string dumpThreads(MicroVm& vm);

}  // namespace gaur::runtime
