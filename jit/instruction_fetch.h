// When threads that run compiled code are sure to execute what was written to code.
#pragma once

namespace gaur::jit {

/// Code that was written, and flushed, before this call is what all threads of the process execute after it.
/// Costs nothing like a safepoint: the system interrupts the other processors that run this process for a
/// moment.
void synchroniseInstructionFetch();

}  // namespace gaur::jit
