// Through native frames, outwards, to compiled code: by the unwind information of the native code, so that
// code without frame pointers can be passed and all registers that it saved are found again.
#pragma once

#include <cstdint>

#include "jit/code_map.h"
#include "vm/runtime/transitions.h"
#include "vm/support/result.h"

namespace gaur::runtime {

enum class NativeEnd : std::uint8_t {
  /// Native code began all this: the host.
  Host,
  /// The registers are those with which compiled code goes on when its native call returns.
  CompiledCode,
  /// There is native code without unwind information.
  Unknown,
};

/// `registers`: those that native code finds when a call of it returns; updated where compiled code is
/// reached. An error where native code has no unwind information.
Result<NativeEnd> unwindNative(const jit::CodeMap& map, UnwindRegisters& registers);

/// From the caller's own frame. `registers` is only written to.
Result<NativeEnd> unwindHere(const jit::CodeMap& map, UnwindRegisters& registers);

/// The same with Unknown in place of an error. Signal-safe.
NativeEnd tryUnwindNative(const jit::CodeMap& map, UnwindRegisters& registers);

/// The same for native code that a signal interrupted; `context` is the ucontext_t of the handler.
/// Signal-safe.
NativeEnd unwindFromSignal(const jit::CodeMap& map, void* context, UnwindRegisters& registers);

}  // namespace gaur::runtime
