// Faults of guest code: an access through NULL and native code that overflows a Mu stack end in a report with
// a Mu backtrace. Everything else goes to the handlers that the process had before.
#pragma once

namespace gaur::runtime {

/// Installs the handlers, once a process.
void installFaultHandlers();

/// Gives the native thread a stack for signal handlers, if it has none: a handler for stack overflow cannot
/// run on that stack.
void useSignalStack();

}  // namespace gaur::runtime
