// Control flow inside a function: SELECT, branches, SWITCH, RET, THROW.
#include "jit/llvm/lowering.h"

namespace gaur::jit {

void FunctionLowering::lowerSelect(ir::Select inst) {
  llvm::Value* condition = value(inst.condition());
  setResult(inst.inst, 0, builder_.CreateSelect(condition, value(inst.ifTrue()), value(inst.ifFalse())));
}

void FunctionLowering::lowerBranch(ir::Branch inst) { branchTo(inst.target()); }

void FunctionLowering::lowerBranch2(ir::Branch2 inst) {
  llvm::Value* condition = value(inst.condition());
  // Blocks for edges take time at O0; but where both lead to one block, its arguments differ by the edge.
  const bool isOneBlock = inst.ifTrue()->block.target == inst.ifFalse()->block.target;
  auto target = [&](const ir::Dest* dest) { return isOneBlock ? edgeBlock(dest) : targetOf(dest); };
  llvm::BasicBlock* ifTrue = target(inst.ifTrue());
  builder_.CreateCondBr(condition, ifTrue, target(inst.ifFalse()));
}

void FunctionLowering::lowerSwitch(ir::Switch inst) {
  llvm::Value* selector = value(inst.value());
  llvm::BasicBlock* otherwise = edgeBlock(inst.defaultDest());
  if (selector->getType()->isIntegerTy()) {
    auto* branch = builder_.CreateSwitch(selector, otherwise, static_cast<unsigned>(inst.caseCount()));
    for (std::size_t i = 0; i < inst.caseCount(); ++i)
      branch->addCase(llvm::cast<llvm::ConstantInt>(constant(*inst.caseValue(i))),
                      edgeBlock(inst.caseDest(i)));
    return;
  }
  // Pointers and references have no order of cases that would help: one comparison after the other.
  for (std::size_t i = 0; i < inst.caseCount(); ++i) {
    llvm::BasicBlock* next = newBlock("case");
    llvm::Value* matches = builder_.CreateICmpEQ(selector, value(inst.caseValue(i)));
    builder_.CreateCondBr(matches, edgeBlock(inst.caseDest(i)), next);
    builder_.SetInsertPoint(next);
  }
  builder_.CreateBr(otherwise);
}

/// The fast instruction selector leaves all of a block to the slow one whose terminator it does not know, as
/// the returns of tailcc: then the terminator better has a block of its own.
void FunctionLowering::isolateTerminator() {
  llvm::BasicBlock* block = builder_.GetInsertBlock();
  if (module_.level() != OptLevel::O0 || block->empty()) return;
  llvm::BasicBlock* last = newBlock("last");
  last->moveAfter(block);
  builder_.CreateBr(last);
  builder_.SetInsertPoint(last);
}

void FunctionLowering::lowerRet(ir::Ret inst) {
  llvm::SmallVector<llvm::Value*, 4> results;
  for (const auto& operand : inst.inst.operands) results.push_back(value(operand.target));
  if (signature_.resultsInMemory) {
    auto types = version_.function->signature->signature->results;
    for (std::size_t i = 0; i < results.size(); ++i)
      memory_.storePlain(types[i], memory_.byteOffset(function_->getArg(0), signature_.resultOffsets[i]),
                         results[i]);
    results.clear();
  }
  isolateTerminator();
  if (results.empty()) {
    builder_.CreateRetVoid();
  } else if (results.size() == 1) {
    builder_.CreateRet(results[0]);
  } else {
    builder_.CreateAggregateRet(results.data(), static_cast<unsigned>(results.size()));
  }
}

void FunctionLowering::lowerThrow(ir::Throw inst) {
  module_.callRuntime(builder_, abi::RuntimeEntry::gaur_throw, {value(inst.exception())}, inst.inst.id);
  builder_.CreateUnreachable();
}

}  // namespace gaur::jit
