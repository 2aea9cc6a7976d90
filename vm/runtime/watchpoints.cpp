#include "vm/runtime/watchpoints.h"

#include <algorithm>
#include <span>

#include "jit/code_slab.h"
#include "jit/code_stubs.h"
#include "jit/instruction_fetch.h"

namespace gaur::runtime {

namespace {

using Sites = std::span<const abi::WatchpointSite>;

/// The sites of one watchpoint in sites sorted by watchpoint.
Sites sitesOf(Sites sites, std::uint32_t watchpoint) {
  auto before = [](const abi::WatchpointSite& site, std::uint32_t id) { return site.watchpoint < id; };
  auto after = [](std::uint32_t id, const abi::WatchpointSite& site) { return id < site.watchpoint; };
  auto first = std::lower_bound(sites.begin(), sites.end(), watchpoint, before);
  return {first, std::upper_bound(first, sites.end(), watchpoint, after)};
}

}  // namespace

void WatchpointTable::patch(const abi::CodeBlock& block, std::uint32_t watchpoint, bool enabled) {
  for (const abi::WatchpointSite& site : sitesOf(block.watchpoints, watchpoint)) {
    auto* code = reinterpret_cast<void*>(block.begin + site.siteOffset);
    auto* target = reinterpret_cast<void*>(block.begin + site.targetOffset);
    jit::patchWatchpoint(code, slab_.writable(code), enabled ? target : nullptr);
  }
}

void WatchpointTable::set(std::uint32_t watchpoint, bool enabled) {
  {
    std::lock_guard lock(mutex_);
    auto found = watchpoints_.try_emplace(watchpoint).first;
    bool changes = found->second.enabled != enabled;
    found->second.enabled = enabled;
    if (changes)
      for (const abi::CodeBlock* block : found->second.blocks) patch(*block, watchpoint, enabled);
    if (found->second.blocks.empty()) {
      if (!enabled) watchpoints_.erase(found);
      return;
    }
  }
  // Also where another thread has just done the same and may not have come this far.
  jit::synchroniseInstructionFetch();
}

bool WatchpointTable::isEnabled(std::uint32_t watchpoint) const {
  std::lock_guard lock(mutex_);
  auto found = watchpoints_.find(watchpoint);
  return found != watchpoints_.end() && found->second.enabled;
}

std::vector<std::uint32_t> WatchpointTable::enabled() const {
  std::vector<std::uint32_t> ids;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, watchpoint] : watchpoints_)
      if (watchpoint.enabled) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void WatchpointTable::add(const abi::CodeBlock& block) {
  std::lock_guard lock(mutex_);
  for (Sites rest = block.watchpoints; !rest.empty();) {
    std::uint32_t id = rest.front().watchpoint;
    Watchpoint& watchpoint = watchpoints_[id];
    watchpoint.blocks.insert(&block);
    if (watchpoint.enabled) patch(block, id, true);
    rest = rest.subspan(sitesOf(rest, id).size());
  }
}

void WatchpointTable::remove(const abi::CodeBlock& block) {
  std::lock_guard lock(mutex_);
  for (Sites rest = block.watchpoints; !rest.empty();) {
    std::uint32_t id = rest.front().watchpoint;
    auto found = watchpoints_.find(id);
    if (found != watchpoints_.end()) {
      found->second.blocks.erase(&block);
      if (found->second.blocks.empty() && !found->second.enabled) watchpoints_.erase(found);
    }
    rest = rest.subspan(sitesOf(rest, id).size());
  }
}

}  // namespace gaur::runtime
