// Values as their scalar parts. Parameters of Mu functions and values in stack maps are passed part by part:
// a stack map cannot describe anything larger, and LLVM 19 lets caller and callee of a tailcc call disagree
// about the size of the argument area when a stack argument is aligned to 16 bytes. So nothing that is
// aligned like that may be left for the stack.
#pragma once

#include <llvm/IR/IRBuilder.h>

namespace gaur::jit {

/// The parts of a list of parameters, in order: fields and elements one by one, integers of more than 64 bits
/// as words from the low one up, vectors whole as long as there are registers for them and as words
/// afterwards. Each object goes through one list once, in one of the three ways.
class ParameterParts {
 public:
  void appendTypes(llvm::Type* type, llvm::SmallVectorImpl<llvm::Type*>& out);
  void append(llvm::IRBuilder<>& builder, llvm::Value* value, llvm::SmallVectorImpl<llvm::Value*>& out);
  /// The value of a type whose parts come next in `parts`, which moves on.
  llvm::Value* take(llvm::IRBuilder<>& builder, llvm::Type* type, llvm::ArrayRef<llvm::Value*>& parts);

 private:
  /// Counts the registers of a floating-point or vector part; false where a vector finds none left.
  bool fitsRegisters(llvm::Type* type);

  unsigned vectorRegisters_ = 0;
};

/// Scalars of at most 64 bits that a value is made of.
void appendScalars(llvm::IRBuilder<>& builder, llvm::Value* value, llvm::SmallVectorImpl<llvm::Value*>& out);

}  // namespace gaur::jit
