// Functions between the C convention and the Mu convention.
#pragma once

#include "jit/llvm/lowering.h"

namespace gaur::jit {

/// A HostCall (jit/compiler.h) for the signature, named `kAdapterName`.
llvm::Function* lowerHostCallAdapter(ModuleLowering& module, const ir::Signature* signature);
/// Native code with the C convention of the signature and an abi::ExposedRecord in the static chain, named
/// `kAdapterName`.
llvm::Function* lowerExposedAdapter(ModuleLowering& module, const ir::Signature* signature);

/// The adapter of an abi::StartFrame for functions of the signature (vm/abi/stack_object.h), named
/// `kAdapterName`.
llvm::Function* lowerStartAdapter(ModuleLowering& module, const ir::Signature* signature);
/// What runs for a function without a version: a trap with all arguments kept alive, then the function again.
llvm::Function* lowerUndefinedFunction(ModuleLowering& module, const ir::Function& function);

inline constexpr const char* kAdapterName = "adapter";

}  // namespace gaur::jit
