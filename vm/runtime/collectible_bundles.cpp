#include "vm/runtime/collectible_bundles.h"

#include <algorithm>
#include <unordered_set>

#include "jit/code_slab.h"
#include "vm/ir/uses.h"
#include "vm/support/log.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kAnchorBytes = 16;

template <class F>
void forEachTopLevel(const ir::Bundle& bundle, F&& f) {
  auto all = [&](const auto& entities) {
    for (const ir::Entity* entity : entities) f(*entity);
  };
  all(bundle.types);
  all(bundle.signatures);
  all(bundle.constants);
  all(bundle.globals);
  all(bundle.functions);
  all(bundle.exposed);
  all(bundle.versions);
}

/// The memory of a bundle's IR, as item `number` of what is watched.
void addMemory(const ir::Bundle& bundle, std::size_t number, std::vector<gc::WatchedMemory::Range>& ranges) {
  auto add = [&](const void* begin, std::size_t bytes) {
    auto address = reinterpret_cast<std::uintptr_t>(begin);
    if (bytes != 0) ranges.push_back({address, address + bytes, number});
  };
  add(&bundle, sizeof bundle);
  bundle.arena().forEachChunk(add);
  auto addList = [&](const auto& list) { add(list.data(), list.capacity() * sizeof(list[0])); };
  addList(bundle.types);
  addList(bundle.signatures);
  addList(bundle.constants);
  addList(bundle.globals);
  addList(bundle.functions);
  addList(bundle.versions);
  addList(bundle.exposed);
}

}  // namespace

CollectibleBundles::~CollectibleBundles() = default;

// --- Loading -------------------------------------------------------------------------------------------

Result<void> CollectibleBundles::prepare(Thread& thread, ir::Bundle& bundle) {
  GAUR_TRY_ASSIGN(EntityData::Owned owned, entities_.prepareOwned(bundle));
  auto member = std::make_unique<Member>();
  member->all = this;
  member->bundle = &bundle;
  member->anchor = slab_.allocateData(kAnchorBytes);
  if (!member->anchor) return makeError(ErrorId::OutOfMemory, {"data of the code slab"});
  member->cells = std::move(owned.cells);
  member->references = std::make_unique<References>(member->cells, std::vector<std::uintptr_t>());
  owned.ranges.push_back({member->anchor, kAnchorBytes});
  owners_.hold(HoldKind::LoadedBundle, member->anchor);
  member->owner = owners_.add(thread, owned.ranges, bury, member.get(), member->references.get());
  if (!member->owner) {
    owners_.letGo(HoldKind::LoadedBundle, member->anchor);
    return makeError(ErrorId::OutOfMemory, {"the heap"});
  }
  code_.setOwner(bundle, *member->owner, member->anchor);
  forEachTopLevel(bundle, [&](const ir::Entity& entity) {
    if (entity.id != kNoId) byEntity_[entity.id] = member.get();
  });
  members_[&bundle] = std::move(member);
  return {};
}

CollectibleBundles::Member* CollectibleBundles::memberOf(const ir::Bundle& bundle) const {
  auto found = members_.find(&bundle);
  return found == members_.end() ? nullptr : found->second.get();
}

CollectibleBundles::Member* CollectibleBundles::memberOwning(const ir::Function& function) const {
  CodeOwner* owner = owners_.ownerOf(entities_.recordOf(function));
  return owner && owner->release() == bury ? static_cast<Member*>(owner->data()) : nullptr;
}

void CollectibleBundles::notePublished(const ir::Bundle& bundle) {
  if (members_.empty()) return;
  Member* self = memberOf(bundle);
  // What it names stays as long as it does.
  std::unordered_set<Member*> used;
  forEachTopLevel(bundle, [&](const ir::Entity& entity) {
    ir::forEachUse(entity, [&](const ir::Entity& other) {
      auto found = byEntity_.find(other.id);
      if (found != byEntity_.end() && found->second != self) used.insert(found->second);
    });
  });
  for (Member* member : used) keep(self, *member);
  // Functions of others keep who gave them their current version.
  for (const ir::FunctionVersion* version : bundle.versions) {
    Member* home = memberOwning(*version->function);
    const ir::FunctionVersion* replaced = version->previous.load(std::memory_order_relaxed);
    if (Member* giver = replaced ? memberOf(*replaced->bundle) : nullptr; giver && giver != home)
      letGo(home, *giver);
    if (self && self != home) keep(home, *self);
  }
}

void CollectibleBundles::keep(Member* holder, Member& kept) {
  if (!holder) return owners_.hold(HoldKind::Dependent, kept.anchor);
  std::vector<std::uintptr_t> anchors = holder->references->anchors;
  anchors.push_back(reinterpret_cast<std::uintptr_t>(kept.anchor));
  setAnchors(*holder, std::move(anchors));
}

void CollectibleBundles::letGo(Member* holder, Member& kept) {
  if (!holder) return owners_.letGo(HoldKind::Dependent, kept.anchor);
  std::vector<std::uintptr_t> anchors = holder->references->anchors;
  auto found = std::find(anchors.begin(), anchors.end(), reinterpret_cast<std::uintptr_t>(kept.anchor));
  if (found != anchors.end()) anchors.erase(found);
  setAnchors(*holder, std::move(anchors));
}

/// Puts new references in the place of the old ones, which a collection may look at until then.
void CollectibleBundles::setAnchors(Member& member, std::vector<std::uintptr_t> anchors) {
  auto fresh = std::make_unique<References>(member.cells, std::move(anchors));
  owners_.setReferences(*member.owner, fresh.get());
  fresh.swap(member.references);
}

// --- Unloading -----------------------------------------------------------------------------------------

ir::Bundle* CollectibleBundles::bundleOf(Id entity) const {
  auto found = byEntity_.find(entity);
  return found == byEntity_.end() ? nullptr : found->second->bundle;
}

void CollectibleBundles::unload(ir::Bundle& bundle) {
  Member& member = *memberOf(bundle);
  program_.hide(bundle);
  forEachTopLevel(bundle, [&](const ir::Entity& entity) { byEntity_.erase(entity.id); });
  owners_.addPressure(bundle.arena().bytes());
  owners_.letGo(HoldKind::LoadedBundle, member.anchor);
  GAUR_LOG(Code, Info, "unloaded {}, which goes when nothing reaches it", bundle.name());
}

/// The release function of a bundle's owner: a lock may be held elsewhere.
void CollectibleBundles::bury(void* data) {
  auto* member = static_cast<Member*>(data);
  CollectibleBundles& all = *member->all;
  std::lock_guard lock(all.buriedMutex_);
  all.buried_.push_back(member);
  all.hasWork_.store(true, std::memory_order_relaxed);
}

void CollectibleBundles::tidy(Thread& thread) {
  std::unique_lock loading(program_.loadMutex(), std::try_to_lock);
  if (!loading) return;
  hasWork_.store(false, std::memory_order_relaxed);
  std::vector<Member*> buried;
  {
    std::lock_guard lock(buriedMutex_);
    buried.swap(buried_);
  }
  std::vector<ir::Bundle*> dead;
  std::vector<ir::Bundle*> superseded;
  for (Member* member : buried) dead.push_back(member->bundle);
  if (!code_.tidy(thread, dead, superseded)) {
    std::lock_guard lock(buriedMutex_);
    buried_.insert(buried_.end(), buried.begin(), buried.end());
    hasWork_.store(true, std::memory_order_relaxed);
    return;
  }
  std::vector<std::unique_ptr<ir::Bundle>> removed;
  for (Member* member : buried) {
    ir::Bundle& bundle = *member->bundle;
    entities_.release(bundle);
    slab_.freeData(member->anchor, kAnchorBytes);
    members_.erase(&bundle);
    removed.push_back(program_.remove(bundle));
  }
  for (ir::Bundle* bundle : superseded) removed.push_back(program_.remove(*bundle));
  if (!removed.empty())
    GAUR_LOG(Code, Info, "{} unloaded and {} superseded bundles are gone", buried.size(), superseded.size());
  freeForgotten();
  linger(std::move(removed));
}

// --- IR that somebody may be looking at ------------------------------------------------------------------

void CollectibleBundles::linger(std::vector<std::unique_ptr<ir::Bundle>> bundles) {
  if (!bundles.empty()) {
    std::vector<gc::WatchedMemory::Range> ranges;
    for (std::size_t i = 0; i < bundles.size(); ++i) {
      addMemory(*bundles[i], i, ranges);
      owners_.addPressure(bundles[i]->arena().bytes());
    }
    lingering_.push_back({std::move(bundles), std::make_unique<gc::WatchedMemory>(std::move(ranges))});
  }
  isLingering_.store(!lingering_.empty(), std::memory_order_relaxed);
}

void CollectibleBundles::freeForgotten() {
  if (readers_.load() != 0) return;
  std::vector<std::unique_ptr<ir::Bundle>> seen;
  std::erase_if(lingering_, [&](Lingering& some) {
    if (!some.watch->isDecided()) return false;
    for (std::size_t i = 0; i < some.bundles.size(); ++i)
      if (!some.watch->isForgotten(i)) seen.push_back(std::move(some.bundles[i]));
    return true;
  });
  linger(std::move(seen));
}

}  // namespace gaur::runtime
