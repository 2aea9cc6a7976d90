#include "vm/runtime/code_registry.h"

#include <algorithm>
#include <unordered_set>

#include "jit/code_map.h"
#include "vm/ir/instruction.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/watchpoints.h"
#include "vm/support/log.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

/// Without optimisation most of the cost is per unit, so a call compiles what it is going to call.
constexpr std::size_t kQuickBatch = 64;
constexpr std::size_t kEagerBatch = 256;

/// The function that the instruction calls by name, or null.
const ir::Function* calledFunction(const ir::Instruction& instruction) {
  if (instruction.opcode != ir::Opcode::Call && instruction.opcode != ir::Opcode::TailCall) return nullptr;
  const ir::Value* callee = instruction.operands[0].target;
  return callee->entityKind == ir::EntityKind::Function ? static_cast<const ir::Function*>(callee) : nullptr;
}

void setEntry(abi::FunctionRecord* record, void* entry) { __atomic_store_n(&record->entry, entry, __ATOMIC_RELEASE); }

}  // namespace

CodeRegistry::CodeRegistry(jit::Environment& environment, jit::CodeSlab& slab, jit::CodeMap& map, WatchpointTable& watchpoints,
                           const Options& options)
    : environment_(environment), slab_(slab), map_(map), watchpoints_(watchpoints), options_(options) {}

CodeRegistry::~CodeRegistry() {
  for (const auto& unit : units_) watchpoints_.remove(unit->block());
  units_.clear();
  for (const abi::CodeBlock* block : adopted_) {
    watchpoints_.remove(*block);
    map_.remove(*block);
  }
}

void CodeRegistry::adopt(const abi::CodeBlock& block, std::span<const jit::Inlining> inlinings) {
  std::lock_guard lock(mutex_);
  map_.add(block);
  watchpoints_.add(block);
  adopted_.push_back(&block);
  for (const jit::Inlining& inlining : inlinings) copies_[inlining.function].push_back(inlining.callerVersion);
}

void CodeRegistry::adoptHostCall(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  hostCalls_.emplace(signature, code);
}

void CodeRegistry::adoptExposedAdapter(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  exposedAdapters_.emplace(signature, code);
}

void CodeRegistry::adoptStartAdapter(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  enter(signature, code);
}

void CodeRegistry::enter(const ir::Signature* signature, void* startAdapter) {
  auto& made = startAdapterList_.emplace_back(
      std::make_unique<StartAdapter>(StartAdapter{startAdapter, startMemoryBytes(environment_.layouts(), signature)}));
  startAdapters_.set(signature->index, made.get());
}

Result<jit::Compiler*> CodeRegistry::compiler() {
  if (!compiler_) {
    jit::CompilerOptions options;
    options.verify = GAUR_CHECK_LEVEL >= 2;
    GAUR_TRY_ASSIGN(compiler_, jit::openCompiler(environment_, slab_, map_, options));
  }
  return compiler_.get();
}

bool CodeRegistry::isCompiled(const ir::Function& function) {
  const abi::FunctionRecord* record = environment_.recordOf(function);
  return record->entry != record->lazyEntry;
}

CodeRegistry::Versions CodeRegistry::batchFrom(const ir::FunctionVersion& version) {
  Versions batch{&version};
  if (level() != jit::OptLevel::O0) return batch;
  std::unordered_set<const ir::Function*> seen{version.function.target};
  for (std::size_t i = 0; i < batch.size() && batch.size() < kQuickBatch; ++i) {
    ir::forEachInstruction(*batch[i], [&](const ir::Instruction& instruction) {
      const ir::Function* callee = calledFunction(instruction);
      if (!callee || batch.size() >= kQuickBatch || !seen.insert(callee).second || isCompiled(*callee)) return;
      if (const ir::FunctionVersion* current = callee->current.load(std::memory_order_acquire)) batch.push_back(current);
    });
  }
  return batch;
}

Result<void> CodeRegistry::compileUnit(const Versions& versions) {
  std::uint64_t start = platform::monotonicTime();
  GAUR_TRY(environment_.program().needBodies());
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->compile(versions, level()));
  watchpoints_.add(unit->block());
  for (const jit::Inlining& inlining : unit->inlinings()) copies_[inlining.function].push_back(inlining.callerVersion);
  for (const ir::FunctionVersion* version : versions) setEntry(environment_.recordOf(*version->function.target), unit->entryOf(version->id));
  units_.push_back(std::move(unit));
  std::uint64_t duration = platform::monotonicTime() - start;
  nanoseconds_.fetch_add(duration, std::memory_order_relaxed);
  compiled_.fetch_add(versions.size(), std::memory_order_relaxed);
  GAUR_LOG(Jit, Info, "{} and {} more in {} us", ir::describe(*versions.front()), versions.size() - 1, duration / 1000);
  return {};
}

Result<void> CodeRegistry::compile(const ir::Function& function) {
  std::lock_guard lock(mutex_);
  const ir::FunctionVersion* version = function.current.load(std::memory_order_acquire);
  if (isCompiled(function)) return {};
  if (!version) return compileUndefined(function);
  GAUR_TRY(environment_.program().needBodies());
  Versions batch = batchFrom(*version);
  auto result = compileUnit(batch);
  // What fails may be one of the others, which will not necessarily be called.
  if (!result && batch.size() > 1) result = compileUnit({version});
  return result;
}

Result<void> CodeRegistry::compileUndefined(const ir::Function& function) {
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->undefinedFunction(function));
  setEntry(environment_.recordOf(function), unit->entryOf(kNoId));
  units_.push_back(std::move(unit));
  return {};
}

Result<void> CodeRegistry::compileAll(std::span<ir::FunctionVersion* const> versions) {
  std::lock_guard lock(mutex_);
  Versions left;
  for (const ir::FunctionVersion* version : versions) {
    const ir::Function& function = *version->function.target;
    if (function.current == version && !isCompiled(function)) left.push_back(version);
  }
  for (std::size_t i = 0; i < left.size(); i += kEagerBatch) {
    auto end = left.begin() + static_cast<std::ptrdiff_t>(std::min(i + kEagerBatch, left.size()));
    GAUR_TRY(compileUnit(Versions(left.begin() + static_cast<std::ptrdiff_t>(i), end)));
  }
  return {};
}

void CodeRegistry::invalidate(const ir::Function& function) {
  abi::FunctionRecord* record = environment_.recordOf(function);
  setEntry(record, record->lazyEntry);
  auto copies = copies_.find(function.id);
  if (copies == copies_.end()) return;
  for (Id callerVersion : copies->second) {
    auto* version = environment_.program().entityOf<ir::FunctionVersion>(callerVersion);
    if (!version || version->function->current != version) continue;
    abi::FunctionRecord* caller = environment_.recordOf(*version->function.target);
    GAUR_LOG(Code, Debug, "{} holds code of {}, which is redefined", ir::describe(*version), ir::describe(function));
    setEntry(caller, caller->lazyEntry);
  }
  copies_.erase(copies);
}

Result<void*> CodeRegistry::adapter(Adapters& adapters, const ir::Signature* signature,
                                    Result<std::unique_ptr<jit::CodeUnit>> (jit::Compiler::*make)(const ir::Signature*)) {
  std::lock_guard lock(mutex_);
  if (auto known = adapters.find(signature); known != adapters.end()) return known->second;
  std::uint64_t start = platform::monotonicTime();
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, (compiler->*make)(signature));
  void* entry = unit->entryOf(kNoId);
  adapters.emplace(signature, entry);
  units_.push_back(std::move(unit));
  nanoseconds_.fetch_add(platform::monotonicTime() - start, std::memory_order_relaxed);
  return entry;
}

Result<jit::HostCall> CodeRegistry::hostCall(const ir::Signature* signature) {
  GAUR_TRY_ASSIGN(void* entry, adapter(hostCalls_, signature, &jit::Compiler::hostCallAdapter));
  return reinterpret_cast<jit::HostCall>(entry);
}

Result<void*> CodeRegistry::exposedAdapter(const ir::Signature* signature) {
  return adapter(exposedAdapters_, signature, &jit::Compiler::exposedAdapter);
}

const ir::Signature* CodeRegistry::adapterSignature(const void* adapter) {
  std::lock_guard lock(mutex_);
  for (const auto* adapters : {&exposedAdapters_, &hostCalls_})
    for (const auto& [signature, code] : *adapters)
      if (code == adapter) return signature;
  return nullptr;
}

Result<const StartAdapter*> CodeRegistry::startAdapter(const ir::Signature* signature) {
  std::lock_guard lock(mutex_);
  if (const StartAdapter* known = startAdapters_.get(signature->index)) return known;
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->startAdapter(signature));
  enter(signature, unit->entryOf(kNoId));
  units_.push_back(std::move(unit));
  return startAdapters_.get(signature->index);
}

Result<std::string> CodeRegistry::dump(const ir::FunctionVersion& version, jit::DumpStage stage) {
  std::lock_guard lock(mutex_);
  GAUR_TRY(environment_.program().needBodies());
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  return compiler->dump(version, level(), stage);
}

}  // namespace gaur::runtime
