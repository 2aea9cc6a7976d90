#include "jit/llvm/target.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

#include <array>
#include <utility>

#include "vm/support/check.h"

namespace gaur::jit {

namespace {

/// Frames keep the area for outgoing arguments all the time, so that the stack pointer after a call can be
/// told from the frame's size; pushing arguments would be shorter by some bytes, and no faster.
void keepArgumentArea() {
  auto& options = llvm::cl::getRegisteredOptions();
  if (auto option = options.find("no-x86-call-frame-opt"); option != options.end())
    static_cast<llvm::cl::opt<bool>*>(option->second)->setValue(true);
}

const llvm::Target& hostTarget(const std::string& triple) {
  static const llvm::Target* target = [&triple] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();  // inline assembly
    llvm::InitializeNativeTargetDisassembler();
    keepArgumentArea();
    std::string error;
    const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, error);
    GAUR_CHECK(found, error);
    return found;
  }();
  return *target;
}

llvm::CodeGenOptLevel codeGenLevel(OptLevel level) {
  switch (level) {
    case OptLevel::O0: return llvm::CodeGenOptLevel::None;
    case OptLevel::O1: return llvm::CodeGenOptLevel::Less;
    case OptLevel::O2: return llvm::CodeGenOptLevel::Default;
  }
  GAUR_UNREACHABLE("no such level");
}

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(OptLevel level) {
  std::string triple = llvm::sys::getProcessTriple();
  const llvm::Target& target = hostTarget(triple);
  // The baseline of the architecture: code in boot images must run on every machine of its kind.
  std::unique_ptr<llvm::TargetMachine> machine(
      target.createTargetMachine(triple, "", "", llvm::TargetOptions(), llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small, codeGenLevel(level), true));
  GAUR_CHECK(machine, "no code generator for " + triple);
  // The other instruction selector drops stack map records.
  machine->setGlobalISel(false);
  return machine;
}

/// Of this thread. No objects with destructors: what exit() does may still need them when its thread's
/// destructors have run.
thread_local constinit std::array<llvm::TargetMachine*, 3> machines{};

struct MachinesEnd {
  void use() {}
  ~MachinesEnd() {
    for (llvm::TargetMachine*& machine : machines) delete std::exchange(machine, nullptr);
  }
};
thread_local MachinesEnd machinesEnd;

}  // namespace

llvm::TargetMachine& targetMachine(OptLevel level) {
  machinesEnd.use();
  llvm::TargetMachine*& machine = machines[static_cast<std::size_t>(level)];
  if (!machine) machine = makeTargetMachine(level).release();
  return *machine;
}

void setTarget(llvm::Module& module, const llvm::TargetMachine& machine) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
}

std::unique_ptr<llvm::MemoryBuffer> emitObject(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> bytes;
  {
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    llvm::MCContext* context = nullptr;
    bool failed = machine.addPassesToEmitMC(passes, context, stream, /*DisableVerify=*/true);
    GAUR_CHECK(!failed, "the target cannot emit objects");
    passes.run(module);
  }
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), "gaur",
                                                         /*RequiresNullTerminator=*/false);
}

}  // namespace gaur::jit
