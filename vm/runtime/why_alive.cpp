// Searches backwards, since nothing is known of the way: first for what refers to the owner, then for what
// refers to that, each time through the roots and through all objects that were reached, until a root does.
#include "vm/runtime/why_alive.h"

#include <fmt/format.h>

#include <mutex>

#include "gc/live_graph.h"
#include "gc/owner_map.h"
#include "vm/abi/code_owner.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kMostNodes = std::size_t{1} << 22;
constexpr std::size_t kTableSize = 2 * kMostNodes;

/// An object on some way to the target.
struct Node {
  const void* object;
  /// What it refers to, and by which of its words; the target is the first node.
  std::uint32_t next;
  std::uint32_t offset;
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
  /// `hidden`: the complement of the address, where it is no version. Words below `floor` on the stack that
  /// this runs on are its own.
  Search(MicroVm& vm, Id version, std::uintptr_t hidden, const void* floor)
      : vm_(vm), version_(version), hidden_(hidden), floor_(reinterpret_cast<std::uintptr_t>(floor)) {
    for (const auto& bundle : vm.program().bundles())
      for (const ir::GlobalCell* cell : bundle->globals) cells_.push_back(cell);
  }

  void observe() override {
    isDone_ = true;
    const void* target = version_ != kNoId ? ownerOfVersion() : gc::ownerOf(~hidden_);
    if (!target) return;
    hasOwner_ = true;
    nodes_.add({target, 0, 0});
    for (std::uint32_t level = 0; level < nodes_.size() && !isFound_;) {
      const std::uint32_t end = nodes_.size();
      begin_ = level;
      end_ = end;
      lookAtRoots();
      if (isFound_) return;
      gc::forEachReachable([](void* object, void* search) { static_cast<Search*>(search)->lookAt(object); },
                           this);
      level = end;
    }
  }

  bool isDone() const { return isDone_; }
  bool hasOwner() const { return hasOwner_; }
  KeepPath result() const;

 private:
  template <class F>
  void forEachTarget(std::uintptr_t word, bool mayBeObject, gc::Fit fit, F&& f) {
    if (gc::mayHaveOwner(word)) {
      gc::forEachOwner(word, fit, f);
    } else if (mayBeObject && word != 0) {
      if (const void* object = vm_.heap().objectContaining(word)) f(object);
    }
  }

  const void* ownerOfVersion() {
    const void* found = nullptr;
    vm_.owners().forEach([&](const CodeOwner& owner) {
      for (OwnedRange range : owner.ranges()) {
        const abi::CodeBlock* block =
            vm_.codeMap().findFunction(reinterpret_cast<std::uintptr_t>(range.begin)).block;
        if (!block) continue;
        for (const abi::FunctionCode& code : block->functions)
          if (code.version == version_) found = owner.object();
      }
    });
    return found;
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
    under(RootKind::Handle, [&] { vm_.roots().pushRoots(sink); });
  }

  void word(std::uintptr_t value, const void* place, gc::Fit fit) override {
    if (isFound_) return;
    auto at = reinterpret_cast<std::uintptr_t>(place);
    if (at >= reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) && at < floor_) return;
    if (kind_ == RootKind::Frame && !vm_.codeMap().findReturn(value)) return;
    forEachTarget(value, true, fit, [&](const void* object) {
      const std::uint32_t node = nodes_.find(object);
      if (isFound_ || node == 0 || node - 1 >= end_) return;
      isFound_ = true;
      rootKind_ = kind_;
      rootCell_ = cell_;
      rootPlace_ = place;
      rootWord_ = value;
      first_ = node - 1;
    });
  }

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

  void lookAtSlot(const void* object, std::uint64_t* slot, abi::SlotKind kind, std::uint32_t offset) {
    auto refers = [&](std::uintptr_t value, bool mayBeObject, gc::Fit fit = gc::Fit::Exact) {
      forEachTarget(value, mayBeObject, fit, [&](const void* target) {
        const std::uint32_t node = nodes_.find(target);
        if (node != 0 && node - 1 >= begin_ && node - 1 < end_) nodes_.add({object, node - 1, offset});
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
        for (auto* p = reinterpret_cast<std::uint64_t*>(slot[0]);
             p < reinterpret_cast<std::uint64_t*>(slot[1]); ++p)
          refers(abi::tagrefHoldsRef(*p) ? abi::tagrefAddress(*p) : *p, true, gc::Fit::MayLieBehind);
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

  MicroVm& vm_;
  const Id version_;
  const std::uintptr_t hidden_;
  const std::uintptr_t floor_;
  std::vector<const ir::GlobalCell*> cells_;
  Nodes nodes_;
  bool hasOwner_ = false;
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
};

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
    case RootKind::Frame: {
      const jit::CodeSite site = vm_.codeMap().findReturn(rootWord_);
      return "the stack of a thread, a frame of " + vm_.program().nameOf(site.function->version);
    }
    case RootKind::ThreadStack: break;
  }
  return fmt::format("the stack of a thread, {:#x} at {}", rootWord_, rootPlace_);
}

KeepPath Search::result() const {
  KeepPath path;
  if (!isFound_) return path;
  path.steps.push_back(describeRoot());
  for (std::uint32_t at = first_; at != 0; at = nodes_[at].next) {
    const void* object = nodes_[at].object;
    const abi::Layout& layout = abi::LayoutTable::shared().byIndex(abi::ObjectHeader::of(object).typeIndex());
    path.steps.push_back(
        layout.type ? fmt::format("an object of type {}, at offset {}", layout.name(), nodes_[at].offset)
                    : fmt::format("a {} of the runtime", layout.name()));
  }
  return path;
}

/// The complement of the address that stands for the entity; of a version nothing, and its ID in `version`.
[[gnu::noinline]] Result<std::uintptr_t> hiddenAddressOf(MicroVm& vm, Id entity, Id& version) {
  const void* address = nullptr;
  if (const auto* function = vm.program().entityOfCode<ir::Function>(entity)) {
    address = vm.entities().recordOf(*function);
  } else if (const auto* cell = vm.program().entityOfCode<ir::GlobalCell>(entity)) {
    address = vm.entities().addressOf(*cell);
  } else if (vm.program().entityOfCode<ir::FunctionVersion>(entity)) {
    version = entity;
  } else {
    return makeError(ErrorId::ApiUnknownId, {std::to_string(entity)});
  }
  return ~reinterpret_cast<std::uintptr_t>(address);
}

/// Whether a client unloaded it, or another version took its place.
bool isOver(MicroVm& vm, Id entity) {
  const auto* version = vm.program().entityOf<ir::FunctionVersion>(entity);
  if (version) return version->function->current.load(std::memory_order_relaxed) != version;
  return !vm.program().entityOf<ir::Function>(entity) && !vm.program().entityOf<ir::GlobalCell>(entity);
}

Result<KeepPath> search(MicroVm& vm, Id entity) {
  Id version = kNoId;
  GAUR_TRY_ASSIGN(std::uintptr_t hidden, hiddenAddressOf(vm, entity, version));
  Search search(vm, version, hidden, __builtin_frame_address(0));
  vm.roots().setObserver(&search);
  vm.heap().collect();
  vm.roots().setObserver(nullptr);
  if (!search.isDone()) return makeError(ErrorId::NotAvailable, {"the graph of objects"});
  KeepPath path = search.result();
  if (search.hasOwner()) return path;
  path.isPermanent = !isOver(vm, entity);
  const auto* over = path.isPermanent ? nullptr : vm.program().entityOf<ir::FunctionVersion>(entity);
  if (const ir::Function* companion = over ? vm.code().companionOf(*over) : nullptr)
    path.steps.push_back(ir::describe(*companion) + ", whose code was compiled in one unit with it");
  return path;
}

}  // namespace

std::string KeepPath::text() const {
  if (isPermanent) return "nothing ever asked for its end\n";
  if (steps.empty()) return "nothing reaches it: it goes when a thread comes to it\n";
  std::string text;
  for (const std::string& step : steps) text += (text.empty() ? "" : "  -> ") + step + "\n";
  return text;
}

Result<KeepPath> whyAlive(MicroVm& vm, Id entity) {
  static std::mutex oneAtATime;
  std::lock_guard alone(oneAtATime);
  Result<KeepPath> path = makeError(ErrorId::NotAvailable);
  Thread::attachedTo(vm, [&](Thread& thread) {
    // What is dead goes before there are words here that would keep it.
    vm.collectAndTidy(thread);
    std::lock_guard loading(vm.program().loadMutex());
    thread.onNativeStack([&] { path = search(vm, entity); });
  });
  return path;
}

}  // namespace gaur::runtime
