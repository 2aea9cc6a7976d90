#include "jit/llvm/disassembler.h"

#include <fmt/format.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrAnalysis.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "jit/llvm/target.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

class Disassembler {
 public:
  Disassembler(const abi::CodeBlock& block, const AddressNames& names, const EntityName& nameOf)
      : block_(block),
        names_(names),
        nameOf_(nameOf),
        machine_(codeGenerator(OptLevel::O0).machine()),
        subtarget_(*machine_.getMCSubtargetInfo()),
        context_(machine_.getTargetTriple(), machine_.getMCAsmInfo(), machine_.getMCRegisterInfo(),
                 &subtarget_),
        disassembler_(machine_.getTarget().createMCDisassembler(subtarget_, context_)),
        analysis_(machine_.getTarget().createMCInstrAnalysis(machine_.getMCInstrInfo())),
        // Variant 1 is Intel's syntax on x86; others have one.
        printer_(machine_.getTarget().createMCInstPrinter(
            machine_.getTargetTriple(), machine_.getTargetTriple().isX86() ? 1 : 0, *machine_.getMCAsmInfo(),
            *machine_.getMCInstrInfo(), *machine_.getMCRegisterInfo())) {
    GAUR_CHECK(disassembler_ && analysis_ && printer_, "no disassembler for this target");
    printer_->setPrintBranchImmAsAddress(true);
    printer_->setPrintImmHex(true);
  }

  std::string run() {
    for (const abi::FunctionCode& function : block_.functions) functionText(function);
    return std::move(text_);
  }

 private:
  std::string functionName(const abi::FunctionCode& function) const {
    return function.version == kNoId ? "adapter" : nameOrId(nameOf_, function.version);
  }

  void functionText(const abi::FunctionCode& function) {
    if (!text_.empty()) text_ += '\n';
    fmt::format_to(std::back_inserter(text_), "{}:\n", functionName(function));
    std::uint32_t at = function.beginOffset;
    while (at < function.endOffset) {
      if (isLandingPad(function, at)) text_ += "handler:\n";
      at += instructionText(function, at);
    }
  }

  bool isLandingPad(const abi::FunctionCode& function, std::uint32_t offset) const {
    if (offset == 0) return false;  // means "none" in rows
    auto rows = block_.rows.subspan(function.firstRow, function.rowCount);
    return std::any_of(rows.begin(), rows.end(),
                       [offset](const auto& row) { return row.landingPadOffset == offset; });
  }

  std::uint32_t instructionText(const abi::FunctionCode& function, std::uint32_t offset) {
    std::uintptr_t address = block_.begin + offset;
    llvm::ArrayRef<std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(address),
                                       function.endOffset - offset);
    llvm::MCInst instruction;
    std::uint64_t size = 0;
    std::string line;
    llvm::raw_string_ostream stream(line);
    auto status = disassembler_->getInstruction(instruction, size, bytes, address, stream);
    if (status == llvm::MCDisassembler::Fail) {
      size = std::max<std::uint64_t>(size, 1);
      stream << "\t(bytes)";
    } else {
      // Branch targets as offsets in the block, like those in front of the lines. On x86 they count from the
      // end of the instruction.
      printer_->printInst(&instruction, offset + (machine_.getTargetTriple().isX86() ? size : 0), "",
                          subtarget_, stream);
    }
    std::string comment = commentOn(function, instruction, address, size);
    fmt::format_to(std::back_inserter(text_), "  +{:04x} {}{}{}\n", offset, line,
                   comment.empty() ? "" : "\t; ", comment);
    return static_cast<std::uint32_t>(size);
  }

  std::string commentOn(const abi::FunctionCode& function, const llvm::MCInst& instruction,
                        std::uintptr_t address, std::uint64_t size) {
    std::string comment;
    std::uint64_t target = 0;
    if (analysis_->evaluateBranch(instruction, address, size, target))
      comment = nameOfTarget(target);
    else if (auto memory = analysis_->evaluateMemoryOperandAddress(instruction, &subtarget_, address, size))
      comment = nameOfData(*memory);
    for (const auto& row : block_.rows.subspan(function.firstRow, function.rowCount)) {
      if (row.returnOffset != address - block_.begin + size) continue;
      if (!comment.empty()) comment += ", ";
      comment += "call site of " + nameOrId(nameOf_, row.instruction);
    }
    for (const auto& site : block_.watchpoints)
      if (site.siteOffset == address - block_.begin)
        comment = fmt::format("watchpoint {}: +{:04x}", site.watchpoint, site.targetOffset);
    return comment;
  }

  std::string nameOfTarget(std::uintptr_t target) const {
    for (const abi::FunctionCode& function : block_.functions) {
      if (block_.begin + function.beginOffset == target) return functionName(function);
    }
    return nameOfData(target);
  }
  std::string nameOfData(std::uintptr_t target) const {
    auto known = names_.find(target);
    return known == names_.end() ? std::string() : known->second;
  }

  const abi::CodeBlock& block_;
  const AddressNames& names_;
  const EntityName& nameOf_;
  llvm::TargetMachine& machine_;
  const llvm::MCSubtargetInfo& subtarget_;
  llvm::MCContext context_;
  std::unique_ptr<llvm::MCDisassembler> disassembler_;
  std::unique_ptr<llvm::MCInstrAnalysis> analysis_;
  std::unique_ptr<llvm::MCInstPrinter> printer_;
  std::string text_;
};

}  // namespace

AddressNames nameAddresses(Environment& environment, const ExternalAddresses& externals) {
  AddressNames names;
  for (const auto& symbol : externals) names[symbol.second] = symbol.first().str();
  static constexpr const char* kEntries[] = {
#define GAUR_RUNTIME_ENTRY(name, Effects) #name,
#include "vm/abi/runtime_entries.def"
  };
  const abi::LinkTable* table = environment.linkTable();
  for (std::size_t i = 0; i < abi::kRuntimeEntryCount; ++i)
    names[reinterpret_cast<std::uintptr_t>(&table->entries[i])] = kEntries[i];
  return names;
}

std::string disassemble(const abi::CodeBlock& block, const AddressNames& names, const EntityName& nameOf) {
  return Disassembler(block, names, nameOf).run();
}

}  // namespace gaur::jit
