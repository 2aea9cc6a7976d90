// Memory of the code slab that dies when nothing reaches it: superseded code, collectible bundles.
//
// Whoever makes such memory gives it an owner, with a function that releases it. From then on each word that
// is an address in it keeps it alive, wherever the collector looks: funcref, ufuncptr and iref fields of
// reachable objects, cells, thread-locals and handles; Mu stacks (return addresses, also of stacks that do
// not run), native stacks, registers and signal frames of attached threads; pins. Of irefs, words of stacks
// and pins an address that lies just behind owned memory counts, too. Words in malloc memory, in code, or of
// other types (uptr, int) do not.
// When a collection finds none, the memory is nobody's any more, and soon after a thread that holds no lock
// of the VM calls the release function, once.
//
// A program without owners pays one comparison for a word on a stack, and none for a reference.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "gc/owner_map.h"
#include "gc/roots.h"
#include "vm/abi/code_owner.h"
#include "vm/runtime/pins.h"

namespace gaur::jit {
class CodeSlab;
}

namespace gaur::runtime {

class Thread;

/// Memory of the slab: code, a trampoline, a function record, a cell.
struct OwnedRange {
  const void* begin;
  std::size_t bytes;
};

/// Why something is alive although no word the collector sees says so.
enum class HoldKind : std::uint8_t {
  /// A collectible bundle that was not unloaded.
  LoadedBundle,
  /// A version of it that is the current one of a function of somebody else, or a permanent bundle that
  /// refers to it.
  Dependent,
  /// A native entry that was not taken back (@uvm.native.expose).
  Exposed,
};
inline constexpr std::size_t kHoldKinds = 3;

/// One owner. Its address is good until its release function returns; whoever keeps it elsewhere forgets it
/// there.
class CodeOwner {
 public:
  /// Called once, unless the owner was given up: on some attached thread, or on the one that closes the VM;
  /// on its native stack and without any lock. It may allocate, call Mu code, and make owners.
  using Release = void (*)(void* data);

  const std::vector<OwnedRange>& ranges() const { return ranges_; }
  void* data() const { return data_; }
  Release release() const { return release_; }
  /// The heap object; only for whoever keeps the memory alive meanwhile, or with the world stopped.
  abi::CodeOwnerObject* object() const { return object_; }

 private:
  friend class CodeOwners;
  enum class State : std::uint8_t { Alive, GivenUp, Dead };

  CodeOwner* next_ = nullptr;
  abi::CodeOwnerObject* object_ = nullptr;
  std::atomic<State> state_{State::Alive};
  Release release_ = nullptr;
  void* data_ = nullptr;
  std::vector<OwnedRange> ranges_;
};

class CodeOwners {
 public:
  explicit CodeOwners(const jit::CodeSlab& slab) : slab_(slab) {}
  ~CodeOwners();
  CodeOwners(const CodeOwners&) = delete;
  CodeOwners& operator=(const CodeOwners&) = delete;

  /// Gives memory that has no owner yet, or whose owner is going to withdraw from it, to a new one.
  /// `references`, which may be null, must stay as it is until the release. Null where there is no memory for
  /// the heap object. May collect. The caller sees to it that an address in one of the ranges lies where the
  /// collector looks from the call on: in a variable that is used later, mostly. `bytes`: what the release
  /// frees beyond the ranges, as far as known; it makes collections come sooner. Thread-safe, on an attached
  /// thread.
  CodeOwner* add(Thread& thread, std::span<const OwnedRange> ranges, CodeOwner::Release release, void* data,
                 const abi::OwnedReferences* references = nullptr, std::size_t bytes = 0);
  /// Gives it more memory. Requires: the caller keeps the owner alive, as above.
  void extend(CodeOwner& owner, OwnedRange range);
  /// Memory that it was given has got another owner since, by `add`. Requires: as above.
  void withdraw(CodeOwner& owner, OwnedRange range);
  /// Other references; the old ones may go when it returns. Requires: as above.
  void setReferences(CodeOwner& owner, const abi::OwnedReferences* references);
  /// The owner of the memory at an address is one no longer, and its release function is not going to be
  /// called: the caller does what that would have done, if it is true. False where the address is nobody's,
  /// or the release is on its way; so it may be called again. On an attached thread, or while no other runs.
  bool giveUp(const void* address);
  /// Whoever owns the memory at an address, or null. As long as the caller keeps it.
  CodeOwner* ownerOf(const void* address) const;

  /// Keeps what the address belongs to, as often as it is held. Of memory without an owner it keeps nothing,
  /// but that may get one. Thread-safe.
  void hold(HoldKind kind, const void* address) { holds(kind).pin(const_cast<void*>(address)); }
  void letGo(HoldKind kind, const void* address) { holds(kind).unpin(const_cast<void*>(address)); }
  PinTable& holds(HoldKind kind) { return holds_[static_cast<std::size_t>(kind)]; }

  /// So much is garbage, or may well be, beside what owners have.
  void addPressure(std::size_t bytes);
  /// Whether there is something for `work` to do. Whoever makes owners in numbers asks now and then, as
  /// allocation does.
  bool hasWork() const {
    return dead_.load(std::memory_order_relaxed) != nullptr || isDue_.load(std::memory_order_relaxed);
  }
  /// Collects, where so much was given owners since the last time that it may free some (it is no load of the
  /// heap's that would start a collection), and calls the release functions of what died. On any stack of an
  /// attached thread, which holds no lock of the VM. Does nothing inside of a release function.
  void work(Thread& thread);
  /// The VM closes: releases everything that is left, alive or not. Requires: no other thread runs.
  void releaseAll();

  // --- In a collection -----------------------------------------------------------------------------------
  void pushRoots(gc::RootSink& sink) const;
  void afterMarking(bool (*isReachable)(const void* object));

  /// Calls f(owner) for each that is alive. Requires: the world is stopped.
  template <class F>
  void forEach(F&& f) const {
    for (const auto* list : {&added_, &known_})
      for (CodeOwner* owner = list->load(std::memory_order_acquire); owner; owner = owner->next_)
        if (owner->state_.load(std::memory_order_relaxed) == CodeOwner::State::Alive) f(*owner);
  }

  struct Statistics {
    /// Alive now, at the last collection; and since the VM was made.
    std::uint64_t alive, added, released;
  };
  Statistics statistics() const;

 private:
  bool wantsCollection() const;
  void releaseDead();
  gc::OwnerMap& mapOf(const void* address) const;
  void makeMaps();
  void setOwner(OwnedRange range, const void* object);

  const jit::CodeSlab& slab_;
  std::once_flag mapsMade_;
  std::optional<gc::OwnerMap> data_;
  std::optional<gc::OwnerMap> code_;
  /// Of extending and giving up.
  std::mutex mutex_;
  /// Made since the last collection. Pushed by threads, taken as a whole by collections.
  std::atomic<CodeOwner*> added_{nullptr};
  /// Changed by collections alone, while no thread runs.
  std::atomic<CodeOwner*> known_{nullptr};
  /// Pushed by collections, taken as a whole by threads.
  std::atomic<CodeOwner*> dead_{nullptr};
  std::array<PinTable, kHoldKinds> holds_;

  /// Bytes given to owners since the last collection.
  std::atomic<std::size_t> pressure_{0};
  std::atomic<bool> isDue_{false};
  std::atomic<std::size_t> addedSince_{0};
  std::atomic<std::size_t> alive_{0};
  std::atomic<std::uint64_t> addedCount_{0};
  std::atomic<std::uint64_t> releasedCount_{0};
};

}  // namespace gaur::runtime
