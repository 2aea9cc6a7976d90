// The frame of lowering one function: blocks, parameters as phis, operands, and the edges between blocks.
#include <llvm/IR/MDBuilder.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include "jit/llvm/lowering.h"
#include "jit/llvm/value_parts.h"
#include "vm/abi/stack_object.h"
#include "vm/support/check.h"

namespace gaur::jit {

FunctionLowering::FunctionLowering(ModuleLowering& module, const ir::FunctionVersion& version,
                                   llvm::Function* function)
    : module_(module),
      version_(version),
      function_(function),
      builder_(module.context()),
      memory_(module, builder_),
      signature_(module.signatureOf(version.function->signature->signature)),
      analysis_(version) {}

void FunctionLowering::run() {
  // A block of its own in front: LLVM's entry takes no branches and no phis, and fixed frame slots go there.
  llvm::BasicBlock* entry = newBlock("frame");
  for (const auto& block : version_.blocks) {
    blocks_[block] = newBlock(std::string(block->name()));
    builder_.SetInsertPoint(blocks_[block]);
    if (block.target == version_.entry()) continue;
    for (const auto& parameter : block->parameters)
      values_[&parameter] = builder_.CreatePHI(typeOf(parameter.type), 2);
    if (block->exceptionParameter)
      values_[block->exceptionParameter] = builder_.CreatePHI(typeOf(block->exceptionParameter->type), 2);
  }
  builder_.SetInsertPoint(entry);
  llvm::SmallVector<llvm::Value*, 8> arguments;
  for (llvm::Argument& argument : function_->args()) arguments.push_back(&argument);
  llvm::ArrayRef<llvm::Value*> rest =
      llvm::ArrayRef(arguments).drop_front(signature_.resultsInMemory ? 1 : 0);
  ParameterParts parts;
  for (const auto& parameter : version_.entry()->parameters)
    values_[&parameter] = parts.take(builder_, typeOf(parameter.type), rest);
  builder_.CreateBr(blocks_[version_.entry()]);

  for (const auto& block : version_.blocks) {
    builder_.SetInsertPoint(blocks_[block]);
    for (const auto& instruction : block->instructions) lower(*instruction);
  }
  if (module_.isAArch64()) checkStack();
}

/// Where the backend's prologues do not compare the stack pointer with a limit. Below the limit a stack goes
/// on for more than frames take that have no big cells.
void FunctionLowering::checkStack() {
  llvm::BasicBlock& entry = function_->getEntryBlock();
  std::uint64_t cells = 0;
  for (const llvm::Instruction& instruction : entry)
    if (const auto* cell = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
      if (auto bytes = cell->getAllocationSize(module_.module().getDataLayout()))
        cells += bytes->getFixedValue();
  builder_.SetInsertPoint(entry.getTerminator());
  llvm::Value* place = memory_.byteOffset(module_.currentStack(builder_), offsetof(abi::StackObject, limit));
  llvm::Value* limit = builder_.CreateLoad(builder_.getInt64Ty(), place, "limit");
  llvm::Value* isShort = builder_.CreateICmpULT(module_.frameAddress(builder_),
                                                builder_.CreateAdd(limit, builder_.getInt64(cells)));
  constexpr std::uint32_t kSeldom = 1, kMostly = 1U << 20;
  builder_.SetInsertPoint(llvm::SplitBlockAndInsertIfThen(
      isShort, entry.getTerminator(), /*Unreachable=*/true,
      llvm::MDBuilder(module_.context()).createBranchWeights(kSeldom, kMostly)));
  module_.callRuntime(builder_, abi::RuntimeEntry::gaur_stackOverflow, {});
}

void FunctionLowering::lower(const ir::Instruction& instruction) {
  switch (instruction.opcode) {
    // The formatter takes the include for a part of the macro.
    // clang-format off
#define GAUR_OPCODE(Name, ...) \
  case ir::Opcode::Name: return lower##Name(ir::as<ir::Name>(instruction));
#include "vm/ir/opcodes.def"
    // clang-format on
  }
}

llvm::BasicBlock* FunctionLowering::newBlock(const llvm::Twine& name) {
  return llvm::BasicBlock::Create(module_.context(), name, function_);
}

llvm::Value* FunctionLowering::value(const ir::Value* operand) {
  switch (operand->entityKind) {
    case ir::EntityKind::Constant: return constant(*static_cast<const ir::Constant*>(operand));
    case ir::EntityKind::Global: return module_.cellSymbol(*static_cast<const ir::GlobalCell*>(operand));
    case ir::EntityKind::Function: return module_.recordSymbol(*static_cast<const ir::Function*>(operand));
    case ir::EntityKind::ExposedFunction: {
      void** slot = module_.environment().exposedSlot(*static_cast<const ir::ExposedFunction*>(operand));
      return builder_.CreateLoad(builder_.getPtrTy(),
                                 module_.slotSymbol("exposed" + std::to_string(operand->id), slot));
    }
    default: break;
  }
  llvm::Value* found = values_.lookup(operand);
  GAUR_CHECK(found, "operand used before it is lowered: " + ir::describe(*operand));
  return found;
}

llvm::Value* FunctionLowering::constant(const ir::Constant& constant) {
  llvm::Type* type = typeOf(constant.type);
  switch (constant.kind) {
    case ir::ConstantKind::Int: {
      if (type->isPointerTy())
        return llvm::ConstantExpr::getIntToPtr(builder_.getInt64(constant.words[0]), type);
      llvm::ArrayRef<std::uint64_t> words(constant.words.data(), constant.words.size());
      return llvm::ConstantInt::get(type, llvm::APInt(type->getIntegerBitWidth(), words));
    }
    case ir::ConstantKind::Float:
      return llvm::ConstantFP::get(
          type, llvm::APFloat(llvm::APFloat::IEEEsingle(), llvm::APInt(32, constant.words[0])));
    case ir::ConstantKind::Double:
      return llvm::ConstantFP::get(
          type, llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, constant.words[0])));
    case ir::ConstantKind::Null: return llvm::Constant::getNullValue(type);
    case ir::ConstantKind::Extern: {
      auto slot = module_.environment().externSlot(constant.symbol);
      if (!slot) {
        module_.fail(slot.error());
        return llvm::PoisonValue::get(type);
      }
      return module_.loadInvariant(builder_, type, module_.externSymbol(constant.symbol, *slot), "");
    }
    case ir::ConstantKind::Sequence: break;
  }
  llvm::Value* sequence = llvm::PoisonValue::get(type);
  for (unsigned i = 0; i < constant.elements.size(); ++i) {
    llvm::Value* element = value(constant.elements[i].target);
    sequence = type->isVectorTy() ? builder_.CreateInsertElement(sequence, element, builder_.getInt32(i))
                                  : builder_.CreateInsertValue(sequence, element, i);
  }
  return sequence;
}

void FunctionLowering::setResult(const ir::Instruction& instruction, std::size_t index, llvm::Value* value) {
  values_[&instruction.results[index]] = value;
}

llvm::BasicBlock* FunctionLowering::targetOf(const ir::Dest* dest) {
  llvm::SmallVector<llvm::Value*, 8> arguments;
  for (const auto& argument : dest->arguments) arguments.push_back(value(argument.target));
  const ir::BasicBlock* target = dest->block.target;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    llvm::cast<llvm::PHINode>(values_[&target->parameters[i]])
        ->addIncoming(arguments[i], builder_.GetInsertBlock());
  return blocks_[target];
}

void FunctionLowering::branchTo(const ir::Dest* dest) { builder_.CreateBr(targetOf(dest)); }

void FunctionLowering::branchToHandler(const ir::Dest* dest, llvm::Value* exception) {
  if (const ir::Parameter* parameter = dest->block->exceptionParameter)
    llvm::cast<llvm::PHINode>(values_[parameter])->addIncoming(exception, builder_.GetInsertBlock());
  branchTo(dest);
}

llvm::BasicBlock* FunctionLowering::edgeBlock(const ir::Dest* dest) {
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  llvm::BasicBlock* edge = newBlock("edge");
  builder_.SetInsertPoint(edge);
  branchTo(dest);
  return edge;
}

llvm::BasicBlock* FunctionLowering::handlerBlock(const ir::Dest* dest, llvm::Value* exception) {
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  llvm::BasicBlock* edge = newBlock("handler");
  builder_.SetInsertPoint(edge);
  branchToHandler(dest, exception);
  return edge;
}

llvm::BasicBlock* FunctionLowering::landingPad(const ir::Dest* dest) {
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  function_->setPersonalityFn(module_.personality());
  llvm::BasicBlock* pad = newBlock("pad");
  builder_.SetInsertPoint(pad);
  auto* landing =
      builder_.CreateLandingPad(llvm::StructType::get(builder_.getPtrTy(), builder_.getInt32Ty()), 1);
  landing->addClause(llvm::ConstantPointerNull::get(builder_.getPtrTy()));
  branchToHandler(dest, builder_.CreateExtractValue(landing, 0));
  return pad;
}

llvm::BasicBlock* FunctionLowering::failureBlock(const ir::Instruction& instruction,
                                                 abi::GuestFailure failure) {
  if (instruction.hasExc)
    return handlerBlock(instruction.exceptionalDest(), llvm::ConstantPointerNull::get(builder_.getPtrTy()));
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  llvm::BasicBlock* block = newBlock("failure");
  builder_.SetInsertPoint(block);
  if (failure == abi::GuestFailure::StackExhausted) {
    // As if the call of this function had found no stack: its caller may have a handler.
    module_.callRuntime(builder_, abi::RuntimeEntry::gaur_throw,
                        {llvm::ConstantPointerNull::get(builder_.getPtrTy())}, instruction.id);
    builder_.CreateUnreachable();
    return block;
  }
  module_.callRuntime(
      builder_, abi::RuntimeEntry::gaur_failure,
      {builder_.getInt32(static_cast<std::uint32_t>(failure)), builder_.getInt32(instruction.id)});
  builder_.CreateUnreachable();
  return block;
}

void FunctionLowering::failIf(llvm::Value* condition, const ir::Instruction& instruction,
                              abi::GuestFailure failure) {
  llvm::BasicBlock* next = newBlock("next");
  builder_.CreateCondBr(condition, failureBlock(instruction, failure), next,
                        llvm::MDBuilder(module_.context()).createUnlikelyBranchWeights());
  builder_.SetInsertPoint(next);
}

void FunctionLowering::finish(const ir::Instruction& instruction) {
  if (instruction.hasExc) branchTo(instruction.normalDest());
}

llvm::AllocaInst* FunctionLowering::frameSlot(llvm::Type* type, std::uint64_t alignment) {
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  llvm::BasicBlock& entry = function_->getEntryBlock();
  builder_.SetInsertPoint(&entry, entry.begin());
  auto* slot = builder_.CreateAlloca(type);
  slot->setAlignment(llvm::Align(alignment));
  return slot;
}

}  // namespace gaur::jit
