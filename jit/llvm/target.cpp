#include "jit/llvm/target.h"

#include <llvm/CodeGen/AsmPrinter.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCAsmBackend.h>
#include <llvm/MC/MCCodeEmitter.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCObjectWriter.h>
#include <llvm/MC/MCStreamer.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

#include <array>
#include <utility>

#include "jit/llvm/call_frame_end.h"
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

/// Printers keep their stack maps to themselves.
struct StackMapsOf : llvm::AsmPrinter {
  static llvm::StackMaps& printer(llvm::AsmPrinter& printer) { return printer.*(&StackMapsOf::SM); }
};

/// Behind either register allocator.
void mendCallFrames(llvm::TargetPassConfig& config) {
  const std::unique_ptr<llvm::Pass> fast(llvm::createFastRegisterAllocator());
  for (llvm::AnalysisID allocator : {fast->getPassID(), llvm::AnalysisID(&llvm::VirtRegRewriterID)})
    config.insertPass(allocator, new CallFrameEnd);
}

/// One that writes objects to the stream.
llvm::AsmPrinter* makePrinter(llvm::LLVMTargetMachine& machine, llvm::MCContext& context,
                              llvm::raw_pwrite_stream& stream) {
  const llvm::Target& target = machine.getTarget();
  const llvm::MCSubtargetInfo& subtarget = *machine.getMCSubtargetInfo();
  std::unique_ptr<llvm::MCCodeEmitter> emitter(
      target.createMCCodeEmitter(*machine.getMCInstrInfo(), context));
  std::unique_ptr<llvm::MCAsmBackend> backend(
      target.createMCAsmBackend(subtarget, *machine.getMCRegisterInfo(), machine.Options.MCOptions));
  GAUR_CHECK(emitter && backend, "the target cannot emit objects");
  std::unique_ptr<llvm::MCObjectWriter> writer = backend->createObjectWriter(stream);
  std::unique_ptr<llvm::MCStreamer> streamer(
      target.createMCObjectStreamer(machine.getTargetTriple(), context, std::move(backend), std::move(writer),
                                    std::move(emitter), subtarget));
  llvm::AsmPrinter* printer = target.createAsmPrinter(machine, std::move(streamer));
  GAUR_CHECK(printer, "the target cannot print");
  return printer;
}

/// Of this thread. No objects with destructors: what exit() does may still need them when its thread's
/// destructors have run.
thread_local constinit std::array<CodeGenerator*, 3> generators{};

struct GeneratorsEnd {
  void use() {}
  ~GeneratorsEnd() {
    for (CodeGenerator*& generator : generators) delete std::exchange(generator, nullptr);
  }
};
thread_local GeneratorsEnd generatorsEnd;

}  // namespace

CodeGenerator::CodeGenerator(OptLevel level) : machine_(makeTargetMachine(level)) {
  // As LLVMTargetMachine::addPassesToEmitMC does it, which does not tell of the printer.
  auto& machine = static_cast<llvm::LLVMTargetMachine&>(*machine_);
  auto* modules = new llvm::MachineModuleInfoWrapperPass(&machine);
  llvm::TargetPassConfig* config = machine.createPassConfig(passes_);
  config->setDisableVerify(true);
  passes_.add(config);
  passes_.add(modules);
  if (machine.getTargetTriple().isAArch64()) mendCallFrames(*config);
  const bool failed = config->addISelPasses();
  GAUR_CHECK(!failed, "the target cannot select instructions");
  config->addMachinePasses();
  config->setInitialized();
  printer_ = makePrinter(machine, modules->getMMI().getContext(), stream_);
  passes_.add(printer_);
  passes_.add(llvm::createFreeMachineFunctionPass());
}

std::unique_ptr<llvm::MemoryBuffer> CodeGenerator::emitObject(llvm::Module& module) {
  passes_.run(module);
  // Printers of AArch64 keep what functions they met, whose symbols are gone with the module.
  StackMapsOf::printer(*printer_).reset();
  auto object = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes_), "gaur",
                                                                /*RequiresNullTerminator=*/false);
  bytes_.clear();
  return object;
}

CodeGenerator& codeGenerator(OptLevel level) {
  generatorsEnd.use();
  CodeGenerator*& generator = generators[static_cast<std::size_t>(level)];
  if (!generator) generator = new CodeGenerator(level);
  return *generator;
}

void setTarget(llvm::Module& module, const llvm::TargetMachine& machine) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
}

}  // namespace gaur::jit
