// What is loaded. Names: top-level entities are in one table; a local entity is found by walking down from
// the longest prefix of its full name that is in the table, so that hundreds of thousands of local names cost
// no storage beyond their own letters.
#include "vm/ir/program.h"

#include <algorithm>

#include "vm/ir/builder.h"
#include "vm/ir/linker.h"
#include "vm/ir/snapshot_bodies.h"
#include "vm/support/near_name.h"

namespace gaur::ir {

namespace {

template <class F>
void forEachTopLevel(const Bundle& bundle, F&& f) {
  for (TypeDef* e : bundle.types) f(*e);
  for (SignatureDef* e : bundle.signatures) f(*e);
  for (Constant* e : bundle.constants) f(*e);
  for (GlobalCell* e : bundle.globals) f(*e);
  for (Function* e : bundle.functions) f(*e);
  for (ExposedFunction* e : bundle.exposed) f(*e);
  for (FunctionVersion* e : bundle.versions) f(*e);
}

/// Everything in the versions of the bundle.
template <class F>
void forEachLocal(const Bundle& bundle, F&& f) {
  for (FunctionVersion* version : bundle.versions) {
    for (const auto& block : version->blocks) {
      f(*block.target);
      for (Parameter& parameter : block->parameters) f(parameter);
      if (block->exceptionParameter) f(*block->exceptionParameter);
      for (const auto& instruction : block->instructions) {
        f(*instruction.target);
        for (Result& result : instruction->results) f(result);
      }
    }
  }
}

/// If `path` is the entity's own name or goes on with a dot after it: what comes after (empty, or without the
/// dot). An entity without a name is passed over: its parts are named as if they belonged to its owner.
bool stepInto(const Entity& entity, std::string_view path, std::string_view& rest) {
  if (entity.nameLength == 0) {
    rest = path;
    return true;
  }
  if (!entity.hasLocalName || !path.starts_with(entity.name())) return false;
  rest = path.substr(entity.nameLength);
  if (rest.empty()) return true;
  if (rest[0] != '.') return false;
  rest.remove_prefix(1);
  return !rest.empty();
}

bool isNamed(const Entity& entity, std::string_view path) {
  return entity.hasLocalName && entity.nameLength != 0 && entity.name() == path;
}

Entity* findIn(BasicBlock& block, std::string_view path) {
  for (Parameter& parameter : block.parameters)
    if (isNamed(parameter, path)) return &parameter;
  if (block.exceptionParameter && isNamed(*block.exceptionParameter, path)) return block.exceptionParameter;
  for (const auto& instruction : block.instructions) {
    if (isNamed(*instruction.target, path)) return instruction.target;
    for (Result& result : instruction->results)
      if (isNamed(result, path)) return &result;
  }
  return nullptr;
}

Entity* findIn(FunctionVersion& version, std::string_view path) {
  for (const auto& block : version.blocks) {
    std::string_view rest;
    if (!stepInto(*block.target, path, rest)) continue;
    if (rest.empty()) return block.target;
    if (Entity* found = findIn(*block.target, rest)) return found;
  }
  return nullptr;
}

/// The version itself; looks at no body.
Entity* findVersion(Function& function, std::string_view name) {
  FunctionVersion* version = function.current.load(std::memory_order_acquire);
  while (version && !isNamed(*version, name)) version = version->previous.load(std::memory_order_acquire);
  return version;
}

Entity* findIn(Function& function, std::string_view path) {
  FunctionVersion* version = function.current.load(std::memory_order_acquire);
  for (; version; version = version->previous.load(std::memory_order_acquire)) {
    std::string_view rest;
    if (!stepInto(*version, path, rest)) continue;
    if (rest.empty()) return version;
    if (Entity* found = findIn(*version, rest)) return found;
  }
  return nullptr;
}

const Entity* ownerOf(const Entity& entity) {
  switch (entity.entityKind) {
    case EntityKind::FunctionVersion: return static_cast<const FunctionVersion&>(entity).function.target;
    case EntityKind::BasicBlock: return static_cast<const BasicBlock&>(entity).version;
    case EntityKind::Parameter: return static_cast<const Parameter&>(entity).block;
    case EntityKind::Instruction: return static_cast<const Instruction&>(entity).block;
    case EntityKind::Result: {
      const Instruction* instruction = static_cast<const Result&>(entity).instruction;
      return instruction ? instruction->block : nullptr;
    }
    default: return nullptr;
  }
}

void appendName(std::string& out, const Entity& entity) {
  if (entity.nameLength == 0 || entity.hasLocalName) {
    if (const Entity* owner = ownerOf(entity)) appendName(out, *owner);
    if (entity.nameLength != 0 && !out.empty()) out += '.';
  }
  out += entity.name();
}

}  // namespace

std::string_view withoutSigil(std::string_view name) {
  if (!name.empty() && (name[0] == '@' || name[0] == '%')) name.remove_prefix(1);
  return name;
}

std::string fullName(const Entity& entity) {
  std::string out;
  if (entity.nameLength != 0) appendName(out, entity);
  return out;
}

std::string describe(const Entity& entity) {
  std::string name = fullName(entity);
  return name.empty() ? "#" + std::to_string(entity.id) : "@" + name;
}

Program::Program() { loadPredefined(); }
Program::~Program() = default;

std::unique_ptr<BuilderTables> Program::takeBuilderTables() {
  // Nobody waits for spares, so no fork can leave this locked to somebody's harm.
  std::unique_lock lock(sparesMutex_, std::try_to_lock);
  if (!lock || spares_.empty()) return std::make_unique<BuilderTables>();
  std::unique_ptr<BuilderTables> tables = std::move(spares_.back());
  spares_.pop_back();
  return tables;
}

void Program::giveBack(std::unique_ptr<BuilderTables> tables) {
  constexpr std::size_t kMostSpares = 4;
  tables->definitions.clear();
  tables->symbolNames.clear();
  std::unique_lock lock(sparesMutex_, std::try_to_lock);
  if (lock && spares_.size() < kMostSpares) spares_.push_back(std::move(tables));
}

Entity* Program::entityNamed(std::string_view name) const {
  std::lock_guard lock(tablesMutex_);
  auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

Id Program::idOf(std::string_view name) const {
  name = withoutSigil(name);
  if (name.empty()) return kNoId;
  std::shared_lock alive(removalMutex_);
  if (Id id = topLevelId(name); id != kNoId) return id;
  Entity* local = localEntity(name);
  if (!local && endOfPendingIds_.load(std::memory_order_acquire) != kNoId && bodies_->mayName(name) &&
      needBodies())
    local = entityNamed(name);
  return local ? local->id : kNoId;
}

Id Program::topLevelId(std::string_view name) const {
  if (const Entity* known = entityNamed(name)) return known->id;
  const CommonInstInfo* common = commonInst(name);
  return common ? static_cast<Id>(common->id) : kNoId;
}

bool Program::mayHaveOwner(std::string_view name) const {
  if (endOfPendingIds_.load(std::memory_order_acquire) != kNoId) return true;
  std::lock_guard lock(tablesMutex_);
  for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot != 0;
       dot = name.rfind('.', dot - 1))
    if (names_.contains(name.substr(0, dot))) return true;
  return false;
}

std::string Program::nameOf(Id id) const {
  std::shared_lock alive(removalMutex_);
  const Entity* found = entity(id);
  if (!found) found = hidden_.get(id);
  if (found) {
    std::string name = fullName(*found);
    return name.empty() ? name : "@" + name;
  }
  if (const CommonInstInfo* common = commonInst(id)) return "@" + std::string(common->text);
  return {};
}

Entity* Program::localEntity(std::string_view name) const {
  for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot != 0;
       dot = name.rfind('.', dot - 1)) {
    Entity* prefix = entityNamed(name.substr(0, dot));
    if (!prefix) continue;
    std::string_view rest = name.substr(dot + 1);
    if (rest.empty()) return nullptr;
    Entity* found = nullptr;
    if (prefix->entityKind == EntityKind::Function)
      found = findVersion(*static_cast<Function*>(prefix), rest);
    if (found) return found;
    if (!needBodies()) return nullptr;
    if (prefix->entityKind == EntityKind::Function) found = findIn(*static_cast<Function*>(prefix), rest);
    if (prefix->entityKind == EntityKind::FunctionVersion)
      found = findIn(*static_cast<FunctionVersion*>(prefix), rest);
    if (prefix->entityKind == EntityKind::BasicBlock) found = findIn(*static_cast<BasicBlock*>(prefix), rest);
    if (found) return found;
  }
  return nullptr;
}

void Program::offerNames(NearName& finder) const {
  std::lock_guard lock(tablesMutex_);
  for (const auto& [name, entity] : names_) finder.offer(name);
}

// --- Publishing --------------------------------------------------------------------------------------------

void Program::enter(Entity& entity) const {
  if (entity.id != kNoId) entities_.set(entity.id, &entity);
  if (entity.nameLength != 0 && !entity.hasLocalName) names_.emplace(entity.name(), &entity);
}

void Program::remove(Entity& entity) const {
  if (entity.id != kNoId && entities_.get(entity.id) == &entity) entities_.set(entity.id, nullptr);
  if (auto found = names_.find(entity.name()); found != names_.end() && found->second == &entity)
    names_.erase(found);
}

bool Program::isTaken(const Entity& entity) const {
  if (entity.id != kNoId && entities_.get(entity.id)) return true;
  return entity.nameLength != 0 && !entity.hasLocalName && names_.contains(entity.name());
}

void Program::makeCurrent(const Bundle& bundle) {
  for (FunctionVersion* version : bundle.versions) {
    version->previous.store(version->function->current.load(std::memory_order_relaxed),
                            std::memory_order_relaxed);
    version->function->current.store(version, std::memory_order_release);
  }
}

Bundle* Program::publish(std::unique_ptr<Bundle> bundle) {
  Bundle* published = bundle.get();
  bundles_.push_back(std::move(bundle));
  {
    std::lock_guard lock(tablesMutex_);
    auto enter = [this](Entity& entity) { this->enter(entity); };
    forEachTopLevel(*published, enter);
    forEachLocal(*published, enter);
  }
  makeCurrent(*published);
  return published;
}

// --- Taking out --------------------------------------------------------------------------------------------

void Program::hide(Bundle& bundle) {
  std::lock_guard alone(removalMutex_);
  std::lock_guard lock(tablesMutex_);
  auto hide = [this](Entity& entity) {
    remove(entity);
    if (entity.id != kNoId) hidden_.set(entity.id, &entity);
  };
  forEachTopLevel(bundle, hide);
  forEachLocal(bundle, hide);
}

std::unique_ptr<Bundle> Program::remove(Bundle& bundle) {
  std::lock_guard alone(removalMutex_);
  {
    std::lock_guard lock(tablesMutex_);
    auto forget = [this](Entity& entity) {
      remove(entity);
      if (entity.id != kNoId && hidden_.get(entity.id) == &entity) hidden_.set(entity.id, nullptr);
    };
    forEachTopLevel(bundle, forget);
    forEachLocal(bundle, forget);
  }
  for (FunctionVersion* version : bundle.versions) {
    std::atomic<FunctionVersion*>* link = &version->function->current;
    while (FunctionVersion* at = link->load(std::memory_order_relaxed)) {
      if (at == version) {
        link->store(version->previous.load(std::memory_order_relaxed), std::memory_order_release);
        break;
      }
      link = &at->previous;
    }
  }
  auto owner =
      std::find_if(bundles_.begin(), bundles_.end(), [&](const auto& held) { return held.get() == &bundle; });
  GAUR_CHECK(owner != bundles_.end(), "a bundle is taken out twice");
  std::unique_ptr<Bundle> taken = std::move(*owner);
  bundles_.erase(owner);
  return taken;
}

// --- Images ------------------------------------------------------------------------------------------------

gaur::Result<Bundle*> Program::publishImage(std::unique_ptr<Bundle> bundle,
                                            std::unique_ptr<SnapshotBodies> bodies, Id endOfIds) {
  Bundle* published = bundle.get();
  bundles_.push_back(std::move(bundle));
  {
    std::lock_guard lock(tablesMutex_);
    names_.reserve(names_.size() + published->functions.size() + published->constants.size());
    const Entity* second = nullptr;
    forEachTopLevel(*published, [&](Entity& entity) {
      if (!second && isTaken(entity)) second = &entity;
      if (!second) enter(entity);
    });
    if (second) return makeError(ErrorId::ImageIrDamaged, {describe(*second) + " is there twice"});
  }
  nextId_.store(std::max(nextId(), endOfIds), std::memory_order_relaxed);
  bodies_ = std::move(bodies);
  endOfPendingIds_.store(endOfIds, std::memory_order_release);
  makeCurrent(*published);
  return published;
}

Entity* Program::entityInBody(Id id) const { return needBodies() ? entities_.get(id) : nullptr; }

gaur::Result<void> Program::readBodies() const {
  // A report about a bug that is met while bodies are read asks for entities: it must not wait for itself.
  thread_local bool isReading = false;
  if (isReading) return makeError(ErrorId::ImageIrDamaged, {"its function bodies are being read"});
  std::lock_guard lock(bodiesMutex_);
  if (bodiesError_) return *bodiesError_;
  if (endOfPendingIds_.load(std::memory_order_relaxed) == kNoId) return {};
  isReading = true;
  auto result = bodies_->read();
  isReading = false;
  if (result) {
    std::lock_guard tablesLock(tablesMutex_);
    const Entity* second = nullptr;
    forEachLocal(bodies_->bundle(), [&](Entity& entity) {
      if (!second && isTaken(entity)) second = &entity;
      if (!second) enter(entity);
    });
    if (second) {
      result = makeError(ErrorId::ImageIrDamaged, {describe(*second) + " is there twice"});
      forEachLocal(bodies_->bundle(), [this](Entity& entity) { remove(entity); });
      bodies_->drop();
    }
  }
  if (!result) {
    bodiesError_ = result.error();
    return result;
  }
  endOfPendingIds_.store(kNoId, std::memory_order_release);
  return {};
}

void Program::loadPredefined() {
  Builder builder(*this, "predefined");
  Id next = kFirstPredefinedId;
  auto named = [&](std::string_view name, Entity* entity) { builder.setName(*entity, name, false); };
  auto type = [&](Id id, TypeKind kind, std::initializer_list<Id> elements, std::uint64_t length = 0) {
    TypeDef* made = builder.newType(id, kind);
    made->elements = builder.uses<TypeDef>(std::span(elements.begin(), elements.size()));
    made->length = length;
    return made;
  };
  const Id bytes = next++, bytesRef = next++, refs = next++, refsRef = next++, trapHandler = next++;
  const Id i64 = next++, i8 = next++, i32 = next++, nothing = next++, object = next++, stack = next++;
  type(i64, TypeKind::Int, {}, 64);
  type(i8, TypeKind::Int, {}, 8);
  type(i32, TypeKind::Int, {}, 32);
  type(nothing, TypeKind::Void, {});
  type(object, TypeKind::Ref, {nothing});
  type(stack, TypeKind::Stackref, {});
  named("uvm.meta.bytes", type(bytes, TypeKind::Hybrid, {i64, i8}));
  named("uvm.meta.bytes.r", type(bytesRef, TypeKind::Ref, {bytes}));
  named("uvm.meta.refs", type(refs, TypeKind::Hybrid, {i64, object}));
  named("uvm.meta.refs.r", type(refsRef, TypeKind::Ref, {refs}));
  SignatureDef* handler = builder.newSignature(trapHandler);
  const Id parameters[] = {stack, i32, object};
  handler->parameters = builder.uses<TypeDef>(std::span<const Id>(parameters));
  named("uvm.meta.trap_handler.sig", handler);

  // Lists that the metacircular builder takes.
  const Id ids = next++, idsRef = next++, words = next++, wordsRef = next++;
  named("uvm.irbuilder.ids", type(ids, TypeKind::Hybrid, {i64, i32}));
  named("uvm.irbuilder.ids.r", type(idsRef, TypeKind::Ref, {ids}));
  named("uvm.irbuilder.words", type(words, TypeKind::Hybrid, {i64, i64}));
  named("uvm.irbuilder.words.r", type(wordsRef, TypeKind::Ref, {words}));

  Diagnostics diagnostics;
  link(builder, diagnostics);
  GAUR_CHECK(!diagnostics.failed());
  publish(std::move(builder.bundle_));
}

}  // namespace gaur::ir
