// How C passes values to a function and gets one back, for functions that native code calls: System V x86-64
// and AAPCS64. Scalars and vectors are LLVM's business; aggregates by value have to be taken apart here, as a
// C compiler does.
#pragma once

#include "jit/llvm/lowering.h"

namespace gaur::jit {

/// The way of one value.
struct NativePassing {
  enum class Way : std::uint8_t {
    Direct,
    /// In registers: these types, which lie one after the other in the aggregate, 8 or 16 bytes apart.
    Pieces,
    /// A copy in the caller's argument area, whose address is the parameter (LLVM's byval).
    OnStack,
    /// A parameter is the address of a copy; a result goes to memory whose address the caller passes first.
    ByReference,
  };
  Way way = Way::Direct;
  llvm::SmallVector<llvm::Type*, 4> pieces;
};

/// The C side of a function with a Mu signature whose first parameter is the static chain.
class NativeCallee {
 public:
  NativeCallee(ModuleLowering& module, const ir::Signature* signature);

  llvm::FunctionType* type() const { return type_; }
  void setAttributes(llvm::Function& function) const;
  /// The Mu value of a parameter. `builder` stands in `function`; slots are made in its entry block.
  llvm::Value* parameter(llvm::IRBuilder<>& builder, llvm::Function& function, unsigned index) const;
  /// Returns the Mu value (null: none) to C.
  void ret(llvm::IRBuilder<>& builder, llvm::Function& function, llvm::Value* result) const;

 private:
  ModuleLowering& module_;
  const ir::Signature* signature_;
  llvm::SmallVector<NativePassing, 8> parameters_;
  /// Index of the first LLVM parameter of each.
  llvm::SmallVector<unsigned, 8> firstParameter_;
  NativePassing result_;
  llvm::FunctionType* type_ = nullptr;
};

}  // namespace gaur::jit
