// Two walks over the blocks: which blocks can be reached after something opaque, and which can reach
// themselves.
#include "jit/llvm/call_analysis.h"

#include <vector>

namespace gaur::jit {

using namespace ir;

namespace {

constexpr std::uint32_t kLargestLeaf = 60;

bool synchronises(MemoryOrder order) {
  return order != MemoryOrder::NotAtomic && order != MemoryOrder::Relaxed;
}

/// Common instructions that only compute.
bool isPure(CommonInst id) {
  switch (id) {
    case CommonInst::UvmTr64IsFp:
    case CommonInst::UvmTr64IsInt:
    case CommonInst::UvmTr64IsRef:
    case CommonInst::UvmTr64FromFp:
    case CommonInst::UvmTr64FromInt:
    case CommonInst::UvmTr64FromRef:
    case CommonInst::UvmTr64ToFp:
    case CommonInst::UvmTr64ToInt:
    case CommonInst::UvmTr64ToRef:
    case CommonInst::UvmTr64ToTag:
    case CommonInst::UvmKillDependency:
    case CommonInst::UvmNativeGetAddr:
    case CommonInst::UvmGetThreadlocal:
    case CommonInst::UvmSetThreadlocal: return true;
    default: return false;
  }
}

/// Another function, another thread or native code can have run when it is over. Calls are judged by their
/// callers here.
bool isOpaque(const Instruction& inst) {
  switch (inst.opcode) {
    case Opcode::Call:
    case Opcode::TailCall:
    case Opcode::CCall:
    case Opcode::Trap:
    case Opcode::Watchpoint:
    case Opcode::WpBranch:
    case Opcode::NewThread:
    case Opcode::SwapStack:
    case Opcode::Fence: return true;
    case Opcode::CommInst: return !isPure(inst.common);
    default: return synchronises(inst.order);
  }
}

bool isPlainCall(const Instruction& inst) { return inst.opcode == Opcode::Call && inst.keepalives.empty(); }

}  // namespace

const FunctionVersion* directCallee(const Instruction& call) {
  const Value* callee = call.operands[0];
  if (callee->entityKind != EntityKind::Function) return nullptr;
  return static_cast<const Function*>(callee)->current.load(std::memory_order_relaxed);
}

bool isInlinableLeaf(const FunctionVersion& version) {
  if (version.instructionCount > kLargestLeaf) return false;
  bool leaf = true;
  forEachInstruction(version, [&](const Instruction& inst) {
    bool keepsFrame = inst.opcode == Opcode::Alloca || inst.opcode == Opcode::AllocaHybrid;
    if (isOpaque(inst) || keepsFrame || inst.opcode == Opcode::Throw) leaf = false;
  });
  return leaf;
}

CallAnalysis::CallAnalysis(const FunctionVersion& version) {
  auto leafCall = [](const Instruction& inst) {
    const FunctionVersion* callee = isPlainCall(inst) ? directCallee(inst) : nullptr;
    return callee && isInlinableLeaf(*callee);
  };
  auto selfCall = [&](const Instruction& inst) {
    return isPlainCall(inst) && !inst.hasExc && directCallee(inst) == &version;
  };
  auto opaque = [&](const Instruction& inst) { return isOpaque(inst) && !leafCall(inst) && !selfCall(inst); };
  unsigned selfCalls = 0;
  forEachInstruction(version, [&](const Instruction& inst) { selfCalls += selfCall(inst); });

  std::size_t count = version.blocks.size();
  std::vector<bool> ends(count);  // the block itself runs something opaque
  for (const auto& block : version.blocks)
    for (const auto& inst : block->instructions)
      if (opaque(*inst)) {
        ends[block->index] = true;
        quiet_ = false;
      }

  quiet_ = quiet_ && selfCalls > 1;

  // Blocks that can be reached from the end of an opaque one.
  std::vector<bool> after(count);
  std::vector<const BasicBlock*> work;
  auto visit = [&](std::vector<bool>& seen, const BasicBlock* from) {
    for (const auto& dest : from->terminator()->dests) {
      const BasicBlock* to = dest->block.target;
      if (seen[to->index]) continue;
      seen[to->index] = true;
      work.push_back(to);
    }
  };
  auto drain = [&](std::vector<bool>& seen) {
    while (!work.empty()) {
      const BasicBlock* block = work.back();
      work.pop_back();
      visit(seen, block);
    }
  };
  for (const auto& block : version.blocks)
    if (ends[block->index]) visit(after, block);
  drain(after);

  for (const auto& block : version.blocks) {
    bool dirty = after[block->index];
    for (const auto& inst : block->instructions) {
      if (!dirty && leafCall(*inst)) inlinable_.insert(inst.target);
      dirty = dirty || opaque(*inst);
    }
  }

  for (const auto& block : version.blocks) {
    bool allocates = false;
    for (const auto& inst : block->instructions)
      allocates = allocates || inst->opcode == Opcode::Alloca || inst->opcode == Opcode::AllocaHybrid;
    if (!allocates) continue;
    std::vector<bool> reached(count);
    visit(reached, block);
    drain(reached);
    if (reached[block->index]) cyclic_.insert(block.target);
  }
}

}  // namespace gaur::jit
