// The part of LLVM's interface that changes between versions. Written against 19; what a newer version spells
// differently is adapted here and nowhere else.
#pragma once

#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/Orc/Shared/MemoryFlags.h>
#if LLVM_VERSION_MAJOR >= 20
#include <llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h>
#endif

#include <string>
#include <type_traits>

namespace gaur::jit::bridge {

using llvm::orc::MemLifetime;

inline bool isExecutable(llvm::orc::MemProt protection) {
  using Bits = std::underlying_type_t<llvm::orc::MemProt>;
  return (static_cast<Bits>(protection) & static_cast<Bits>(llvm::orc::MemProt::Exec)) != 0;
}

/// Name of a symbol of a link graph, which must have one.
inline llvm::StringRef nameOf(const llvm::jitlink::Symbol& symbol) {
#if LLVM_VERSION_MAJOR >= 20
  return *symbol.getName();
#else
  return symbol.getName();
#endif
}

inline llvm::jitlink::Symbol& addExported(llvm::jitlink::LinkGraph& graph, llvm::jitlink::Block& block,
                                          const std::string& name) {
#if LLVM_VERSION_MAJOR >= 20
  auto text = graph.intern(name);
#else
  auto bytes = graph.allocateContent(llvm::Twine(name));
  llvm::StringRef text(bytes.data(), bytes.size());
#endif
  return graph.addDefinedSymbol(block, 0, text, 0, llvm::jitlink::Linkage::Strong,
                                llvm::jitlink::Scope::Default, true, true);
}

/// Access to this process, where all work is done by the thread that asks for it.
inline llvm::Expected<std::unique_ptr<llvm::orc::ExecutorProcessControl>> thisProcess() {
  return llvm::orc::SelfExecutorProcessControl::Create(nullptr,
                                                       std::make_unique<llvm::orc::InPlaceTaskDispatcher>());
}

}  // namespace gaur::jit::bridge
