// Linking: an object file in, a CodeUnit out. The one user of ORC.
#pragma once

#include <llvm/Support/MemoryBuffer.h>

#include <atomic>
#include <mutex>

#include "jit/code_map.h"
#include "jit/llvm/link_plugin.h"
#include "jit/llvm/slab_memory_manager.h"

namespace gaur::jit {

class Session {
 public:
  /// With `keepAbsoluteWords` units tell theirs, and all code that is linked must be free to move with the
  /// slab.
  static Result<std::unique_ptr<Session>> create(CodeSlab& slab, CodeMap& map, bool keepAbsoluteWords);
  /// Requires: no unit is left.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Links an object and enters it in the code map. Thread-safe. `what` names it in the error.
  Result<std::unique_ptr<CodeUnit>> link(std::unique_ptr<llvm::MemoryBuffer> object,
                                         const ExternalAddresses& externals, const LinkedSymbols& symbols,
                                         std::vector<Inlining> inlinings, const std::string& what);

 private:
  class Unit;
  Session(std::unique_ptr<llvm::orc::ExecutionSession> session, CodeSlab& slab, CodeMap& map,
          bool keepAbsoluteWords);

  /// Sweeps LLVM's pool of symbol names now and then: names of removed units stay in it until then.
  void countRemoval();
  std::string takeReports();

  CodeMap& map_;
  const CodeSlab* movableWithin_;
  SlabMemoryManager memory_;
  std::unique_ptr<llvm::orc::ExecutionSession> session_;
  std::shared_ptr<LinkPlugin> plugin_;
  std::unique_ptr<llvm::orc::ObjectLinkingLayer> layer_;
  llvm::orc::JITDylib* dylib_ = nullptr;
  std::atomic<std::uint64_t> units_{0};
  std::atomic<std::uint64_t> removals_{0};
  std::mutex reportsMutex_;
  std::string reports_;
};

}  // namespace gaur::jit
