// Gives JITLink memory of the code slab: executable sections go to the code half, through its writable view,
// and all others to the data half.
#pragma once

#include "jit/code_slab.h"
#include "jit/llvm/bridge.h"

namespace gaur::jit {

class SlabMemoryManager : public llvm::jitlink::JITLinkMemoryManager {
 public:
  explicit SlabMemoryManager(CodeSlab& slab) : slab_(slab) {}

  void allocate(const llvm::jitlink::JITLinkDylib* dylib, llvm::jitlink::LinkGraph& graph,
                OnAllocatedFunction onAllocated) override;
  void deallocate(std::vector<FinalizedAlloc> allocations, OnDeallocatedFunction onDeallocated) override;
  using JITLinkMemoryManager::allocate;
  using JITLinkMemoryManager::deallocate;

 private:
  class InFlight;

  CodeSlab& slab_;
};

}  // namespace gaur::jit
