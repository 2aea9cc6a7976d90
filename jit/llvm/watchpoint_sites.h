// The instructions that watchpoints patch, on their way from inline assembly through the object file into the
// code map. Only this module knows the section in which an object lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/llvm/bridge.h"
#include "vm/abi/code_map.h"

namespace gaur::jit {

/// The assembly of a site, for a callbr with one indirect destination: an instruction that does nothing, and
/// its entry in the list.
std::string watchpointAssembly(const llvm::Triple& triple, std::uint32_t watchpoint);

/// Before pruning: keeps the list, which nothing refers to, and sees to it that it takes no memory.
void keepWatchpoints(llvm::jitlink::LinkGraph& graph);

/// After fix-up: the sites, sorted by watchpoint; offsets are from `begin` of the code.
llvm::Expected<std::vector<abi::WatchpointSite>> readWatchpoints(llvm::jitlink::LinkGraph& graph,
                                                                 std::uintptr_t begin, std::uintptr_t end);

}  // namespace gaur::jit
