// Switches of stacks that stand in compiled code in place of a call, on their way from inline assembly
// through the object file into the code map. Only this module knows the instructions of such a switch, and
// the section in which an object lists where they are resumed.
#pragma once

#include <string>
#include <vector>

#include "jit/llvm/bridge.h"
#include "jit/llvm/unwind_rows.h"

namespace gaur::jit {

/// Whether compiled code for the target has switches in place. Elsewhere they are calls of the runtime, which
/// do the same.
bool hasSwapAssembly(const llvm::Triple& triple);

/// Operands of the assembly, in this order: two words to pass, the stack to go to, its saved pointer, its
/// limit and the stack to leave. It gives back as many values, of which the first two are the words that the
/// stack is resumed with.
inline constexpr unsigned kSwapOperands = 6;
std::string swapAssembly(abi::CallSiteId site);
/// Nothing but the frame pointer survives.
std::string swapConstraints();

/// Before pruning: keeps the list, which nothing refers to, and sees to it that it takes no memory.
void keepSwapSites(llvm::jitlink::LinkGraph& graph);

/// After fix-up: adds the places where switches are resumed to the call sites, whose functions `frames`
/// tells. Requires: each such function has a call site of another kind too.
llvm::Error addSwapSites(llvm::jitlink::LinkGraph& graph, const std::vector<FunctionFrames>& frames,
                         std::vector<StackMapSite>& sites);

}  // namespace gaur::jit
