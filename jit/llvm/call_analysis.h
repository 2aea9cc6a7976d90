// Which calls of a function can be bound to the callee's present version. New calls must see a redefinition
// (specification, chapter "IR"), but a redefinition can only come between two points of one activation if
// something opaque runs there: another function, native code, a trap, or synchronisation with another thread.
// Where nothing opaque lies between the entry of the function and a call, the call may be inlined or bound,
// as long as a redefinition makes the next activation start in newly compiled code.
#pragma once

#include <llvm/ADT/DenseSet.h>

#include "vm/ir/instruction.h"

namespace gaur::jit {

/// A small function that calls nothing, cannot throw and keeps nothing in its frame: it has no OSR point, so
/// no cursor can miss it.
bool isInlinableLeaf(const ir::FunctionVersion& version);

/// The function that a CALL or TAILCALL names directly, if it has a version now.
const ir::FunctionVersion* directCallee(const ir::Instruction& call);

class CallAnalysis {
 public:
  explicit CallAnalysis(const ir::FunctionVersion& version);

  /// The call goes to an inlinable leaf, and nothing opaque can have run before it in this activation.
  bool mayInline(const ir::Instruction& call) const { return inlinable_.contains(&call); }
  /// The function calls only itself and inlinable leaves and does nothing else that is opaque: nobody can
  /// stop in it and look at its frames, so its self calls are plain calls without a call-site record (a stack
  /// overflow unwinds through them by the function's own row). LLVM may then make the last one a jump. A
  /// function with a single self call is not quiet: it could become a loop without end instead of a stack
  /// overflow.
  bool isQuiet() const { return quiet_; }
  /// Whether control can come back to the block: then its ALLOCAs cannot have a fixed place in the frame.
  bool isInCycle(const ir::BasicBlock& block) const { return cyclic_.contains(&block); }

 private:
  llvm::DenseSet<const ir::Instruction*> inlinable_;
  llvm::DenseSet<const ir::BasicBlock*> cyclic_;
  bool quiet_ = true;
};

}  // namespace gaur::jit
