// Allocation, addressing and memory access instructions.
#include <llvm/IR/MDBuilder.h>

#include "jit/llvm/lowering.h"
#include "vm/abi/thread_block.h"

namespace gaur::jit {

using abi::ObjectHeader;
using ir::MemoryOrder;
using ir::TypeKind;

namespace {

/// Cells up to this size get a fixed place in the frame; larger ones are checked against the rest of the
/// stack first.
constexpr std::uint64_t kLargestFrameCell = 4096;
/// Larger blocks are cleared by memset, which at O0 is a call.
constexpr std::uint64_t kClearedByStores = 64;

llvm::AtomicOrdering ordering(MemoryOrder order) {
  switch (order) {
    case MemoryOrder::NotAtomic: return llvm::AtomicOrdering::NotAtomic;
    case MemoryOrder::Relaxed: return llvm::AtomicOrdering::Monotonic;
    case MemoryOrder::Consume:  // LLVM has no weaker one that is right
    case MemoryOrder::Acquire: return llvm::AtomicOrdering::Acquire;
    case MemoryOrder::Release: return llvm::AtomicOrdering::Release;
    case MemoryOrder::AcqRel: return llvm::AtomicOrdering::AcquireRelease;
    case MemoryOrder::SeqCst: return llvm::AtomicOrdering::SequentiallyConsistent;
  }
  return llvm::AtomicOrdering::SequentiallyConsistent;
}

llvm::AtomicRMWInst::BinOp rmwOperation(ir::RmwOperator op) {
  using Rmw = llvm::AtomicRMWInst;
  switch (op) {
    case ir::RmwOperator::Xchg: return Rmw::Xchg;
    case ir::RmwOperator::Add: return Rmw::Add;
    case ir::RmwOperator::Sub: return Rmw::Sub;
    case ir::RmwOperator::And: return Rmw::And;
    case ir::RmwOperator::Nand: return Rmw::Nand;
    case ir::RmwOperator::Or: return Rmw::Or;
    case ir::RmwOperator::Xor: return Rmw::Xor;
    case ir::RmwOperator::Max: return Rmw::Max;
    case ir::RmwOperator::Min: return Rmw::Min;
    case ir::RmwOperator::UMax: return Rmw::UMax;
    case ir::RmwOperator::UMin: return Rmw::UMin;
  }
  return Rmw::BAD_BINOP;
}

/// Zeroes the first `bytes` of a small block in whole words, but not the first word, which is a link.
void clearFields(llvm::IRBuilder<>& builder, llvm::Value* block, std::uint64_t bytes) {
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  bytes = (bytes + kWord - 1) & ~(kWord - 1);
  auto wordAt = [&](std::uint64_t offset) {
    return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), block, offset);
  };
  if (bytes <= kClearedByStores) {
    for (std::uint64_t offset = kWord; offset < bytes; offset += kWord)
      builder.CreateStore(builder.getInt64(0), wordAt(offset));
  } else {
    builder.CreateMemSet(wordAt(kWord), builder.getInt8(0), bytes - kWord, llvm::Align(kWord));
  }
}

}  // namespace

// --- Allocation -------------------------------------------------------------------------------------------

llvm::Value* FunctionLowering::allocateObject(const ir::Instruction& instruction, const ir::Type* type) {
  const abi::Layout& layout = module_.layoutOf(type);
  auto header = builder_.getInt64(ObjectHeader::make(type->index, layout.isWide()).bits());
  auto kind = layout.isPointerFree() ? abi::BlockKind::PointerFree : abi::BlockKind::Traced;
  std::uint64_t payload = 0;
  std::uint64_t block =
      layout.payload(0, payload) ? abi::blockBytes(payload, layout.isWide()) : ~std::uint64_t{15};
  auto slow = [&] {
    auto* object = module_.callRuntime(
        builder_, abi::RuntimeEntry::gaur_allocate,
        {header, builder_.getInt64(block), builder_.getInt32(static_cast<std::uint32_t>(kind))});
    failIf(builder_.CreateIsNull(object), instruction, abi::GuestFailure::AllocationFailed);
    return object;
  };
  if (block > abi::kSmallBytes) return slow();

  // Pop the thread's free list: head, test, next, store next, clear, store header.
  auto* pointer = builder_.getPtrTy();
  std::uint64_t heads = offsetof(abi::ThreadBlock, allocation) + offsetof(abi::AllocationLists, heads);
  std::uint64_t index = static_cast<std::uint64_t>(kind) * (abi::kSmallGranules + 1) + block / abi::kGranule;
  llvm::Value* list = threadField(heads + index * sizeof(void*));
  llvm::Value* head = builder_.CreateLoad(pointer, list, "head");
  llvm::BasicBlock* pop = newBlock("pop");
  llvm::BasicBlock* refill = newBlock("refill");
  llvm::BasicBlock* done = newBlock("allocated");
  builder_.CreateCondBr(builder_.CreateIsNull(head), refill, pop,
                        llvm::MDBuilder(module_.context()).createUnlikelyBranchWeights());
  builder_.SetInsertPoint(refill);
  llvm::Value* refilled = slow();
  llvm::BasicBlock* refillEnd = builder_.GetInsertBlock();
  builder_.CreateBr(done);
  builder_.SetInsertPoint(pop);
  builder_.CreateStore(builder_.CreateLoad(pointer, head, "next"), list);
  clearFields(builder_, head,
              layout.isWide() ? payload + ObjectHeader::kWidePrefix : payload + ObjectHeader::kPrefix);
  // The collector looks into blocks that have a header, and a thread can be stopped anywhere.
  builder_.CreateFence(llvm::AtomicOrdering::Release, llvm::SyncScope::SingleThread);
  builder_.CreateStore(header, head);
  ObjectHeader shape = ObjectHeader::make(type->index, layout.isWide());
  llvm::Value* popped = memory_.byteOffset(head, shape.prefix());
  if (layout.isWide())
    builder_.CreateStore(header, memory_.byteOffset(head, ObjectHeader::kWidePrefix - ObjectHeader::kPrefix));
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
  auto* reference = builder_.CreatePHI(pointer, 2, "object");
  reference->addIncoming(popped, pop);
  reference->addIncoming(refilled, refillEnd);
  return reference;
}

void FunctionLowering::lowerNew(ir::New inst) {
  setResult(inst.inst, 0, allocateObject(inst.inst, inst.type()));
  finish(inst.inst);
}

llvm::Value* FunctionLowering::lengthOf(const ir::Value* operand) {
  llvm::Value* length = value(operand);
  // A length that does not fit 64 bits cannot be had anyhow: saturate.
  if (length->getType()->getIntegerBitWidth() > 64)
    length = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, length,
                                            llvm::ConstantInt::get(length->getType(), ~std::uint64_t{0}));
  return builder_.CreateZExtOrTrunc(length, builder_.getInt64Ty());
}

void FunctionLowering::lowerNewHybrid(ir::NewHybrid inst) {
  module_.layoutOf(inst.type());  // the runtime looks it up by index
  llvm::Value* object = module_.callRuntime(builder_, abi::RuntimeEntry::gaur_allocateHybrid,
                                            {builder_.getInt32(inst.type()->index), lengthOf(inst.length())});
  failIf(builder_.CreateIsNull(object), inst.inst, abi::GuestFailure::AllocationFailed);
  setResult(inst.inst, 0, object);
  finish(inst.inst);
}

llvm::Value* FunctionLowering::allocateCell(const ir::Instruction& instruction, llvm::Value* bytes,
                                            std::uint64_t alignment) {
  auto* fixed = llvm::dyn_cast<llvm::ConstantInt>(bytes);
  llvm::Value* cell = nullptr;
  if (fixed && fixed->getZExtValue() <= kLargestFrameCell && !analysis_.isInCycle(*instruction.block)) {
    cell = frameSlot(llvm::ArrayType::get(builder_.getInt8Ty(), fixed->getZExtValue()), alignment);
  } else {
    llvm::Value* fits = module_.callRuntime(builder_, abi::RuntimeEntry::gaur_stackSpace, {bytes});
    failIf(builder_.CreateNot(fits), instruction, abi::GuestFailure::StackExhausted);
    auto* dynamic = builder_.CreateAlloca(builder_.getInt8Ty(), bytes);
    dynamic->setAlignment(llvm::Align(alignment));
    cell = dynamic;
  }
  builder_.CreateMemSet(cell, builder_.getInt8(0), bytes, llvm::Align(alignment));
  return cell;
}

void FunctionLowering::lowerAlloca(ir::Alloca inst) {
  const abi::Layout& layout = module_.layoutOf(inst.type());
  setResult(inst.inst, 0, allocateCell(inst.inst, builder_.getInt64(layout.size), layout.alignment));
  finish(inst.inst);
}

void FunctionLowering::lowerAllocaHybrid(ir::AllocaHybrid inst) {
  const abi::Layout& layout = module_.layoutOf(inst.type());
  llvm::Value* length = lengthOf(inst.length());
  // Saturating, so that an absurd length fails the stack check.
  auto* limit = builder_.getInt64(std::uint64_t{1} << 40);
  llvm::Value* elements = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, length, limit);
  llvm::Value* bytes = builder_.CreateAdd(builder_.CreateMul(elements, builder_.getInt64(layout.stride)),
                                          builder_.getInt64(layout.size));
  setResult(inst.inst, 0, allocateCell(inst.inst, bytes, std::max<std::uint64_t>(layout.alignment, 8)));
  finish(inst.inst);
}

// --- Addressing -------------------------------------------------------------------------------------------

void FunctionLowering::lowerGetIref(ir::GetIref inst) { setResult(inst.inst, 0, value(inst.ref())); }

void FunctionLowering::lowerGetFieldIref(ir::GetFieldIref inst) {
  std::uint64_t offset = module_.layoutOf(inst.type()).offsets[inst.index()];
  setResult(inst.inst, 0, memory_.byteOffset(value(inst.location()), offset));
}

void FunctionLowering::lowerGetElemIref(ir::GetElemIref inst) {
  setResult(inst.inst, 0,
            memory_.elementAddress(value(inst.location()), value(inst.index()), inst.type()->element()));
}

void FunctionLowering::lowerShiftIref(ir::ShiftIref inst) {
  setResult(inst.inst, 0, memory_.elementAddress(value(inst.location()), value(inst.offset()), inst.type()));
}

void FunctionLowering::lowerGetVarPartIref(ir::GetVarPartIref inst) {
  setResult(inst.inst, 0, memory_.byteOffset(value(inst.location()), module_.layoutOf(inst.type()).size));
}

// --- Access -----------------------------------------------------------------------------------------------

void FunctionLowering::checkNull(const ir::Instruction& instruction, llvm::Value* address) {
  if (instruction.hasExc && !instruction.isPtr)
    failIf(builder_.CreateIsNull(address), instruction, abi::GuestFailure::NullAccess);
}

void FunctionLowering::lowerLoad(ir::Load inst) {
  llvm::Value* address = value(inst.location());
  checkNull(inst.inst, address);
  const ir::Type* type = inst.type();
  llvm::Value* loaded = nullptr;
  if (inst.inst.order == MemoryOrder::NotAtomic || type->is(TypeKind::Weakref)) {
    loaded = memory_.loadPlain(type, address);
  } else {
    auto* load = builder_.CreateAlignedLoad(memory_.atomicType(type), address,
                                            llvm::Align(module_.layoutOf(type).size));
    load->setAtomic(ordering(inst.inst.order));
    loaded = memory_.fromAtomic(type, load);
  }
  setResult(inst.inst, 0, loaded);
  finish(inst.inst);
}

void FunctionLowering::lowerStore(ir::Store inst) {
  llvm::Value* address = value(inst.location());
  checkNull(inst.inst, address);
  const ir::Type* type = inst.type();
  llvm::Value* stored = value(inst.value());
  if (inst.inst.order == MemoryOrder::NotAtomic || type->is(TypeKind::Weakref)) {
    memory_.storePlain(type, address, stored);
  } else {
    auto* store = builder_.CreateAlignedStore(memory_.toAtomic(type, stored), address,
                                              llvm::Align(module_.layoutOf(type).size));
    store->setAtomic(ordering(inst.inst.order));
  }
  finish(inst.inst);
}

void FunctionLowering::lowerCmpXchg(ir::CmpXchg inst) {
  llvm::Value* address = value(inst.location());
  checkNull(inst.inst, address);
  const ir::Type* type = inst.type();
  if (type->is(TypeKind::Weakref)) {
    llvm::Value* success = frameSlot(builder_.getInt8Ty(), 1);
    setResult(inst.inst, 0,
              module_.callRuntime(builder_, abi::RuntimeEntry::gaur_weakCompareExchange,
                                  {address, value(inst.expected()), value(inst.desired()), success}));
    setResult(inst.inst, 1,
              builder_.CreateTrunc(builder_.CreateLoad(builder_.getInt8Ty(), success), builder_.getInt1Ty()));
  } else {
    auto* exchange = builder_.CreateAtomicCmpXchg(
        address, memory_.toAtomic(type, value(inst.expected())),
        memory_.toAtomic(type, value(inst.desired())), llvm::Align(module_.layoutOf(type).size),
        ordering(inst.inst.order), ordering(inst.inst.failureOrder));
    exchange->setWeak(inst.inst.isWeak);
    setResult(inst.inst, 0, memory_.fromAtomic(type, builder_.CreateExtractValue(exchange, 0)));
    setResult(inst.inst, 1, builder_.CreateExtractValue(exchange, 1));
  }
  finish(inst.inst);
}

void FunctionLowering::lowerAtomicRmw(ir::AtomicRmw inst) {
  llvm::Value* address = value(inst.location());
  checkNull(inst.inst, address);
  const ir::Type* type = inst.type();
  if (type->is(TypeKind::Weakref)) {
    setResult(
        inst.inst, 0,
        module_.callRuntime(builder_, abi::RuntimeEntry::gaur_weakExchange, {address, value(inst.value())}));
  } else {
    llvm::Value* old = builder_.CreateAtomicRMW(
        rmwOperation(inst.op()), address, memory_.toAtomic(type, value(inst.value())),
        llvm::Align(module_.layoutOf(type).size), ordering(inst.inst.order));
    setResult(inst.inst, 0, memory_.fromAtomic(type, old));
  }
  finish(inst.inst);
}

void FunctionLowering::lowerFence(ir::Fence inst) { builder_.CreateFence(ordering(inst.inst.order)); }

}  // namespace gaur::jit
