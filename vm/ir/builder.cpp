// Recording of definitions. Nothing is checked here: clients define in any order, so all checking waits for
// finish().
#include "vm/ir/builder.h"

#include "vm/ir/linker.h"
#include "vm/ir/verifier.h"

namespace gaur::ir {

Builder::Builder(Program& program, std::string bundleName)
    : program_(program),
      name_(std::move(bundleName)),
      bundle_(std::make_unique<Bundle>(name_)),
      tables_(program.takeBuilderTables()) {}
Builder::~Builder() { program_.giveBack(std::move(tables_)); }

Id Builder::symbol(std::string_view name) {
  name = withoutSigil(name);
  auto [entry, isNew] = symbols_.insert(name, kNoId);
  if (!isNew) return entry->value;
  entry->name = arena().copy(name);
  Id id = loadedSymbol(name);
  if (id == kNoId) {
    id = fresh();
    symbolNames_.set(id, arena().make<std::string_view>(entry->name));
  }
  entry->value = id;
  return id;
}

/// Names of locals come one after the other, and looking for what is loaded under each of their prefixes is
/// the dear part.
Id Builder::loadedSymbol(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return program_.idOf(name);
  const std::string_view owner = name.substr(0, dot);
  if (owner == unknownOwner_) return program_.topLevelId(name);
  if (program_.mayHaveOwner(name)) return program_.idOf(name);
  unknownOwner_ = owner;
  return program_.topLevelId(name);
}

void Builder::define(Entity* entity) {
  if (entity->id == kNoId) return;
  if (Entity* first = definitions_.get(entity->id)) {
    duplicates_.push_back({first, entity});
    return;
  }
  definitions_.set(entity->id, entity);
  if (entity->nameLength != 0) return;
  if (std::string_view name = symbolName(entity->id); !name.empty()) {
    entity->nameText = name.data();
    entity->nameLength = static_cast<std::uint32_t>(name.size());
  }
}

void Builder::setName(Entity& entity, std::string_view name, bool isLocal) {
  std::string_view kept = arena().copy(withoutSigil(name));
  entity.nameText = kept.data();
  entity.nameLength = static_cast<std::uint32_t>(kept.size());
  entity.hasLocalName = isLocal;
}

template <class T>
T* Builder::make(Id id, SourcePos pos) {
  T* entity = arena().make<T>();
  entity->entityKind = T::kKind;
  entity->id = id;
  entity->pos = pos;
  define(entity);
  return entity;
}

TypeDef* Builder::newType(Id id, TypeKind kind, SourcePos pos) {
  auto* type = make<TypeDef>(id, pos);
  type->kind = kind;
  bundle_->types.push_back(type);
  return type;
}

SignatureDef* Builder::newSignature(Id id, SourcePos pos) {
  auto* signature = make<SignatureDef>(id, pos);
  bundle_->signatures.push_back(signature);
  return signature;
}

Constant* Builder::newConstant(Id id, ConstantKind kind, Id type, SourcePos pos) {
  auto* constant = make<Constant>(id, pos);
  constant->kind = kind;
  constant->declaredType.id = type;
  bundle_->constants.push_back(constant);
  return constant;
}

GlobalCell* Builder::newGlobal(Id id, Id type, SourcePos pos) {
  auto* global = make<GlobalCell>(id, pos);
  global->cellType.id = type;
  bundle_->globals.push_back(global);
  return global;
}

void Builder::declareFunction(Id id, SigUse signature, SourcePos pos) {
  // A declaration of something known is only a claim about it, which linking checks.
  if (definitions_.get(id) || program_.entity(id)) {
    declarations_.push_back({id, signature, pos});
    return;
  }
  newFunction(id, signature.id, pos)->signature = signature;
}

Function* Builder::newFunction(Id id, Id signature, SourcePos pos) {
  auto* function = make<Function>(id, pos);
  function->signature.id = signature;
  bundle_->functions.push_back(function);
  return function;
}

ExposedFunction* Builder::newExposed(Id id, Id function, CallConv convention, Id cookie, SourcePos pos) {
  auto* exposed = make<ExposedFunction>(id, pos);
  exposed->function.id = function;
  exposed->convention = convention;
  exposed->cookie.id = cookie;
  bundle_->exposed.push_back(exposed);
  return exposed;
}

FunctionVersion* Builder::newVersion(Id id, Id function, SourcePos pos) {
  auto* version = make<FunctionVersion>(id, pos);
  version->function.id = function;
  version->function.pos = pos;
  bundle_->versions.push_back(version);
  return version;
}

BasicBlock* Builder::newBlock(Id id, SourcePos pos) {
  auto* block = make<BasicBlock>(id, pos);
  blocks_.push_back(block);
  return block;
}

Instruction* Builder::newInstruction(Id id, Opcode opcode, SourcePos pos) {
  auto* instruction = make<Instruction>(id, pos);
  instruction->opcode = opcode;
  instructions_.push_back(instruction);
  return instruction;
}

Dest* Builder::newDest(Id id, SourcePos pos) { return make<Dest>(id, pos); }

ExcClause* Builder::newExcClause(Id id) { return make<ExcClause>(id, 0); }
KeepaliveClause* Builder::newKeepaliveClause(Id id) { return make<KeepaliveClause>(id, 0); }
CurStackClause* Builder::newCurStackClause(Id id) { return make<CurStackClause>(id, 0); }
NewStackClause* Builder::newNewStackClause(Id id) { return make<NewStackClause>(id, 0); }

std::span<Result> Builder::newResults(Instruction* instruction, std::span<const Id> ids,
                                      std::span<const SourcePos> positions) {
  instruction->results = arena().makeArray<Result>(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Result& result = instruction->results[i];
    result.entityKind = EntityKind::Result;
    result.id = ids[i] == kNoId ? fresh() : ids[i];
    result.pos = i < positions.size() ? positions[i] : instruction->pos;
    result.instruction = instruction;
    result.index = static_cast<std::uint32_t>(i);
    define(&result);
  }
  return instruction->results;
}

std::unique_ptr<Bundle> Builder::finish(Diagnostics& diagnostics) {
  link(*this, diagnostics);
  if (diagnostics.failed()) return nullptr;
  verify(*bundle_, program_, diagnostics);
  if (diagnostics.failed()) return nullptr;
  return std::move(bundle_);
}

}  // namespace gaur::ir
