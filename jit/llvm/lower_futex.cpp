// @uvm.futex.*: calls of the runtime that are call sites, so that backtraces find the frame of a thread that
// waits. The runtime takes values of all widths zero-extended to 64 bits, with the size of the location.
#include "jit/llvm/lowering.h"

namespace gaur::jit {

using abi::RuntimeEntry;
using ir::CommonInst;

void FunctionLowering::lowerFutex(ir::CommInst inst) {
  const ir::Type* type = inst.inst.type();
  auto call = [&](RuntimeEntry entry, llvm::ArrayRef<llvm::Value*> arguments) {
    setResult(inst.inst, 0, module_.callRuntime(builder_, entry, arguments, inst.inst.id));
  };
  auto wide = [&](std::size_t operand) {
    return builder_.CreateZExt(value(inst.operand(operand)), builder_.getInt64Ty());
  };
  llvm::Value* location = value(inst.operand(0));
  llvm::Value* bytes = builder_.getInt32(static_cast<std::uint32_t>(module_.layoutOf(type).size));
  switch (inst.id()) {
    case CommonInst::UvmFutexWait: return call(RuntimeEntry::gaur_futexWait, {location, wide(1), bytes});
    case CommonInst::UvmFutexWaitTimeout:
      return call(RuntimeEntry::gaur_futexWaitTimeout, {location, wide(1), bytes, value(inst.operand(2))});
    case CommonInst::UvmFutexWake:
      return call(RuntimeEntry::gaur_futexWake, {location, value(inst.operand(1))});
    default:
      return call(RuntimeEntry::gaur_futexRequeue,
                  {location, value(inst.operand(1)), wide(2), bytes, value(inst.operand(3))});
  }
}

}  // namespace gaur::jit
