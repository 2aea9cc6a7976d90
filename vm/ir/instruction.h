// Instructions. All have one uniform record (types, signatures, operands, destinations, results), so that
// linking, printing and copying treat them alike; the typed views below name the parts of each opcode.
#pragma once

#include <string>

#include "vm/ir/entity.h"
#include "vm/support/check.h"

namespace gaur::ir {

struct Result : Value {
  static constexpr EntityKind kKind = EntityKind::Result;
  Instruction* instruction = nullptr;
  std::uint32_t index = 0;
};

/// A branch target with its arguments.
struct Dest : Entity {
  static constexpr EntityKind kKind = EntityKind::DestClause;
  Use<BasicBlock> block;
  std::span<ValueUse> arguments;
};

struct ExcClause : Entity {
  static constexpr EntityKind kKind = EntityKind::ExcClause;
  Use<Dest> normal;
  Use<Dest> exceptional;
};
struct KeepaliveClause : Entity {
  static constexpr EntityKind kKind = EntityKind::KeepaliveClause;
  std::span<ValueUse> values;
};
/// RET_WITH<T...>, KILL_OLD.
struct CurStackClause : Entity {
  static constexpr EntityKind kKind = EntityKind::CurStackClause;
  bool killOld = false;
  std::span<TypeUse> types;
};
/// PASS_VALUES<T...>(v...), THROW_EXC v.
struct NewStackClause : Entity {
  static constexpr EntityKind kKind = EntityKind::NewStackClause;
  bool throwExc = false;
  std::span<TypeUse> types;
  std::span<ValueUse> values;
};

/// Clauses of an instruction made by the builder API, which names them by ID. Linking moves their content
/// into the instruction.
struct PendingClauses {
  Use<ExcClause> exc;
  Use<KeepaliveClause> keepalive;
  Use<CurStackClause> curStack;
  Use<NewStackClause> newStack;
};

struct Instruction : Entity {
  static constexpr EntityKind kKind = EntityKind::Instruction;
  Opcode opcode = Opcode::Ret;
  /// BinOperator, CmpOperator, ConvOperator or RmwOperator, by opcode.
  std::uint8_t operation = 0;
  /// OR of StatusFlag.
  std::uint8_t status = 0;
  MemoryOrder order = MemoryOrder::NotAtomic;
  MemoryOrder failureOrder = MemoryOrder::NotAtomic;
  CallConv convention = CallConv::Default;
  bool isPtr = false;
  bool isWeak = false;
  /// The last two destinations are the normal and the exceptional one (WATCHPOINT: the last is the
  /// exceptional one).
  bool hasExc = false;
  bool hasThreadLocal = false;  // NEWTHREAD
  bool killOld = false;         // SWAPSTACK
  bool throwExc = false;        // SWAPSTACK, NEWTHREAD
  /// CommonInst of COMMINST.
  CommonInst common = CommonInst::UvmCurrentStack;
  /// Field index, watchpoint ID, or (SWAPSTACK) how many of `types` are RET_WITH types.
  std::uint32_t immediate = 0;
  BasicBlock* block = nullptr;
  std::span<TypeUse> types;
  std::span<SigUse> sigs;
  std::span<ValueUse> operands;
  std::span<Use<Dest>> dests;
  std::span<ValueUse> keepalives;
  std::span<Result> results;
  std::span<CallConv> flags;  // COMMINST [#...]
  PendingClauses* pending = nullptr;

  /// Always the last instruction of its block: by its opcode, or because it carries EXC, or by being e.g.
  /// thread_exit.
  bool isTerminator() const;
  Dest* normalDest() const { return dests[dests.size() - 2].target; }
  Dest* exceptionalDest() const { return dests.back().target; }
  const Type* type(std::size_t i = 0) const { return types[i]->type; }
  const Signature* signature() const { return sigs[0]->signature; }
};

/// The word an instruction begins with in text: "ADD", "CALL"; for COMMINST the name with '@'.
std::string word(const Instruction& instruction);

// Views: `as<Load>(instruction).location()`. Each names the operands of one opcode; none adds storage.
// The order of operands is the order in the text.

struct View {
  const Instruction& inst;
  const Type* type(std::size_t i = 0) const { return inst.type(i); }
  Value* operand(std::size_t i) const { return inst.operands[i].target; }
  Dest* dest(std::size_t i) const { return inst.dests[i].target; }
};

struct BinOp : View {
  static constexpr Opcode kOpcode = Opcode::BinOp;
  BinOperator op() const { return static_cast<BinOperator>(inst.operation); }
  Value* lhs() const { return operand(0); }
  Value* rhs() const { return operand(1); }
  bool wants(StatusFlag f) const { return (inst.status & static_cast<std::uint8_t>(f)) != 0; }
};
struct Cmp : View {
  static constexpr Opcode kOpcode = Opcode::Cmp;
  CmpOperator op() const { return static_cast<CmpOperator>(inst.operation); }
  Value* lhs() const { return operand(0); }
  Value* rhs() const { return operand(1); }
};
struct Conv : View {
  static constexpr Opcode kOpcode = Opcode::Conv;
  ConvOperator op() const { return static_cast<ConvOperator>(inst.operation); }
  const Type* from() const { return type(0); }
  const Type* to() const { return type(1); }
  Value* value() const { return operand(0); }
};
struct Select : View {
  static constexpr Opcode kOpcode = Opcode::Select;
  const Type* conditionType() const { return type(0); }
  const Type* valueType() const { return type(1); }
  Value* condition() const { return operand(0); }
  Value* ifTrue() const { return operand(1); }
  Value* ifFalse() const { return operand(2); }
};
struct Branch : View {
  static constexpr Opcode kOpcode = Opcode::Branch;
  Dest* target() const { return dest(0); }
};
struct Branch2 : View {
  static constexpr Opcode kOpcode = Opcode::Branch2;
  Value* condition() const { return operand(0); }
  Dest* ifTrue() const { return dest(0); }
  Dest* ifFalse() const { return dest(1); }
};
struct Switch : View {
  static constexpr Opcode kOpcode = Opcode::Switch;
  Value* value() const { return operand(0); }
  Dest* defaultDest() const { return dest(0); }
  std::size_t caseCount() const { return inst.operands.size() - 1; }
  Constant* caseValue(std::size_t i) const { return static_cast<Constant*>(operand(i + 1)); }
  Dest* caseDest(std::size_t i) const { return dest(i + 1); }
};
/// CALL, TAILCALL and CCALL: the callee, then the arguments.
struct AnyCall : View {
  const Signature* signature() const { return inst.signature(); }
  Value* callee() const { return operand(0); }
  std::span<const ValueUse> arguments() const { return inst.operands.subspan(1); }
};
struct Call : AnyCall {
  static constexpr Opcode kOpcode = Opcode::Call;
};
struct TailCall : AnyCall {
  static constexpr Opcode kOpcode = Opcode::TailCall;
};
struct CCall : AnyCall {
  static constexpr Opcode kOpcode = Opcode::CCall;
  const Type* calleeType() const { return type(0); }
};
struct Ret : View {
  static constexpr Opcode kOpcode = Opcode::Ret;
};
struct Throw : View {
  static constexpr Opcode kOpcode = Opcode::Throw;
  Value* exception() const { return operand(0); }
};
struct ExtractValue : View {
  static constexpr Opcode kOpcode = Opcode::ExtractValue;
  std::uint32_t index() const { return inst.immediate; }
  Value* aggregate() const { return operand(0); }
};
struct InsertValue : View {
  static constexpr Opcode kOpcode = Opcode::InsertValue;
  std::uint32_t index() const { return inst.immediate; }
  Value* aggregate() const { return operand(0); }
  Value* newValue() const { return operand(1); }
};
struct ExtractElement : View {
  static constexpr Opcode kOpcode = Opcode::ExtractElement;
  const Type* indexType() const { return type(1); }
  Value* sequence() const { return operand(0); }
  Value* index() const { return operand(1); }
};
struct InsertElement : View {
  static constexpr Opcode kOpcode = Opcode::InsertElement;
  const Type* indexType() const { return type(1); }
  Value* sequence() const { return operand(0); }
  Value* index() const { return operand(1); }
  Value* newValue() const { return operand(2); }
};
struct ShuffleVector : View {
  static constexpr Opcode kOpcode = Opcode::ShuffleVector;
  const Type* maskType() const { return type(1); }
  Value* first() const { return operand(0); }
  Value* second() const { return operand(1); }
  Value* mask() const { return operand(2); }
};
struct New : View {
  static constexpr Opcode kOpcode = Opcode::New;
};
struct Alloca : View {
  static constexpr Opcode kOpcode = Opcode::Alloca;
};
struct NewHybrid : View {
  static constexpr Opcode kOpcode = Opcode::NewHybrid;
  const Type* lengthType() const { return type(1); }
  Value* length() const { return operand(0); }
};
struct AllocaHybrid : View {
  static constexpr Opcode kOpcode = Opcode::AllocaHybrid;
  const Type* lengthType() const { return type(1); }
  Value* length() const { return operand(0); }
};
struct GetIref : View {
  static constexpr Opcode kOpcode = Opcode::GetIref;
  Value* ref() const { return operand(0); }
};
struct GetFieldIref : View {
  static constexpr Opcode kOpcode = Opcode::GetFieldIref;
  std::uint32_t index() const { return inst.immediate; }
  Value* location() const { return operand(0); }
};
struct GetElemIref : View {
  static constexpr Opcode kOpcode = Opcode::GetElemIref;
  const Type* indexType() const { return type(1); }
  Value* location() const { return operand(0); }
  Value* index() const { return operand(1); }
};
struct ShiftIref : View {
  static constexpr Opcode kOpcode = Opcode::ShiftIref;
  const Type* offsetType() const { return type(1); }
  Value* location() const { return operand(0); }
  Value* offset() const { return operand(1); }
};
struct GetVarPartIref : View {
  static constexpr Opcode kOpcode = Opcode::GetVarPartIref;
  Value* location() const { return operand(0); }
};
struct Load : View {
  static constexpr Opcode kOpcode = Opcode::Load;
  Value* location() const { return operand(0); }
};
struct Store : View {
  static constexpr Opcode kOpcode = Opcode::Store;
  Value* location() const { return operand(0); }
  Value* value() const { return operand(1); }
};
struct CmpXchg : View {
  static constexpr Opcode kOpcode = Opcode::CmpXchg;
  Value* location() const { return operand(0); }
  Value* expected() const { return operand(1); }
  Value* desired() const { return operand(2); }
};
struct AtomicRmw : View {
  static constexpr Opcode kOpcode = Opcode::AtomicRmw;
  RmwOperator op() const { return static_cast<RmwOperator>(inst.operation); }
  Value* location() const { return operand(0); }
  Value* value() const { return operand(1); }
};
struct Fence : View {
  static constexpr Opcode kOpcode = Opcode::Fence;
};
struct Trap : View {
  static constexpr Opcode kOpcode = Opcode::Trap;
};
struct Watchpoint : View {
  static constexpr Opcode kOpcode = Opcode::Watchpoint;
  std::uint32_t watchpointId() const { return inst.immediate; }
  Dest* disabled() const { return dest(0); }
  Dest* enabled() const { return dest(1); }
};
struct WpBranch : View {
  static constexpr Opcode kOpcode = Opcode::WpBranch;
  std::uint32_t watchpointId() const { return inst.immediate; }
  Dest* disabled() const { return dest(0); }
  Dest* enabled() const { return dest(1); }
};
/// Operands: the stack, the thread-local (if hasThreadLocal), the values or the exception.
struct NewThread : View {
  static constexpr Opcode kOpcode = Opcode::NewThread;
  Value* stack() const { return operand(0); }
  Value* threadLocal() const { return inst.hasThreadLocal ? operand(1) : nullptr; }
  std::span<const ValueUse> values() const { return inst.operands.subspan(inst.hasThreadLocal ? 2 : 1); }
};
/// Operands: the stack, then the values or the exception.
struct SwapStack : View {
  static constexpr Opcode kOpcode = Opcode::SwapStack;
  Value* stack() const { return operand(0); }
  std::span<const TypeUse> returnTypes() const { return inst.types.first(inst.immediate); }
  std::span<const TypeUse> passTypes() const { return inst.types.subspan(inst.immediate); }
  std::span<const ValueUse> values() const { return inst.operands.subspan(1); }
};
struct CommInst : View {
  static constexpr Opcode kOpcode = Opcode::CommInst;
  CommonInst id() const { return inst.common; }
};

template <class V>
V as(const Instruction& instruction) {
  GAUR_CHECK(instruction.opcode == V::kOpcode);
  return V{instruction};
}

}  // namespace gaur::ir
