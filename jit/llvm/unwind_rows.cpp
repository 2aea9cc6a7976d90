// Joining: which function a call site lies in, which handler covers it, and what holds in the whole body of a
// function.
#include "jit/llvm/unwind_rows.h"

#include <algorithm>

namespace gaur::jit {

namespace {

constexpr std::uint32_t kStackAlignment = 16;

bool sameSaved(const FrameRule& a, const FrameRule& b) {
  return std::equal(a.saved.begin(), a.saved.end(), b.saved.begin(), b.saved.end(),
                    [](const abi::SavedRegister& x, const abi::SavedRegister& y) {
                      return x.dwarfNumber == y.dwarfNumber && x.cfaOffset == y.cfaOffset;
                    });
}

bool sameFrame(const FrameRule& a, const FrameRule& b) {
  return a.cfaRegister == b.cfaRegister && a.cfaOffset == b.cfaOffset &&
         a.savesFramePointer == b.savesFramePointer && sameSaved(a, b);
}

const FrameRule& ruleAt(const FunctionFrames& frames, std::uintptr_t pc) {
  auto after = std::upper_bound(frames.rules.begin(), frames.rules.end(), pc,
                                [](std::uintptr_t at, const FrameRule& rule) { return at < rule.begin; });
  return *(after - 1);
}

/// The first rule with the complete frame, or null: a function that only fails may have none.
const FrameRule* bodyRule(const FunctionFrames& frames, const TargetRegisters& registers) {
  const FrameRule* body = nullptr;
  for (const FrameRule& rule : frames.rules) {
    if (rule.cfaRegister != registers.framePointer || !rule.savesFramePointer) continue;
    if (!body || rule.saved.size() > body->saved.size()) body = &rule;
  }
  return body;
}

std::uintptr_t landingPadOf(const FunctionFrames& frames, std::uintptr_t pc) {
  for (const HandlerRange& range : frames.handlers)
    if (pc >= range.begin && pc < range.end) return range.landingPad;
  return 0;
}

}  // namespace

llvm::Expected<CodeRows> makeRows(std::uintptr_t blockBegin, std::vector<FunctionFrames>& frames,
                                  std::vector<StackMapSite>& sites, const TargetRegisters& registers) {
  std::sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::sort(sites.begin(), sites.end(),
            [](const auto& a, const auto& b) { return a.returnAddress < b.returnAddress; });
  auto offset = [blockBegin](std::uintptr_t address) {
    return static_cast<std::uint32_t>(address - blockBegin);
  };

  CodeRows out;
  out.functions.reserve(frames.size());
  out.rows.reserve(sites.size());
  auto site = sites.begin();
  for (const FunctionFrames& function : frames) {
    abi::FunctionCode code{};
    code.beginOffset = offset(function.begin);
    code.bodyOffset = code.endOffset = offset(function.end);
    code.firstRow = static_cast<std::uint32_t>(out.rows.size());
    code.firstSaved = static_cast<std::uint32_t>(out.saved.size());
    const FrameRule* body = bodyRule(function, registers);
    if (body) {
      code.bodyOffset = offset(body->begin);
      code.cfaOffset = static_cast<std::int32_t>(body->cfaOffset);
      out.saved.insert(out.saved.end(), body->saved.begin(), body->saved.end());
      code.savedCount = static_cast<std::uint32_t>(body->saved.size());
    }
    for (; site != sites.end() && site->returnAddress <= function.end; ++site) {
      std::uintptr_t call = site->returnAddress - 1;
      if (call < function.begin) return llvm::createStringError("a call site lies in no function");
      const FrameRule& rule = ruleAt(function, call);
      // Blocks that nothing reaches keep the rule of the entry, where no call can be: they never run.
      if (body && sameFrame(function.rules.front(), rule)) continue;
      if (!body || !sameFrame(*body, rule))
        return llvm::createStringError("a call site of instruction %u lies outside of the function's frame",
                                       site->id.instruction);
      abi::CallSiteRow row{};
      row.returnOffset = offset(site->returnAddress);
      if (std::uintptr_t pad = landingPadOf(function, call)) row.landingPadOffset = offset(pad);
      row.instruction = site->id.instruction;
      row.calleePops = site->id.calleePops;
      row.hasResultMemory = site->id.hasResultMemory;
      std::uint32_t hidden = row.hasResultMemory ? 1 : 0;
      row.firstKeepalive = static_cast<std::uint32_t>(out.keepalives.size()) + hidden;
      row.keepaliveCount = static_cast<std::uint32_t>(site->keepalives.size()) - hidden;
      row.frameSize = site->frameSize;
      if (row.frameSize == abi::kDynamicFrame)
        row.argumentBytes = std::max<std::uint32_t>(
            rule.argumentBytes, (row.calleePops + kStackAlignment - 1) & ~(kStackAlignment - 1));
      out.keepalives.insert(out.keepalives.end(), site->keepalives.begin(), site->keepalives.end());
      out.rows.push_back(row);
    }
    code.rowCount = static_cast<std::uint32_t>(out.rows.size()) - code.firstRow;
    out.functions.push_back(code);
  }
  if (site != sites.end()) return llvm::createStringError("a call site lies in no function");
  return out;
}

}  // namespace gaur::jit
