// Searches backwards, since nothing is known of the way: first for what refers to the owner, then for what
// refers to that, each time through the roots and through all objects that were reached, until a root does.
#include "vm/runtime/why_alive.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "gc/live_graph.h"
#include "gc/owner_map.h"
#include "vm/abi/code_owner.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

/// A word of a stack that does not run, maybe of what AddressSanitizer marked between the variables of a
/// frame.
[[gnu::no_sanitize("address")]] std::uint64_t stackWordAt(std::uintptr_t place) {
  return *reinterpret_cast<const std::uint64_t*>(place);
}

constexpr std::size_t kMostNodes = std::size_t{1} << 22;
constexpr std::size_t kTableSize = 2 * kMostNodes;

/// What is looked for.
struct Goal {
  /// Memory that owners have, by the complements of addresses in it, and for each what else there is to say
  /// at the end of a way to it.
  std::vector<std::uintptr_t> hidden;
  std::vector<std::string> lastSteps;
  /// Of a host function: the complements of the addresses of its record and its pointer.
  std::uintptr_t hiddenRecord = 0;
  std::uintptr_t hiddenPointer = 0;
  /// Handles with its pointer that do not count.
  std::size_t handles = 0;
  /// Where it takes no search.
  std::optional<KeepPath> known;

  bool isHost() const { return hiddenRecord != 0; }
};

/// An object on some way to a target.
struct Node {
  const void* object;
  /// What it refers to, and by which of its words; of a stack, counted down from its top. The targets are the
  /// first nodes; of them, which of the goal.
  std::uint32_t next;
  std::uint32_t offset;
  /// Of its header: when the way is told, the object may be gone.
  std::uint32_t type;
};

/// The nodes by object, in memory that was reserved before the world stopped.
class Nodes {
 public:
  Nodes()
      : nodes_(static_cast<Node*>(platform::reserveZeroed(kMostNodes * sizeof(Node)))),
        table_(static_cast<std::uint32_t*>(platform::reserveZeroed(kTableSize * sizeof(std::uint32_t)))) {}
  ~Nodes() {
    platform::release(nodes_, kMostNodes * sizeof(Node));
    platform::release(table_, kTableSize * sizeof(std::uint32_t));
  }
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  std::uint32_t size() const { return size_; }
  const Node& operator[](std::uint32_t index) const { return nodes_[index]; }
  /// Index + 1, or 0.
  std::uint32_t find(const void* object) const { return table_[place(object)]; }
  void add(const Node& node) {
    if (size_ == kMostNodes || find(node.object) != 0) return;
    nodes_[size_++] = node;
    table_[place(node.object)] = size_;
  }

 private:
  std::size_t place(const void* object) const {
    std::size_t at = reinterpret_cast<std::uintptr_t>(object) * 0x9e3779b97f4a7c15 >> 20 & (kTableSize - 1);
    while (table_[at] != 0 && nodes_[table_[at] - 1].object != object) at = (at + 1) & (kTableSize - 1);
    return at;
  }
  Node* nodes_;
  std::uint32_t* table_;
  std::uint32_t size_ = 0;
};

/// Return addresses that tell where on a stack a word lies; 0 for none.
struct Calls {
  /// The word itself.
  std::uintptr_t frame = 0;
  /// The nearest ones towards its top, and away from it.
  std::uintptr_t inner = 0;
  std::uintptr_t outer = 0;
};
/// So many stacks of a way are told about in full.
constexpr std::size_t kMostStacks = 8;

/// What sort of root it was.
enum class RootKind : std::uint8_t {
  Cell,
  Handle,
  Pin,
  TrapHandler,
  LoadedBundle,
  Dependent,
  Exposed,
  Frame,
  ThreadStack,
  Thread,
  Image
};

class Search final : public Roots::Observer, private gc::RootVisitor {
 public:
  /// Words below `floor` on the stack that this runs on are its own.
  Search(MicroVm& vm, const Goal& goal, const void* floor)
      : vm_(vm), goal_(goal), floor_(reinterpret_cast<std::uintptr_t>(floor)) {
    for (const auto& bundle : vm.program().bundles())
      for (const ir::GlobalCell* cell : bundle->globals) cells_.push_back(cell);
  }

  void observe() override {
    // Another thread's collection may come before or after the one that this search asks for: then its own
    // words lie on another stack than this runs on.
    if (std::this_thread::get_id() != thread_ || std::exchange(isDone_, true)) return;
    for (std::uint32_t i = 0; i < goal_.hidden.size(); ++i)
      if (const void* owner = gc::ownerOf(~goal_.hidden[i])) nodes_.add({owner, i, 0, 0});
    if (goal_.isHost()) nodes_.add({reinterpret_cast<const void*>(~goal_.hiddenRecord), 0, 0, 0});
    targets_ = nodes_.size();
    if (targets_ == 0) return;
    for (std::uint32_t level = 0; level < nodes_.size() && !isFound_;) {
      const std::uint32_t end = nodes_.size();
      begin_ = level;
      end_ = end;
      lookAtRoots();
      if (isFound_) return noteStacks();
      gc::forEachReachable([](void* object, void* search) { static_cast<Search*>(search)->lookAt(object); },
                           this);
      level = end;
    }
  }

  bool isDone() const { return isDone_; }
  KeepPath result() const;

 private:
  template <class F>
  void forEachTarget(std::uintptr_t word, bool mayBeObject, gc::Fit fit, F&& f) {
    if (gc::mayHaveOwner(word)) {
      gc::forEachOwner(word, fit, f);
      if (goal_.isHost() && (~word == goal_.hiddenRecord || ~word == goal_.hiddenPointer))
        f(reinterpret_cast<const void*>(~goal_.hiddenRecord));
    } else if (mayBeObject && word != 0) {
      if (const void* object = vm_.heap().objectContaining(word)) f(object);
    }
  }

  void lookAtRoots() {
    const gc::VisitRoots visit(*this);
    gc::RootSink sink;
    auto under = [&](RootKind kind, auto&& push) {
      if (isFound_) return;
      kind_ = kind;
      push();
    };
    under(RootKind::Cell, [&] {
      for (const ir::GlobalCell* cell : cells_) {
        // A collectible bundle's cells belong to its owner.
        void* memory = vm_.entities().addressOf(*cell);
        if (isFound_ || gc::ownerOf(reinterpret_cast<std::uintptr_t>(memory))) continue;
        cell_ = cell;
        sink.cell(abi::LayoutTable::shared().of(cell->cellType->type).map, memory);
      }
    });
    under(RootKind::LoadedBundle, [&] { vm_.owners().holds(HoldKind::LoadedBundle).pushOwned(sink); });
    under(RootKind::Dependent, [&] { vm_.owners().holds(HoldKind::Dependent).pushOwned(sink); });
    under(RootKind::Exposed, [&] { vm_.owners().holds(HoldKind::Exposed).pushOwned(sink); });
    under(RootKind::Pin, [&] { vm_.pins().push(sink); });
    under(RootKind::TrapHandler, [&] {
      sink.word(reinterpret_cast<std::uintptr_t>(vm_.trapHandlers().userData()));
      sink.owned(reinterpret_cast<std::uintptr_t>(vm_.trapHandlers().muFunction()));
    });
    // Frames say more than whatever else lies on a stack.
    under(RootKind::Frame, [&] { gc::visitThreadStacks(*this); });
    under(RootKind::ThreadStack, [&] { gc::visitThreadStacks(*this); });
    under(RootKind::Thread, [&] { gc::visitThreadBlocks(*this); });
    under(RootKind::Image, [&] { gc::visitImages(*this); });
    // What is left are handles.
    skippedHandles_ = 0;
    under(RootKind::Handle, [&] { vm_.roots().pushRoots(sink); });
  }

  void word(std::uintptr_t value, const void* place, gc::Fit fit) override {
    auto at = reinterpret_cast<std::uintptr_t>(place);
    if (at >= reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) && at < floor_) return;
    if (kind_ == RootKind::ThreadStack) noteCall(value, at);
    if (isFound_) return;
    if (kind_ == RootKind::Frame && !vm_.codeMap().findReturn(value)) return;
    forEachTarget(value, true, fit, [&](const void* object) {
      const std::uint32_t node = nodes_.find(object);
      if (isFound_ || node == 0 || node - 1 >= end_) return;
      if (kind_ == RootKind::Handle && goal_.isHost() && node == 1 && skippedHandles_++ < goal_.handles)
        return;
      isFound_ = true;
      rootKind_ = kind_;
      rootCell_ = cell_;
      rootPlace_ = place;
      rootWord_ = value;
      first_ = node - 1;
    });
  }

  bool isReturn(std::uintptr_t word) const { return vm_.codeMap().findReturn(word).row != nullptr; }

  /// Told of the words of threads' stacks, in order of their places.
  void noteCall(std::uintptr_t value, std::uintptr_t at) {
    if (at != lastPlace_ + sizeof(void*)) {
      if (!isFound_) rootCalls_.inner = 0;
      isStackOver_ = isFound_;
    }
    lastPlace_ = at;
    if (isStackOver_ || rootCalls_.outer != 0 || !isReturn(value)) return;
    (isFound_ ? rootCalls_.outer : rootCalls_.inner) = value;
  }

  /// For the stacks on the way, while they stay as they are.
  void noteStacks() {
    for (std::uint32_t at = first_; at >= targets_ && stackCount_ < kMostStacks; at = nodes_[at].next) {
      if (!isStack(nodes_[at])) continue;
      const auto* stack = static_cast<const abi::StackObject*>(nodes_[at].object);
      const auto* begin =
          static_cast<const std::uintptr_t*>(stack->leftPointer ? stack->leftPointer : stack->savedPointer);
      const auto* end = reinterpret_cast<const std::uintptr_t*>(stack->top);
      const std::uintptr_t* word = end - nodes_[at].offset / sizeof(std::uintptr_t);
      Calls& calls = stackCalls_[stackCount_++];
      if (isReturn(*word)) {
        calls.frame = *word;
        continue;
      }
      for (const auto* p = word; p != begin && calls.inner == 0; --p)
        if (isReturn(p[-1])) calls.inner = p[-1];
      for (const auto* p = word + 1; p < end && calls.outer == 0; ++p)
        if (isReturn(*p)) calls.outer = *p;
    }
  }
  static bool isStack(const Node& node) { return node.type == abi::kStackObjectType; }

  void lookAt(void* object) {
    if (nodes_.find(object) != 0) return;
    abi::ObjectHeader header = abi::ObjectHeader::of(object);
    const abi::Layout& layout = abi::LayoutTable::shared().byIndex(header.typeIndex());
    auto base = reinterpret_cast<std::uintptr_t>(object);
    auto look = [&](std::uint64_t* slot, abi::SlotKind kind) {
      lookAtSlot(object, slot, kind,
                 static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(slot) - base));
    };
    abi::forEachSlot(layout.map, base, look);
    if (!layout.variableMap) return;
    for (std::uint64_t i = 0; i < header.length(); ++i)
      abi::forEachSlot(*layout.variableMap, base + layout.size + i * layout.stride, look);
  }

  void lookAtSlot(const void* object, std::uint64_t* slot, abi::SlotKind kind, std::uint32_t slotOffset) {
    std::uint32_t offset = slotOffset;
    auto refers = [&](std::uintptr_t value, bool mayBeObject, gc::Fit fit = gc::Fit::Exact) {
      forEachTarget(value, mayBeObject, fit, [&](const void* target) {
        const std::uint32_t node = nodes_.find(target);
        if (node != 0 && node - 1 >= begin_ && node - 1 < end_)
          nodes_.add({object, node - 1, offset, abi::ObjectHeader::of(object).typeIndex()});
      });
    };
    switch (kind) {
      case abi::SlotKind::Weak: return;
      case abi::SlotKind::Strong: return refers(*slot, true);
      case abi::SlotKind::Interior: return refers(*slot, true, gc::Fit::MayLieBehind);
      case abi::SlotKind::Code: return refers(*slot, false);
      case abi::SlotKind::Tagged:
        if (abi::tagrefHoldsRef(*slot)) refers(abi::tagrefAddress(*slot), true);
        return;
      case abi::SlotKind::StackExtent:
        if (slot[0] == 0) return;
        for (std::uintptr_t place = slot[0]; place < slot[1]; place += sizeof(std::uint64_t)) {
          offset = static_cast<std::uint32_t>(slot[1] - place);
          const std::uint64_t word = stackWordAt(place);
          refers(abi::tagrefHoldsRef(word) ? abi::tagrefAddress(word) : word, true, gc::Fit::MayLieBehind);
        }
        return;
      case abi::SlotKind::Owned: {
        const auto* references = reinterpret_cast<const abi::OwnedReferences*>(*slot);
        if (!references) return;
        for (const abi::OwnedCell& cell : references->cells)
          abi::forEachSlot(*cell.map, reinterpret_cast<std::uintptr_t>(cell.base),
                           [&](std::uint64_t* inner, abi::SlotKind innerKind) {
                             lookAtSlot(object, inner, innerKind, 0);
                           });
        for (std::uintptr_t address : references->addresses) refers(address, false);
        return;
      }
    }
  }

  std::string describeRoot() const;
  std::string versionAt(std::uintptr_t returnAddress) const;
  std::string describe(const Calls& calls) const;

  MicroVm& vm_;
  const Goal& goal_;
  const std::uintptr_t floor_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::vector<const ir::GlobalCell*> cells_;
  Nodes nodes_;
  std::uint32_t targets_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
  RootKind kind_ = RootKind::Cell;
  const ir::GlobalCell* cell_ = nullptr;
  bool isDone_ = false;
  bool isFound_ = false;
  RootKind rootKind_ = RootKind::Cell;
  const ir::GlobalCell* rootCell_ = nullptr;
  const void* rootPlace_ = nullptr;
  std::uintptr_t rootWord_ = 0;
  std::uint32_t first_ = 0;
  std::size_t skippedHandles_ = 0;
  std::uintptr_t lastPlace_ = 0;
  Calls rootCalls_;
  bool isStackOver_ = false;
  /// Of the stacks on the way, in their order.
  Calls stackCalls_[kMostStacks];
  std::size_t stackCount_ = 0;
};

std::string Search::versionAt(std::uintptr_t returnAddress) const {
  return vm_.program().nameOf(vm_.codeMap().findReturn(returnAddress).function->version);
}

std::string Search::describeRoot() const {
  switch (rootKind_) {
    case RootKind::Cell: return "global cell " + ir::describe(*rootCell_);
    case RootKind::Handle: return "a handle of the client, or what the runtime holds";
    case RootKind::Pin: return fmt::format("a pin of {:#x}", rootWord_);
    case RootKind::TrapHandler: return "the trap handler";
    case RootKind::LoadedBundle: return "a bundle that is not unloaded";
    case RootKind::Dependent: return "a permanent bundle that names it, or a function whose version it gives";
    case RootKind::Exposed: return "a native entry that was not taken back (unexpose)";
    case RootKind::Thread: return "a thread's thread-local, exception or object";
    case RootKind::Image: return "an object of the boot image";
    case RootKind::Frame: return "the stack of a thread, a frame of " + versionAt(rootWord_);
    case RootKind::ThreadStack: break;
  }
  return fmt::format("the stack of a thread, {:#x} at {}", rootWord_, rootPlace_) + describe(rootCalls_);
}

std::string Search::describe(const Calls& calls) const {
  if (calls.frame != 0) return ", a frame of " + versionAt(calls.frame);
  const std::string inner = calls.inner != 0 ? versionAt(calls.inner) : "";
  const std::string outer = calls.outer != 0 ? versionAt(calls.outer) : "";
  if (!inner.empty() && !outer.empty()) return ", between calls in " + inner + " and " + outer;
  if (!inner.empty()) return ", outside of a call in " + inner;
  return outer.empty() ? "" : ", inside of a call in " + outer;
}

KeepPath Search::result() const {
  KeepPath path;
  if (!isFound_) return path;
  path.steps.push_back(describeRoot());
  std::uint32_t at = first_;
  std::size_t stack = 0;
  for (; at >= targets_; at = nodes_[at].next) {
    const abi::Layout& layout = abi::LayoutTable::shared().byIndex(nodes_[at].type);
    path.steps.push_back(
        layout.type ? fmt::format("an object of type {}, at offset {}", layout.name(), nodes_[at].offset)
                    : fmt::format("a {} of the runtime", layout.name()));
    if (isStack(nodes_[at]) && stack < stackCount_) path.steps.back() += describe(stackCalls_[stack++]);
  }
  if (!goal_.isHost())
    if (const std::string& last = goal_.lastSteps[nodes_[at].next]; !last.empty()) path.steps.push_back(last);
  return path;
}

// --- What is looked for -----------------------------------------------------------------------------------

void add(Goal& goal, std::uintptr_t hidden, std::string lastStep = {}) {
  goal.hidden.push_back(hidden);
  goal.lastSteps.push_back(std::move(lastStep));
}

/// Of a version that is no longer the current one: its code, and copies of it.
void addCode(MicroVm& vm, const ir::FunctionVersion& version, Goal& goal) {
  if (vm.code().isInImage(version)) {
    goal.known = {true, {"the boot image, which has its code"}};
    return;
  }
  for (const CodeRegistry::CodePlace& place : vm.code().placesOf(version)) {
    const std::string companion =
        place.companion ? ir::describe(*place.companion) + ", whose code was compiled in one unit with it"
                        : "";
    if (!place.mayGo) {
      goal.known = {false, {companion}};
      return;
    }
    add(goal, place.hiddenBegin,
        place.copiedInto ? ir::describe(*place.copiedInto) + ", which has a copy of it" : companion);
  }
}

/// One that can be called, or has no code any more, goes with its bundle.
void addVersion(MicroVm& vm, const ir::FunctionVersion& version, Goal& goal) {
  const bool isCurrent = version.function->current.load(std::memory_order_relaxed) == &version;
  if (!isCurrent) addCode(vm, version, goal);
  if (goal.known || !goal.hidden.empty()) return;
  if (auto anchor = vm.code().hiddenAnchorOf(*version.bundle))
    add(goal, *anchor);
  else
    goal.known = {isCurrent, {}};
}

[[gnu::noinline]] Result<Goal> goalOf(MicroVm& vm, Id entity) {
  Goal goal;
  auto addMemory = [&](const void* memory) {
    if (vm.owners().ownerOf(memory))
      add(goal, ~reinterpret_cast<std::uintptr_t>(memory));
    else  // of nobody, or of a bundle that has died
      goal.known = {vm.program().entity(entity) != nullptr, {}};
  };
  if (const auto* function = vm.program().entityOfCode<ir::Function>(entity)) {
    addMemory(vm.entities().recordOf(*function));
  } else if (const auto* cell = vm.program().entityOfCode<ir::GlobalCell>(entity)) {
    addMemory(vm.entities().addressOf(*cell));
  } else if (const auto* version = vm.program().entityOfCode<ir::FunctionVersion>(entity)) {
    addVersion(vm, *version, goal);
  } else {
    return makeError(ErrorId::ApiUnknownId, {std::to_string(entity)});
  }
  return goal;
}

[[gnu::noinline]] Result<Goal> goalOfHost(MicroVm& vm, std::uintptr_t hiddenPointer, std::size_t handles) {
  const abi::HostRecord* record = vm.hostFunctions().find(reinterpret_cast<const void*>(~hiddenPointer));
  if (!record) return makeError(ErrorId::ApiNotHost, {"the value"});
  Goal goal;
  goal.hiddenRecord = ~reinterpret_cast<std::uintptr_t>(record);
  goal.hiddenPointer = hiddenPointer;
  goal.handles = handles;
  const HostFunctions::Keepers keepers = vm.hostFunctions().keepersOf(*record);
  if (keepers.names != 0)
    goal.known = {false, {"the name '" + vm.nativeSymbols().nameOf(*record) + "', which it is bound to"}};
  else if (keepers.pins != 0)
    goal.known = {false, {"a pin of the host function"}};
  return goal;
}

/// Overwrites what was left of the frames of calls that have returned.
[[gnu::noinline]] void clearStackBelow() {
  char bytes[4096];
  std::memset(bytes, 0, sizeof bytes);
  asm volatile("" ::"r"(bytes) : "memory");
}

Result<KeepPath> search(MicroVm& vm, const Goal& goal) {
  if (goal.known) return *goal.known;
  Search search(vm, goal, __builtin_frame_address(0));
  vm.roots().setObserver(&search);
  vm.heap().collect();
  vm.roots().setObserver(nullptr);
  if (!search.isDone()) return makeError(ErrorId::NotAvailable, {"the graph of objects"});
  return search.result();
}

template <class MakeGoal>
Result<KeepPath> whyAliveThere(MicroVm& vm, MakeGoal makeGoal) {
  static std::mutex oneAtATime;
  std::lock_guard alone(oneAtATime);
  Result<KeepPath> path = makeError(ErrorId::NotAvailable);
  Thread::attachedTo(vm, [&](Thread& thread) {
    // What is dead goes before there are words here that would keep it.
    vm.collectAndTidy(thread);
    // No code goes elsewhere meanwhile.
    std::lock_guard loading(vm.program().loadMutex());
    thread.onNativeStack([&] {
      Result<Goal> goal = makeGoal();
      clearStackBelow();
      path = goal ? search(vm, *goal) : Result<KeepPath>(goal.error());
    });
  });
  return path;
}

/// As a string of JSON.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ')
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

}  // namespace

std::string KeepPath::text() const {
  if (steps.empty())
    return isPermanent ? "nothing ever asked for its end\n"
                       : "nothing reaches it: it goes when a thread comes to it\n";
  std::string text;
  for (const std::string& step : steps) text += (text.empty() ? "" : "  -> ") + step + "\n";
  return text;
}

std::string KeepPath::json() const {
  std::string list;
  for (const std::string& step : steps) list += (list.empty() ? "" : ",") + quoted(step);
  return fmt::format("{{\"permanent\":{},\"path\":[{}]}}", isPermanent, list);
}

Result<KeepPath> whyAlive(MicroVm& vm, Id entity) {
  return whyAliveThere(vm, [&] { return goalOf(vm, entity); });
}

Result<KeepPath> whyAliveHost(MicroVm& vm, std::uintptr_t hiddenPointer, std::size_t handles) {
  clearStackBelow();
  return whyAliveThere(vm, [&] { return goalOfHost(vm, hiddenPointer, handles); });
}

Result<KeepPath> whyAlive(MicroVm& vm, std::string_view name) {
  const Id id = vm.program().idOf(name);
  const abi::HostRecord* host = id == kNoId ? vm.nativeSymbols().hostOf(name) : nullptr;
  if (!host) return whyAlive(vm, id);
  return whyAliveHost(vm, ~reinterpret_cast<std::uintptr_t>(vm.hostFunctions().pointerOf(*host)));
}

}  // namespace gaur::runtime
