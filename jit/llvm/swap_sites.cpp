#include "jit/llvm/swap_sites.h"

#include <llvm/TargetParser/Triple.h>

#include <algorithm>

#include "jit/llvm/site_list.h"
#include "vm/abi/asm_offsets.h"

namespace gaur::jit {

namespace {

namespace jitlink = llvm::jitlink;

constexpr const char* kSection = ".gaur.swaps";

/// What the list holds for each site.
struct Entry {
  std::uint64_t resumed;
  std::uint64_t site;
};

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

bool hasSwapAssembly(const llvm::Triple& triple) { return triple.getArch() == llvm::Triple::x86_64; }

std::string swapAssembly(abi::CallSiteId site) {
  // What gaur_swapStack does (vm/runtime/transitions_x86_64.S), in the same order: vm/abi/README.md tells why
  // the collector may come in between. $8: the stack to go to, $9: its saved pointer, $10: its limit, $11:
  // the stack to leave.
  auto savedPointer = [](const char* stack) {
    return number(GAUR_STACK_SAVED_POINTER) + "(" + stack + ")\n";
  };
  const std::string resumed = kSiteLabel;
  std::string text = "leaq " + resumed + "(%rip), %r11\n";
  text += "pushq %r11\n";
  text += "pushq %rbp\n";
  text += "movq %rsp, " + savedPointer("$11");
  text += "movq $10, %fs:0x70\n";
  text += "movq $9, %rsp\n";
  text += "movq $$0, " + savedPointer("$8");
  text += "popq %rbp\n";
  text += "popq %r11\n";
  text += "jmpq *%r11\n" + resumed + ":\n";
  text += std::string(".pushsection ") + kSection + ",\"a\",@progbits\n";
  text += ".quad " + resumed + ", " + number(site.bits()) + "\n";
  return text + ".popsection";
}

std::string swapConstraints() {
  // All operands lie in registers that come back changed.
  std::string constraints = "={rax},={rdx},={rsi},={rcx},={rdi},={r8},0,1,2,3,4,5";
  for (const char* name : {"rbx", "r9", "r10", "r11", "r12", "r13", "r14", "r15"})
    constraints += std::string(",~{") + name + "}";
  for (unsigned i = 0; i < 32; ++i) constraints += ",~{xmm" + number(i) + "}";
  for (unsigned i = 0; i < 8; ++i) constraints += ",~{k" + number(i) + "}";
  for (unsigned i = 0; i < 8; ++i) constraints += ",~{st(" + number(i) + ")}";
  return constraints + ",~{memory},~{dirflag},~{fpsr},~{flags}";
}

void keepSwapSites(jitlink::LinkGraph& graph) { keepSiteList(graph, kSection); }

llvm::Error addSwapSites(jitlink::LinkGraph& graph, const std::vector<FunctionFrames>& frames,
                         std::vector<StackMapSite>& sites) {
  auto isAround = [](const FunctionFrames& function, std::uintptr_t address) {
    return function.begin < address && address <= function.end;
  };
  const std::size_t calls = sites.size();
  return forEachSite<Entry>(graph, kSection, [&](const Entry& entry) -> llvm::Error {
    auto function = std::find_if(frames.begin(), frames.end(),
                                 [&](const FunctionFrames& f) { return isAround(f, entry.resumed); });
    const auto lastCall = sites.begin() + static_cast<std::ptrdiff_t>(calls);
    auto call = lastCall;
    // The size of the frame is the same at all sites of a function.
    if (function != frames.end())
      call = std::find_if(sites.begin(), lastCall,
                          [&](const StackMapSite& site) { return isAround(*function, site.returnAddress); });
    if (call == lastCall)
      return llvm::createStringError("a switch of stacks lies in no function with call sites");
    const std::uint32_t frameSize = call->frameSize;
    sites.push_back(
        {static_cast<std::uintptr_t>(entry.resumed), abi::CallSiteId::of(entry.site), frameSize, {}});
    return llvm::Error::success();
  });
}

}  // namespace gaur::jit
