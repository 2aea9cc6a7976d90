// The map is a table with one entry for each 64 bytes of the code half of the slab: the block that lies
// there. Blocks start at such granules and share none, so one load finds the block, and binary searches find
// the rest in the block's own sorted rows.
#include "jit/code_map.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "jit/code_slab.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

constexpr unsigned kGranuleShift = 6;
constexpr std::size_t kTableEntries = CodeSlab::kCodeBytes >> kGranuleShift;

using Entry = std::atomic<const abi::CodeBlock*>;
static_assert(Entry::is_always_lock_free && sizeof(Entry) == sizeof(void*));

}  // namespace

struct CodeMap::Impl {
  explicit Impl(const CodeSlab& codeSlab) : slab(codeSlab) {
    // Zero pages of the system: only the parts that correspond to loaded code take memory.
    void* memory = mmap(nullptr, kTableEntries * sizeof(Entry), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    GAUR_CHECK(memory != MAP_FAILED, std::string("cannot map the code map: ") + std::strerror(errno));
    table = static_cast<Entry*>(memory);
  }
  ~Impl() { munmap(static_cast<void*>(table), kTableEntries * sizeof(Entry)); }

  std::size_t granule(std::uintptr_t address) const { return (address - slab.codeBegin()) >> kGranuleShift; }

  void set(const abi::CodeBlock& block, const abi::CodeBlock* expected, const abi::CodeBlock* value) {
    GAUR_CHECK(block.begin < block.end && slab.isCode(block.begin) && slab.isCode(block.end - 1) &&
                   (block.begin & ((std::uintptr_t{1} << kGranuleShift) - 1)) == 0,
               "code block outside the slab");
    for (std::size_t i = granule(block.begin); i <= granule(block.end - 1); ++i) {
      const abi::CodeBlock* old = table[i].exchange(value, std::memory_order_acq_rel);
      GAUR_CHECK(old == expected, "code blocks overlap, or one is removed twice");
    }
  }

  const CodeSlab& slab;
  Entry* table = nullptr;
};

CodeMap::CodeMap(const CodeSlab& slab) : impl_(std::make_unique<Impl>(slab)) {}
CodeMap::~CodeMap() = default;

void CodeMap::add(const abi::CodeBlock& block) { impl_->set(block, nullptr, &block); }
void CodeMap::remove(const abi::CodeBlock& block) {
  impl_->set(block, &block, nullptr);
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

CodeSite CodeMap::findFunction(std::uintptr_t pc) const {
  if (!impl_->slab.isCode(pc)) return {};
  const abi::CodeBlock* block = impl_->table[impl_->granule(pc)].load(std::memory_order_acquire);
  if (!block) return {};
  std::uintptr_t offset = pc - block->begin;
  auto after = std::upper_bound(
      block->functions.begin(), block->functions.end(), offset,
      [](std::uintptr_t at, const abi::FunctionCode& function) { return at < function.beginOffset; });
  if (after == block->functions.begin()) return {};
  const abi::FunctionCode& function = *(after - 1);
  if (offset >= function.endOffset) return {};
  return {block, &function, nullptr};
}

CodeSite CodeMap::findReturn(std::uintptr_t returnAddress) const {
  // A call that never returns may be the last instruction of its function: the byte before the return address
  // belongs to it.
  CodeSite site = findFunction(returnAddress - 1);
  if (!site) return site;
  auto rows = site.block->rows.subspan(site.function->firstRow, site.function->rowCount);
  std::uintptr_t offset = returnAddress - site.block->begin;
  auto row = std::lower_bound(
      rows.begin(), rows.end(), offset,
      [](const abi::CallSiteRow& candidate, std::uintptr_t at) { return candidate.returnOffset < at; });
  if (row != rows.end() && row->returnOffset == offset) site.row = &*row;
  return site;
}

void UnwindCache::clear(std::uint64_t generation) {
  steps_.fill({});
  generation_ = generation;
}

void UnwindCache::fill(UnwindStep& step, const CodeMap& map, std::uintptr_t returnAddress) {
  step = {};
  CodeSite site = map.findReturn(returnAddress);
  if (!site) return;  // there may be code later
  auto saved = site.block->saved.subspan(site.function->firstSaved, site.function->savedCount);
  step = {returnAddress,
          site,
          site.landingPad(),
          saved.data(),
          static_cast<std::uint32_t>(saved.size()),
          site.function->cfaOffset};
}

}  // namespace gaur::jit
