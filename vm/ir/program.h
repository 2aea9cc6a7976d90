// Everything that is loaded in one VM: the bundles, the canonical types, and the look-ups from ID and name to
// entity.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vm/ir/bundle.h"
#include "vm/support/id_table.h"
#include "vm/support/result.h"

namespace gaur {
class NearName;
}

namespace gaur::ir {

class SnapshotBodies;

/// By ID, what a builder has defined, and names that stand for IDs in its bundle.
struct BuilderTables {
  IdTable<Entity> definitions;
  IdTable<const std::string_view> symbolNames;
};

class Program {
 public:
  /// With the predefined entities (`@uvm.meta.bytes` etc.; map, TL-pre) loaded.
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  TypeTable& types() { return types_; }
  const TypeTable& types() const { return types_; }

  /// The loaded entity, or null. Lock-free, unless it is in a body of an image that nobody needed before.
  Entity* entity(Id id) const {
    Id end = endOfPendingIds_.load(std::memory_order_acquire);
    Entity* found = entities_.get(id);
    return found || id >= end || id < kFirstClientId ? found : entityInBody(id);
  }
  template <class T>
  T* entityOf(Id id) const {
    Entity* e = entity(id);
    return e && e->entityKind == T::kKind ? static_cast<T*>(e) : nullptr;
  }

  /// ID of a full global name ("@" optional), also of local entities ("f.v.bb.x"); kNoId where unknown.
  /// Thread-safe.
  Id idOf(std::string_view name) const;
  /// The same of a top-level entity or a common instruction, by its name without "@". Thread-safe.
  Id topLevelId(std::string_view name) const;
  /// Whether something may be loaded whose name, with a dot, `name` begins with. Thread-safe.
  bool mayHaveOwner(std::string_view name) const;
  /// Full name with "@"; empty where the entity has none or the ID is unknown. Thread-safe.
  std::string nameOf(Id id) const;

  /// `count` fresh consecutive IDs; returns the first. Thread-safe.
  Id allocateIds(Id count = 1) { return nextId_.fetch_add(count, std::memory_order_relaxed); }
  /// What allocateIds will return next.
  Id nextId() const { return nextId_.load(std::memory_order_relaxed); }

  /// Whether allocateIds has given it.
  bool isClientId(Id id) const {
    return id >= kFirstClientId && id < nextId_.load(std::memory_order_relaxed);
  }

  /// Loads exclude each other from linking to publishing: hold this over Builder::finish and publish.
  std::mutex& loadMutex() const { return loadMutex_; }
  /// Makes a linked and verified bundle visible: names, IDs, then new function versions. Requires: loadMutex
  /// held.
  Bundle* publish(std::unique_ptr<Bundle> bundle);
  /// A published bundle leaves the names, and its IDs are known to `entityOfCode` alone. What it brought goes
  /// on working. Requires: loadMutex held.
  void hide(Bundle& bundle);
  /// Takes a published bundle out of the program, in which nothing refers to it any more: names, IDs,
  /// versions. Requires: loadMutex held.
  std::unique_ptr<Bundle> remove(Bundle& bundle);
  /// As entityOf, also of hidden bundles: for IDs that come from code, which does not outlive its bundle.
  template <class T>
  T* entityOfCode(Id id) const {
    if (T* found = entityOf<T>(id)) return found;
    Entity* hidden = hidden_.get(id);
    return hidden && hidden->entityKind == T::kKind ? static_cast<T*>(hidden) : nullptr;
  }
  /// Publishes what came from an image (readSnapshot): its IDs, which are below `endOfIds` and not given
  /// again, and its bodies, which follow later. An error where an ID or a name has two entities. Requires:
  /// loadMutex held.
  gaur::Result<Bundle*> publishImage(std::unique_ptr<Bundle> bundle, std::unique_ptr<SnapshotBodies> bodies,
                                     Id endOfIds);

  /// Call before looking at FunctionVersion::blocks, which are empty until then in what came from an image.
  /// Cheap once they are there. An error where the image's bodies are damaged or break a rule of the IR; then
  /// nothing can be compiled. Thread-safe; needs no loadMutex.
  gaur::Result<void> needBodies() const {
    return endOfPendingIds_.load(std::memory_order_acquire) == kNoId ? gaur::Result<void>() : readBodies();
  }

  /// Requires: loadMutex held, where other threads may load.
  const std::vector<std::unique_ptr<Bundle>>& bundles() const { return bundles_; }

  /// Empty ones; after its end a builder gives them back, to spare the next one new address space.
  std::unique_ptr<BuilderTables> takeBuilderTables();
  void giveBack(std::unique_ptr<BuilderTables> tables);

  /// Offers every name of a loaded top-level entity to `finder`, for hints. Thread-safe.
  void offerNames(NearName& finder) const;

 private:
  void loadPredefined();
  void enter(Entity& entity) const;
  void remove(Entity& entity) const;
  bool isTaken(const Entity& entity) const;
  void makeCurrent(const Bundle& bundle);
  Entity* entityNamed(std::string_view name) const;
  Entity* localEntity(std::string_view name) const;
  Entity* entityInBody(Id id) const;
  gaur::Result<void> readBodies() const;

  /// Of the process: object headers number canonical types, and several VMs can share one heap.
  TypeTable& types_ = TypeTable::shared();
  mutable IdTable<Entity> entities_;
  /// Of hidden bundles.
  IdTable<Entity> hidden_;
  std::atomic<Id> nextId_{kFirstClientId};
  mutable std::mutex loadMutex_;
  /// Held by whoever walks through entities by name, on a thread that the collector may not know of; and
  /// alone by whoever takes entities out.
  mutable std::shared_mutex removalMutex_;
  /// Of names_, and of writing to entities_ and hidden_.
  mutable std::mutex tablesMutex_;
  mutable std::unordered_map<std::string_view, Entity*> names_;
  std::vector<std::unique_ptr<Bundle>> bundles_;
  std::mutex sparesMutex_;
  std::vector<std::unique_ptr<BuilderTables>> spares_;

  /// Held while bodies are read.
  mutable std::mutex bodiesMutex_;
  /// Null where no image was published.
  std::unique_ptr<SnapshotBodies> bodies_;
  mutable std::optional<Error> bodiesError_;
  /// IDs below this may be those of entities in bodies that have not been read; kNoId: there are none.
  mutable std::atomic<Id> endOfPendingIds_{kNoId};
};

/// Fixed IDs of the predefined entities, beyond those of the common instructions.
inline constexpr Id kFirstPredefinedId = 0x460;

/// Name without a leading '@' or '%'.
std::string_view withoutSigil(std::string_view name);
/// "@name" where it has one, else "#id": for messages.
std::string describe(const Entity& entity);
/// Full global name without sigil: own name, or the owners' names with dots before a local one; empty where
/// there is none.
std::string fullName(const Entity& entity);

}  // namespace gaur::ir
