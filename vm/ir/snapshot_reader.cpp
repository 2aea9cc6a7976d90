// The top level of a snapshot. Entities of a kind lie in one array, so that a number is an entity before it
// is read. What linking would guarantee is checked here; the verifier checks the rest.
#include "vm/ir/snapshot_reader.h"

#include <algorithm>

#include "vm/ir/snapshot_bodies.h"
#include "vm/ir/snapshot_format.h"
#include "vm/ir/type_graph.h"
#include "vm/ir/verifier.h"

namespace gaur::ir {

namespace {

using namespace snapshot;

Error damaged(std::string_view what) { return makeError(ErrorId::ImageIrDamaged, {what}); }

class SnapshotReader {
 public:
  SnapshotReader(Program& program, std::span<const std::byte> topLevel, std::span<const std::byte> bodies,
                 Id endOfIds)
      : program_(program), in_(topLevel, numbers_, endOfIds), bodies_(bodies), endOfIds_(endOfIds) {}

  gaur::Result<SnapshotIndex> run() {
    GAUR_TRY(readTypeGraph());
    GAUR_TRY(readPredefined(numbers_.types));
    GAUR_TRY(readPredefined(numbers_.signatures));
    makeEntities();
    readEntities();
    nameHashes_ = in_.bytes(in_.count());
    if (!in_.isAtEnd()) return damaged("its top level cannot be decoded");
    GAUR_TRY(checkTypes());
    for (GlobalCell* global : bundle_->globals) global->type = program_.types().iref(global->cellType->type);
    for (Function* function : bundle_->functions)
      function->type = program_.types().funcref(function->signature->signature);
    for (ExposedFunction* exposed : bundle_->exposed)
      exposed->type = program_.types().ufuncptr(exposed->function->signature->signature);
    for (Constant* constant : bundle_->constants) GAUR_TRY(checkConstant(*constant));
    Diagnostics diagnostics;
    verifyTopLevel(*bundle_, program_, diagnostics);
    if (diagnostics.failed()) return makeError(ErrorId::ImageIrInvalid, {diagnostics.list().front().message});
    return publish();
  }

 private:
  gaur::Result<void> readTypeGraph();
  template <class T>
  gaur::Result<void> readPredefined(std::vector<T*>& list);
  void makeEntities();
  template <class T>
  void make(std::vector<T*>& list);
  void readEntities();
  void readType(TypeDef& type);
  void readSignature(SignatureDef& signature);
  void readConstant(Constant& constant);
  void readVersion(FunctionVersion& version);
  gaur::Result<void> checkTypes();
  bool hasAliasCycle() const;
  static bool isAsDefined(const TypeDef& type);
  static bool isAsDefined(const SignatureDef& signature);
  gaur::Result<void> checkConstant(const Constant& constant);
  gaur::Result<SnapshotIndex> publish();

  Program& program_;
  std::unique_ptr<Bundle> bundle_ = std::make_unique<Bundle>("image");
  SnapshotNumbers numbers_;
  SnapshotCursor in_;
  std::span<const std::byte> nameHashes_;
  std::span<const std::byte> bodies_;
  Id endOfIds_;
  RestoredTypes restored_;
};

// --- Types -----------------------------------------------------------------------------------------

gaur::Result<void> SnapshotReader::readTypeGraph() {
  TypeGraph graph;
  graph.nodes.resize(in_.count());
  std::uint32_t number = 0;
  for (TypeGraph::Node& node : graph.nodes) {
    std::uint8_t tag = in_.byte();
    node.isSignature = tag == kSignatureTag;
    if (node.isSignature) {
      node.parameterCount = static_cast<std::uint32_t>(in_.below(graph.nodes.size() + in_.left() + 1));
    } else {
      if (tag > static_cast<std::uint8_t>(TypeKind::Irbuilderref))
        return damaged("there is no such kind of type");
      node.kind = static_cast<TypeKind>(tag);
      node.length = in_.varint();
    }
    node.firstChild = static_cast<std::uint32_t>(graph.children.size());
    node.childCount = static_cast<std::uint32_t>(in_.count());
    for (std::uint32_t i = 0; i < node.childCount; ++i)
      graph.children.push_back(static_cast<std::uint32_t>(number - in_.signedVarint()));
    ++number;
  }
  if (in_.failed()) return damaged("its types cannot be decoded");
  GAUR_TRY_ASSIGN(restored_, program_.types().restore(graph));
  return {};
}

template <class T>
gaur::Result<void> SnapshotReader::readPredefined(std::vector<T*>& list) {
  list.resize(in_.count());
  for (T*& entity : list) {
    Id id = static_cast<Id>(in_.below(kFirstClientId));
    entity = program_.entityOf<T>(id);
    if (!entity) return damaged("it refers to a predefined entity that does not exist");
  }
  return {};
}

// --- Entities --------------------------------------------------------------------------------------

template <class T>
void SnapshotReader::make(std::vector<T*>& list) {
  std::size_t count = in_.count();
  std::span<T> entities = bundle_->arena().makeArray<T>(count);
  list.reserve(count);
  for (T& entity : entities) {
    entity.entityKind = T::kKind;
    list.push_back(&entity);
  }
}

void SnapshotReader::makeEntities() {
  make(bundle_->types);
  make(bundle_->signatures);
  make(bundle_->constants);
  make(bundle_->globals);
  make(bundle_->functions);
  make(bundle_->exposed);
  make(bundle_->versions);
  auto number = [](auto& numbers, const auto& list) {
    numbers.insert(numbers.end(), list.begin(), list.end());
  };
  number(numbers_.types, bundle_->types);
  number(numbers_.signatures, bundle_->signatures);
  number(numbers_.values, bundle_->constants);
  number(numbers_.values, bundle_->globals);
  number(numbers_.values, bundle_->functions);
  number(numbers_.values, bundle_->exposed);
}

void SnapshotReader::readEntities() {
  for (TypeDef* type : bundle_->types) readType(*type);
  for (SignatureDef* signature : bundle_->signatures) readSignature(*signature);
  for (Constant* constant : bundle_->constants) readConstant(*constant);
  for (GlobalCell* global : bundle_->globals) {
    in_.entity(*global, EntityKind::Global);
    in_.use(global->cellType);
  }
  for (Function* function : bundle_->functions) {
    in_.entity(*function, EntityKind::Function);
    in_.use(function->signature);
  }
  for (ExposedFunction* exposed : bundle_->exposed) {
    in_.entity(*exposed, EntityKind::ExposedFunction);
    in_.value(exposed->function);
    exposed->convention = in_.convention();
    in_.value(exposed->cookie);
  }
  for (FunctionVersion* version : bundle_->versions) readVersion(*version);
}

void SnapshotReader::readType(TypeDef& type) {
  in_.entity(type, EntityKind::Type);
  type.isAlias = in_.below(2) != 0;
  if (type.isAlias) {
    type.elements = bundle_->arena().makeArray<TypeUse>(1);
    return in_.use(type.elements[0]);
  }
  std::size_t index = in_.below(restored_.types.size());
  if (in_.failed()) return;
  type.type = restored_.types[index];
  type.kind = type.type->kind;
  type.length = type.type->length;
  type.elements = in_.uses<TypeDef>(bundle_->arena());
  if (type.type->signature) in_.use(type.signature);
}

void SnapshotReader::readSignature(SignatureDef& signature) {
  in_.entity(signature, EntityKind::Signature);
  std::size_t index = in_.below(restored_.signatures.size());
  if (in_.failed()) return;
  signature.signature = restored_.signatures[index];
  signature.parameters = in_.uses<TypeDef>(bundle_->arena());
  signature.results = in_.uses<TypeDef>(bundle_->arena());
}

void SnapshotReader::readConstant(Constant& constant) {
  in_.entity(constant, EntityKind::Constant);
  constant.kind = static_cast<ConstantKind>(in_.below(static_cast<std::uint64_t>(ConstantKind::Extern) + 1));
  in_.use(constant.declaredType);
  Arena& arena = bundle_->arena();
  switch (constant.kind) {
    case ConstantKind::Int:
      constant.words = arena.makeArray<std::uint64_t>(in_.count());
      for (std::uint64_t& word : constant.words) word = in_.varint();
      return;
    case ConstantKind::Float:
      constant.words = arena.makeArray<std::uint64_t>(1);
      constant.words[0] = in_.word<std::uint32_t>();
      return;
    case ConstantKind::Double:
      constant.words = arena.makeArray<std::uint64_t>(1);
      constant.words[0] = in_.word<std::uint64_t>();
      return;
    case ConstantKind::Null: return;
    case ConstantKind::Sequence: constant.elements = in_.uses<Value>(arena); return;
    case ConstantKind::Extern: constant.symbol = in_.text(); return;
  }
}

void SnapshotReader::readVersion(FunctionVersion& version) {
  in_.entity(version, EntityKind::FunctionVersion);
  in_.value(version.function);
  if (in_.below(2) != 0) in_.use(version.signature);
  version.bundle = bundle_.get();
}

// --- Checks ----------------------------------------------------------------------------------------

/// The canonical type is that of the parts that the definition names.
bool SnapshotReader::isAsDefined(const TypeDef& type) {
  auto same = [](const TypeUse& use, const Type* element) { return use->type == element; };
  return std::ranges::equal(type.elements, type.type->elements, same) &&
         (!type.type->signature || type.signature->signature == type.type->signature);
}

bool SnapshotReader::isAsDefined(const SignatureDef& signature) {
  auto same = [](const TypeUse& use, const Type* type) { return use->type == type; };
  return std::ranges::equal(signature.parameters, signature.signature->parameters, same) &&
         std::ranges::equal(signature.results, signature.signature->results, same);
}

/// Gives the aliases their types. One that leads to itself is left without.
gaur::Result<void> SnapshotReader::checkTypes() {
  for (TypeDef* type : bundle_->types) {
    if (!type->isAlias || type->type) continue;
    const TypeDef* end = type;
    std::size_t steps = 0;
    while (end->isAlias && !end->type && steps++ < bundle_->types.size()) end = end->elements[0];
    if (!end->type) return damaged("a type is an alias of itself");
    for (TypeDef* alias = type; alias->isAlias && !alias->type; alias = alias->elements[0])
      alias->type = end->type;
  }
  for (const TypeDef* type : bundle_->types)
    if (!type->isAlias && !isAsDefined(*type)) return damaged("a type is not what its definition says");
  for (const SignatureDef* signature : bundle_->signatures)
    if (!isAsDefined(*signature)) return damaged("a signature is not what its definition says");
  for (Constant* constant : bundle_->constants) constant->type = constant->declaredType->type;
  for (const FunctionVersion* version : bundle_->versions)
    if (version->signature && version->signature->signature != version->function->signature->signature)
      return damaged("a version has another signature than its function");
  return {};
}

/// As many words as the type needs, and no bits beyond them.
gaur::Result<void> SnapshotReader::checkConstant(const Constant& constant) {
  if (constant.kind != ConstantKind::Int) return {};
  std::uint64_t bits = constant.type->is(TypeKind::Int) ? constant.type->length : 64;
  bool fits = constant.words.size() == bits / 64 + (bits % 64 != 0 ? 1 : 0);
  if (fits && bits % 64 != 0) fits = constant.words.back() >> (bits % 64) == 0;
  if (!fits) return damaged("a constant does not fit its type");
  return {};
}

gaur::Result<SnapshotIndex> SnapshotReader::publish() {
  SnapshotIndex index;
  index.types = std::move(restored_.types);
  index.signatures = std::move(restored_.signatures);
  index.typesAreIdentical = restored_.isIdentical;
  auto bodies = std::make_unique<SnapshotBodies>(program_, *bundle_, std::move(numbers_), nameHashes_,
                                                 bodies_, endOfIds_);
  GAUR_TRY_ASSIGN(index.bundle, program_.publishImage(std::move(bundle_), std::move(bodies), endOfIds_));
  return index;
}

}  // namespace

gaur::Result<SnapshotIndex> readSnapshot(Program& program, std::span<const std::byte> bytes) {
  std::lock_guard lock(program.loadMutex());
  if (program.bundles().size() != 1)
    return makeError(ErrorId::ImageIrLoaded, {program.bundles().back()->name()});
  Header header;
  if (bytes.size() < sizeof header) return damaged("it is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) return damaged("it does not begin as it should");
  if (header.fingerprint != kFingerprint) return makeError(ErrorId::ImageIrForeign);
  bytes = bytes.subspan(sizeof header);
  if (header.topLevelSize > bytes.size() || header.bodiesSize != bytes.size() - header.topLevelSize)
    return damaged("it is too short");
  if (header.nextId < kFirstClientId || header.nextId > std::numeric_limits<Id>::max())
    return damaged("its IDs are out of range");
  auto topLevel = bytes.first(static_cast<std::size_t>(header.topLevelSize));
  return SnapshotReader(program, topLevel, bytes.subspan(topLevel.size()), static_cast<Id>(header.nextId))
      .run();
}

}  // namespace gaur::ir
