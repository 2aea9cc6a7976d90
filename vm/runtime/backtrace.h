// Backtraces in terms of the program: functions, versions, instructions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/support/ids.h"

namespace gaur::runtime {

class MicroVm;

struct BacktraceFrame {
  /// kNoId for a frame of native code (adjacent ones count once). The function itself where it has no version.
  Id version = kNoId;
  /// kNoId where it is not known, or in native code.
  Id instruction = kNoId;
};

/// Frames from the innermost outwards. `pc` is a return address (or any address in native code), `framePointer` the frame pointer of the function that
/// it lies in. Adapters between calling conventions do not show.
std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm, std::uintptr_t pc, std::uintptr_t framePointer);

/// Of the caller of the function that calls it, where that one was called by compiled code.
std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm);

/// A line a frame, indented, long ones cut in the middle.
std::string formatBacktrace(MicroVm& vm, const std::vector<BacktraceFrame>& frames);

/// "@f.v1.entry.x", or "#65550 in @f.v1".
std::string describeSite(MicroVm& vm, Id version, Id instruction);

/// Prints the backtrace of the current thread to stderr, for reports of bugs of the VM.
void printBugContext();

}  // namespace gaur::runtime
