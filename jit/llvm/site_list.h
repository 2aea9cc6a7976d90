// Lists of sites that inline assembly makes in a section of its own, on their way through the link: nothing
// refers to them, and only the link reads them.
#pragma once

#include <cstring>

#include "jit/llvm/bridge.h"

namespace gaur::jit {

/// The label of the site in its assembly. Unique in the module: LLVM's context of machine code forgets
/// numbered labels not even when it goes on with the next module (CodeGenerator).
inline constexpr const char* kSiteLabel = ".Lsite${:uid}";

/// Before pruning: keeps the list, and sees to it that it takes no memory.
inline void keepSiteList(llvm::jitlink::LinkGraph& graph, llvm::StringRef sectionName) {
  auto* section = graph.findSectionByName(sectionName);
  if (!section) return;
  section->setMemLifetime(bridge::MemLifetime::NoAlloc);
  for (auto* block : section->blocks())
    graph.addAnonymousSymbol(*block, 0, block->getSize(), /*IsCallable=*/false, /*IsLive=*/true);
}

/// After fix-up: calls f(const Entry&), which returns an llvm::Error, for each entry until one fails.
template <class Entry, class F>
llvm::Error forEachSite(llvm::jitlink::LinkGraph& graph, llvm::StringRef sectionName, F f) {
  auto* section = graph.findSectionByName(sectionName);
  if (!section) return llvm::Error::success();
  for (auto* block : section->blocks()) {
    auto bytes = block->getContent();
    for (; bytes.size() >= sizeof(Entry); bytes = bytes.drop_front(sizeof(Entry))) {
      Entry entry;
      std::memcpy(&entry, bytes.data(), sizeof(entry));
      if (auto error = f(entry)) return error;
    }
  }
  return llvm::Error::success();
}

}  // namespace gaur::jit
