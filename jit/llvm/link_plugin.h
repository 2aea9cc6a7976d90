// What is done to an object on its way through JITLink: symbols get their addresses, sections get their
// lifetimes, and the rows of the code map are read before the sections they come from are dropped.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "jit/code_slab.h"
#include "jit/llvm/bridge.h"
#include "jit/llvm/lowering.h"
#include "jit/llvm/unwind_rows.h"

namespace gaur::jit {

/// What a symbol of an object is compiled from. Adapters have neither version nor record.
struct LinkedSymbol {
  abi::CodeKind kind = abi::CodeKind::Function;
  Id version = kNoId;
  abi::FunctionRecord* record = nullptr;
};
using LinkedSymbols = llvm::StringMap<LinkedSymbol>;

/// One link: what it is given and what comes out of it.
struct LinkJob {
  const ExternalAddresses* externals = nullptr;
  const LinkedSymbols* symbols = nullptr;

  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  CodeRows rows;
  /// Version and entry.
  std::vector<std::pair<Id, std::uintptr_t>> entries;
  /// Null: not wanted.
  const CodeSlab* movableWithin = nullptr;
  std::vector<AbsoluteWord> absoluteWords;
  std::vector<std::uintptr_t> linkedPlaces;
  /// First failure, more exact than what the session reports.
  std::string error;
};

class LinkPlugin : public llvm::orc::ObjectLinkingLayer::Plugin {
 public:
  /// The object that defines `unitSymbol` (which this plugin adds to it) belongs to `job`.
  void enter(const std::string& unitSymbol, LinkJob& job);
  void leave(const std::string& unitSymbol);

  void modifyPassConfig(llvm::orc::MaterializationResponsibility& responsibility,
                        llvm::jitlink::LinkGraph& graph, llvm::jitlink::PassConfiguration& passes) override;
  llvm::Error notifyFailed(llvm::orc::MaterializationResponsibility&) override {
    return llvm::Error::success();
  }
  llvm::Error notifyRemovingResources(llvm::orc::JITDylib&, llvm::orc::ResourceKey) override {
    return llvm::Error::success();
  }
  void notifyTransferringResources(llvm::orc::JITDylib&, llvm::orc::ResourceKey,
                                   llvm::orc::ResourceKey) override {}

 private:
  std::mutex mutex_;
  std::map<std::string, LinkJob*, std::less<>> jobs_;
};

}  // namespace gaur::jit
