#include "vm/runtime/micro_vm.h"

#include <array>
#include <optional>

#include "vm/abi/layout.h"
#include "vm/abi/runtime_entries.h"
#include "vm/abi/value_passing.h"
#include "vm/ir/builder.h"
#include "vm/ir/parser.h"
#include "vm/runtime/attachment.h"
#include "vm/runtime/backtrace.h"
#include "vm/runtime/forks.h"
#include "vm/runtime/hail.h"
#include "vm/runtime/signals.h"
#include "vm/support/check.h"
#include "vm/support/log.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

constexpr double kNanosecond = 1e-9;

gc::HeapOptions heapOptions(const Options& options) {
  gc::HeapOptions heap;
  heap.initialBytes = options.heapSize;
  heap.maxBytes = options.maxHeap;
  heap.stressInterval = static_cast<std::uint32_t>(options.gcStress);
  return heap;
}

/// Adds the time until the end of the scope.
class Timer {
 public:
  explicit Timer(std::atomic<std::uint64_t>& sum) : sum_(sum), start_(platform::monotonicTime()) {}
  ~Timer() { sum_.fetch_add(platform::monotonicTime() - start_, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t>& sum_;
  std::uint64_t start_;
};

}  // namespace

Result<std::unique_ptr<MicroVm>> MicroVm::create(const Options& options,
                                                 const jit::SlabPlacement& placement) {
  installFaultHandlers();
  setBugContextPrinter(printBugContext);
  if (!options.log.empty()) GAUR_TRY(setLogLevels(options.log));
  std::unique_ptr<MicroVm> vm(new MicroVm(options, placement));
  for (const std::string& library : options.libraries) GAUR_TRY(vm->nativeSymbols_.addLibrary(library));
  return vm;
}

void fillLinkTable(abi::LinkTable& table, const StackArena& stacks) {
  table.stacks = stacks.table();
#define GAUR_RUNTIME_ENTRY(name, Effects) \
  table.entries[static_cast<std::size_t>(abi::RuntimeEntry::name)] = reinterpret_cast<void*>(&::name);
#include "vm/abi/runtime_entries.def"
}

MicroVm::MicroVm(const Options& options, const jit::SlabPlacement& placement)
    : options_(options), slab_(placement) {
  linkTable_ = static_cast<abi::LinkTable*>(slab_.allocateData(sizeof(abi::LinkTable)));
  fillLinkTable(*linkTable_, stacks_);
  const std::array<const ir::Type*, 2> parts{program_.types().intType(64), program_.types().intType(8)};
  bytesType_ = program_.types().get(ir::TypeKind::Hybrid, 0, parts);
  layouts().of(bytesType_);
  refsType_ = program_.entityOf<ir::TypeDef>(program_.idOf("uvm.meta.refs"))->type;
  layouts().of(refsType_);
  heap_ = gc::makeBoehmHeap(heapOptions(options), roots_);
  enterForks(*this);
  roots_.setBundles(&bundles_);
}

MicroVm::~MicroVm() {
  leaveForks(*this);
  threads_.waitForStarted();
  detachFrom(*this);
  hostFunctions_.finaliseAll();
  owners_.releaseAll();
  roots_.setBundles(nullptr);
}

ir::Bundle* MicroVm::load(const SourceText& source, Diagnostics& diagnostics, bool isCollectible) {
  tidyHere();
  std::lock_guard lock(program_.loadMutex());
  ir::Builder builder(program_, std::string(source.name));
  {
    Timer timer(parseNanoseconds_);
    ir::parse(source, builder, diagnostics);
  }
  return diagnostics.failed() ? nullptr : finish(builder, diagnostics, isCollectible);
}

ir::Bundle* MicroVm::load(ir::BuilderSession& session, bool isCollectible) {
  tidyHere();
  std::lock_guard lock(program_.loadMutex());
  return finish(session.builder(), session.diagnostics(), isCollectible);
}

ir::Bundle* MicroVm::finish(ir::Builder& builder, Diagnostics& diagnostics, bool isCollectible) {
  ir::Bundle* published = nullptr;
  {
    Timer timer(linkNanoseconds_);
    std::unique_ptr<ir::Bundle> bundle = builder.finish(diagnostics);
    if (!bundle) return nullptr;
    bundle->isCollectible = isCollectible;
    if (auto prepared = prepare(*bundle); !prepared) {
      diagnostics.report(prepared.error().id, 0, {prepared.error().message});
      return nullptr;
    }
    code_.redefine(bundle->versions, [&] { published = program_.publish(std::move(bundle)); });
    bundles_.notePublished(*published);
  }
  GAUR_LOG(Ir, Info, "loaded {}: {} functions, {} versions", published->name(), published->functions.size(),
           published->versions.size());
  if (options_.eager) {
    // A function that cannot be compiled fails when it is called, as without this option.
    if (auto compiled = code_.compileAll(published->versions); !compiled)
      GAUR_LOG(Jit, Warn, "{}", compiled.error().message);
  }
  return published;
}

Result<void> MicroVm::prepare(ir::Bundle& bundle) {
  if (!bundle.isCollectible) return entities_.prepare(bundle);
  Result<void> prepared;
  Thread::attachedTo(*this, [&](Thread& thread) { prepared = bundles_.prepare(thread, bundle); });
  return prepared;
}

Result<void> MicroVm::unload(Id member) {
  tidyHere();
  std::lock_guard lock(program_.loadMutex());
  ir::Bundle* bundle = bundles_.bundleOf(member);
  if (!bundle) {
    std::string name = program_.nameOf(member);
    return makeError(ErrorId::NotCollectible, {name.empty() ? "#" + std::to_string(member) : name});
  }
  bundles_.unload(*bundle);
  return {};
}

void MicroVm::tidy(Thread& thread) {
  owners_.work(thread);
  thread.onNativeStack([&] {
    bundles_.tidy(thread);
    hostFunctions_.runFinalisers();
  });
}

void MicroVm::collectAndTidy(Thread& thread) {
  tidy(thread);
  thread.onNativeStack([this] { heap_->collect(); });
  tidy(thread);
}

void MicroVm::tidyHere() {
  if (wantsTidying()) Thread::attachedTo(*this, [this](Thread& thread) { tidy(thread); });
}

bool MicroVm::loadHail(const SourceText& source, Diagnostics& diagnostics) {
  CollectibleBundles::Reading reading(bundles_);
  std::optional<ir::HailScript> script;
  {
    Timer timer(parseNanoseconds_);
    script = ir::readHail(source, program_, diagnostics);
  }
  if (!script) return false;
  Timer timer(linkNanoseconds_);
  bool isDone = false;
  Thread::attachedTo(*this, [&](Thread& thread) { isDone = evaluateHail(thread, *script, diagnostics); });
  if (!isDone) return false;
  GAUR_LOG(Ir, Info, "evaluated {}: {} objects, {} initialisations", source.name, script->objects.size(),
           script->inits.size());
  return true;
}

CallOutcome MicroVm::call(const ir::Function& function, const void* arguments, void* results,
                          std::uint64_t cookie) {
  const ir::Signature* signature = function.signature->signature;
  CallOutcome outcome;
  Thread::attachedTo(*this, [&](Thread& thread) {
    if (wantsTidying()) tidy(thread);
    Result<jit::HostCall> adapter = makeError(ErrorId::NotAvailable);
    thread.onNativeStack([&] { adapter = code_.hostCall(signature); });
    outcome = adapter ? Thread::call(thread, {*adapter, entities_.recordOf(function), arguments, results,
                                              abi::writtenBytes(layouts(), signature->results), cookie})
                      : CallOutcome{CallOutcome::Kind::NotStarted, nullptr,
                                    "gaur: " + adapter.error().message + "\n"};
  });
  return outcome;
}

void MicroVm::bindSymbol(std::string_view name, void* pointer) {
  abi::HostRecord* host = pointer ? hostFunctions_.find(pointer) : nullptr;
  if (host) hostFunctions_.retain(*host);
  abi::HostRecord* before = pointer ? nativeSymbols_.bind(name, pointer, host) : nativeSymbols_.unbind(name);
  if (before) hostFunctions_.release(*before);
}

Result<void> MicroVm::relocatePointer(PointerRelocation relocation) {
  const void* object = heap_->objectContaining(relocation.field);
  // A cell that somebody owns goes with its owner.
  if (CodeOwner* owner = owners_.ownerOf(reinterpret_cast<const void*>(relocation.field)))
    object = owner->object();
  if (!object && !entities_.cellContaining(relocation.field))
    return makeError(ErrorId::RelocatedField, {relocation.symbol});
  pointerRelocations().add(object, std::move(relocation));
  return {};
}

VmStatistics MicroVm::statistics() {
  gc::HeapStatistics heap;
  Thread::attachedTo(*this, [&](Thread&) { heap = heap_->statistics(); });
  VmStatistics result;
  result.parseSeconds = kNanosecond * static_cast<double>(parseNanoseconds_.load());
  result.linkSeconds = kNanosecond * static_cast<double>(linkNanoseconds_.load());
  result.compileSeconds = kNanosecond * static_cast<double>(code_.compileNanoseconds());
  result.compiledFunctions = code_.compiledFunctions();
  result.gcSeconds = kNanosecond * static_cast<double>(heap.collectionNanoseconds);
  result.collections = heap.collections;
  return result;
}

}  // namespace gaur::runtime
