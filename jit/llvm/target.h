// The machine to compile for, and the code generator for it.
#pragma once

#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Target/TargetMachine.h>

#include "jit/compiler.h"

namespace llvm {
class Module;
}

namespace gaur::jit {

/// The target machine of this thread for a level. Making one takes a millisecond, so each thread keeps its
/// own.
llvm::TargetMachine& targetMachine(OptLevel level);

/// Sets triple and data layout of a fresh module.
void setTarget(llvm::Module& module, const llvm::TargetMachine& machine);

/// Generates code: an object file in memory.
std::unique_ptr<llvm::MemoryBuffer> emitObject(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace gaur::jit
