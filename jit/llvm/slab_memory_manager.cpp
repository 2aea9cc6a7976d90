#include "jit/llvm/slab_memory_manager.h"

#include <algorithm>
#include <array>

#include "jit/code_stubs.h"

namespace gaur::jit {

namespace {

namespace jitlink = llvm::jitlink;

/// Three places a section can go to: code, data that stays, and data that only the link itself reads.
enum Part : std::size_t { kCode, kData, kTemporary, kParts };

struct Memory {
  char* address = nullptr;
  std::size_t bytes = 0;
  std::size_t alignment = 1;
};

/// What deallocate gets back: the parts that outlive the link.
struct Linked {
  Memory code;
  Memory data;
};

void release(CodeSlab& slab, const Memory& memory, bool isCode) {
  if (!memory.address) return;
  if (isCode)
    slab.freeCode(memory.address, memory.bytes);
  else
    slab.freeData(memory.address, memory.bytes);
}

Part partOf(const llvm::orc::AllocGroup& group) {
  if (bridge::isExecutable(group.getMemProt())) return kCode;
  return group.getMemLifetime() == bridge::MemLifetime::Finalize ? kTemporary : kData;
}

}  // namespace

class SlabMemoryManager::InFlight : public InFlightAlloc {
 public:
  InFlight(CodeSlab& slab, jitlink::LinkGraph& graph) : slab_(slab), graph_(graph), layout_(graph) {}

  llvm::Error place() {
    for (auto& [group, segment] : layout_.segments()) {
      Memory& memory = parts_[partOf(group)];
      memory.bytes =
          llvm::alignTo(memory.bytes, segment.Alignment) + segment.ContentSize + segment.ZeroFillSize;
      memory.alignment = std::max<std::size_t>(memory.alignment, segment.Alignment.value());
    }
    for (std::size_t part = 0; part < kParts; ++part) {
      Memory& memory = parts_[part];
      if (memory.bytes == 0) continue;
      void* address = part == kCode ? slab_.allocateCode(memory.bytes)
                                    : slab_.allocateData(memory.bytes, memory.alignment);
      if (!address)
        return llvm::createStringError(part == kCode ? "the code slab is full"
                                                     : "the data half of the code slab is full");
      memory.address = static_cast<char*>(address);
    }
    if (parts_[kCode].address) fillWithTraps(slab_.writable(parts_[kCode].address), parts_[kCode].bytes);

    std::array<std::size_t, kParts> filled{};
    for (auto& [group, segment] : layout_.segments()) {
      Part part = partOf(group);
      std::size_t offset = llvm::alignTo(filled[part], segment.Alignment);
      char* address = parts_[part].address + offset;
      segment.Addr = llvm::orc::ExecutorAddr::fromPtr(address);
      segment.WorkingMem = part == kCode ? static_cast<char*>(slab_.writable(address)) : address;
      filled[part] = offset + segment.ContentSize + segment.ZeroFillSize;
    }
    return layout_.apply();
  }

  void releaseAll() {
    for (std::size_t part = 0; part < kParts; ++part) release(slab_, parts_[part], part == kCode);
    parts_ = {};
  }

  void abandon(OnAbandonedFunction onAbandoned) override {
    releaseAll();
    onAbandoned(llvm::Error::success());
  }

  void finalize(OnFinalizedFunction onFinalized) override {
    // Nothing of ours adds actions to a graph; frame registration would, and is not wanted.
    if (!graph_.allocActions().empty()) {
      releaseAll();
      return onFinalized(llvm::createStringError("unexpected allocation actions"));
    }
    release(slab_, parts_[kTemporary], false);
    if (const Memory& code = parts_[kCode]; code.address)
      flushCode(code.address, slab_.writable(code.address), code.bytes);
    onFinalized(FinalizedAlloc(llvm::orc::ExecutorAddr::fromPtr(new Linked{parts_[kCode], parts_[kData]})));
  }

 private:
  CodeSlab& slab_;
  jitlink::LinkGraph& graph_;
  jitlink::BasicLayout layout_;
  std::array<Memory, kParts> parts_;
};

void SlabMemoryManager::allocate(const jitlink::JITLinkDylib*, jitlink::LinkGraph& graph,
                                 OnAllocatedFunction onAllocated) {
  auto allocation = std::make_unique<InFlight>(slab_, graph);
  if (auto error = allocation->place()) {
    allocation->releaseAll();
    return onAllocated(std::move(error));
  }
  onAllocated(std::move(allocation));
}

void SlabMemoryManager::deallocate(std::vector<FinalizedAlloc> allocations,
                                   OnDeallocatedFunction onDeallocated) {
  for (FinalizedAlloc& allocation : allocations) {
    std::unique_ptr<Linked> linked(allocation.release().toPtr<Linked*>());
    release(slab_, linked->code, true);
    release(slab_, linked->data, false);
  }
  onDeallocated(llvm::Error::success());
}

}  // namespace gaur::jit
