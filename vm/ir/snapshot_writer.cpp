// Numbering of entities, and the writing of each kind. Lists are in the order of IDs, so that the bytes do
// not depend on the order in which the closure was found.
#include "vm/ir/snapshot_writer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

#include "vm/ir/snapshot_format.h"
#include "vm/ir/type_graph.h"
#include "vm/support/byte_stream.h"

namespace gaur::ir {

namespace {

using namespace snapshot;

/// A number for each of some IDs.
class NumberOfId {
 public:
  std::uint32_t operator[](Id id) const {
    std::size_t page = id / kPage;
    GAUR_CHECK(page < pages_.size() && pages_[page], "an entity is referred to that is not reachable");
    return (*pages_[page])[id % kPage];
  }
  void set(Id id, std::uint32_t number) {
    std::size_t page = id / kPage;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (!pages_[page]) pages_[page] = std::make_unique<std::array<std::uint32_t, kPage>>();
    (*pages_[page])[id % kPage] = number;
  }

 private:
  static constexpr std::size_t kPage = 1024;
  std::vector<std::unique_ptr<std::array<std::uint32_t, kPage>>> pages_;
};

template <class T>
std::vector<const T*> byId(std::span<const T* const> list) {
  std::vector<const T*> sorted(list.begin(), list.end());
  std::ranges::sort(sorted, {}, [](const T* entity) { return entity->id; });
  return sorted;
}

/// Those that are not current come first, so that publishing them in this order leaves the current ones
/// current.
std::vector<const FunctionVersion*> byAge(std::span<const FunctionVersion* const> list) {
  std::vector<const FunctionVersion*> sorted = byId(list);
  std::ranges::stable_partition(
      sorted, [](const FunctionVersion* version) { return version->function->current != version; });
  return sorted;
}

std::vector<Id> predefinedIds(const Reachable& reachable, EntityKind kind) {
  std::vector<Id> ids;
  for (const Entity* entity : reachable.predefined())
    if (entity->entityKind == kind) ids.push_back(entity->id);
  std::ranges::sort(ids);
  return ids;
}

class SnapshotWriter {
 public:
  explicit SnapshotWriter(const Reachable& reachable)
      : program_(reachable.program()),
        predefinedTypes_(predefinedIds(reachable, EntityKind::Type)),
        predefinedSignatures_(predefinedIds(reachable, EntityKind::Signature)),
        types_(byId(reachable.types())),
        signatures_(byId(reachable.signatures())),
        constants_(byId(reachable.constants())),
        globals_(byId(reachable.globals())),
        functions_(byId(reachable.functions())),
        exposed_(byId(reachable.exposed())),
        versions_(byAge(reachable.versions())) {
    number(predefinedTypes_, types_);
    number(predefinedSignatures_, signatures_);
    std::uint32_t value = 0;
    auto numberValues = [&](const auto& list) {
      for (const Value* entity : list) numbers_.set(entity->id, value++);
    };
    numberValues(constants_);
    numberValues(globals_);
    numberValues(functions_);
    numberValues(exposed_);
  }

  std::vector<std::byte> run() {
    Header header;
    header.nextId = program_.nextId();
    out_.word(header);
    writeTypeGraph(program_.types().graph());
    writeCounts();
    for (const TypeDef* type : types_) writeType(*type);
    for (const SignatureDef* signature : signatures_) writeSignature(*signature);
    for (const Constant* constant : constants_) writeConstant(*constant);
    for (const GlobalCell* global : globals_) writeGlobal(*global);
    for (const Function* function : functions_) writeFunction(*function);
    for (const ExposedFunction* exposed : exposed_) writeExposed(*exposed);
    for (const FunctionVersion* version : versions_) writeVersion(*version);
    writeNameHashes();
    header.topLevelSize = out_.size() - sizeof header;
    lastId_ = 0;
    for (const FunctionVersion* version : versions_) writeBody(*version);
    header.bodiesSize = out_.size() - sizeof header - header.topLevelSize;
    out_.wordAt(0, header);
    return out_.take();
  }

 private:
  template <class T>
  void number(const std::vector<Id>& predefined, const std::vector<const T*>& own) {
    std::uint32_t number = 0;
    for (Id id : predefined) numbers_.set(id, number++);
    for (const T* entity : own) numbers_.set(entity->id, number++);
  }

  // --- Parts ---------------------------------------------------------------------------------------
  void writeName(const Entity& entity) {
    out_.varint(std::uint64_t{entity.nameLength} << 1 | (entity.hasLocalName ? kLocalNameBit : 0));
    out_.raw(entity.name());
  }
  /// ID and name.
  void writeEntity(const Entity& entity) {
    out_.signedVarint(static_cast<std::int64_t>(entity.id) - static_cast<std::int64_t>(lastId_));
    lastId_ = entity.id;
    writeName(entity);
  }
  template <class T>
  void writeUse(const Use<T>& use) {
    out_.varint(numbers_[use.target->id]);
  }
  template <class T>
  void writeUses(std::span<Use<T>> uses) {
    out_.varint(uses.size());
    for (const Use<T>& use : uses) writeUse(use);
  }

  // --- Top level -----------------------------------------------------------------------------------
  void writeTypeGraph(const TypeGraph& graph);
  void writeCounts();
  void writeType(const TypeDef& type);
  void writeSignature(const SignatureDef& signature);
  void writeConstant(const Constant& constant);
  void writeGlobal(const GlobalCell& global);
  void writeFunction(const Function& function);
  void writeExposed(const ExposedFunction& exposed);
  void writeVersion(const FunctionVersion& version);

  void writeNameHashes();

  // --- Bodies --------------------------------------------------------------------------------------
  void writeBody(const FunctionVersion& version);
  void writeBlock(const BasicBlock& block);
  void writeInstruction(const Instruction& instruction);
  void writeFields(const Instruction& instruction, std::uint32_t fields);
  void writeValue(const ValueUse& use);
  void writeValues(std::span<ValueUse> values) {
    out_.varint(values.size());
    for (const ValueUse& value : values) writeValue(value);
  }
  std::uint32_t localNumber(const Value& value) const;

  const Program& program_;
  std::vector<Id> predefinedTypes_;
  std::vector<Id> predefinedSignatures_;
  std::vector<const TypeDef*> types_;
  std::vector<const SignatureDef*> signatures_;
  std::vector<const Constant*> constants_;
  std::vector<const GlobalCell*> globals_;
  std::vector<const Function*> functions_;
  std::vector<const ExposedFunction*> exposed_;
  std::vector<const FunctionVersion*> versions_;
  NumberOfId numbers_;

  ByteWriter out_;
  Id lastId_ = 0;
  /// Of the first result of each instruction of the block at work.
  std::unordered_map<const Instruction*, std::uint32_t> firstResult_;
  std::uint32_t localCount_ = 0;
};

// --- Top level -------------------------------------------------------------------------------------

void SnapshotWriter::writeTypeGraph(const TypeGraph& graph) {
  out_.varint(graph.nodes.size());
  for (std::size_t number = 0; number < graph.nodes.size(); ++number) {
    const TypeGraph::Node& node = graph.nodes[number];
    out_.byte(node.isSignature ? kSignatureTag : static_cast<std::uint8_t>(node.kind));
    out_.varint(node.isSignature ? node.parameterCount : node.length);
    out_.varint(node.childCount);
    for (std::uint32_t i = 0; i < node.childCount; ++i)
      out_.signedVarint(static_cast<std::int64_t>(number) - graph.children[node.firstChild + i]);
  }
}

void SnapshotWriter::writeCounts() {
  for (const auto* predefined : {&predefinedTypes_, &predefinedSignatures_}) {
    out_.varint(predefined->size());
    for (Id id : *predefined) out_.varint(id);
  }
  for (std::size_t size : {types_.size(), signatures_.size(), constants_.size(), globals_.size(),
                           functions_.size(), exposed_.size(), versions_.size()})
    out_.varint(size);
}

void SnapshotWriter::writeType(const TypeDef& type) {
  writeEntity(type);
  out_.byte(type.isAlias ? 1 : 0);
  if (type.isAlias) return writeUse(type.elements[0]);
  out_.varint(type.type->index);
  writeUses(type.elements);
  if (type.signature) writeUse(type.signature);
}

void SnapshotWriter::writeSignature(const SignatureDef& signature) {
  writeEntity(signature);
  out_.varint(signature.signature->index);
  writeUses(signature.parameters);
  writeUses(signature.results);
}

void SnapshotWriter::writeConstant(const Constant& constant) {
  writeEntity(constant);
  out_.byte(static_cast<std::uint8_t>(constant.kind));
  writeUse(constant.declaredType);
  switch (constant.kind) {
    case ConstantKind::Int:
      out_.varint(constant.words.size());
      for (std::uint64_t word : constant.words) out_.varint(word);
      return;
    case ConstantKind::Float: return out_.word(static_cast<std::uint32_t>(constant.words[0]));
    case ConstantKind::Double: return out_.word(constant.words[0]);
    case ConstantKind::Null: return;
    case ConstantKind::Sequence: return writeUses(constant.elements);
    case ConstantKind::Extern: return out_.text(constant.symbol);
  }
}

void SnapshotWriter::writeGlobal(const GlobalCell& global) {
  writeEntity(global);
  writeUse(global.cellType);
}

void SnapshotWriter::writeFunction(const Function& function) {
  writeEntity(function);
  writeUse(function.signature);
}

void SnapshotWriter::writeExposed(const ExposedFunction& exposed) {
  writeEntity(exposed);
  writeUse(exposed.function);
  out_.byte(static_cast<std::uint8_t>(exposed.convention));
  writeUse(exposed.cookie);
}

void SnapshotWriter::writeVersion(const FunctionVersion& version) {
  writeEntity(version);
  writeUse(version.function);
  out_.byte(version.signature ? 1 : 0);
  if (version.signature) writeUse(version.signature);
}

/// Of the local entities that have a global name of their own.
void SnapshotWriter::writeNameHashes() {
  std::vector<std::uint32_t> hashes;
  auto note = [&hashes](const Entity& entity) {
    if (entity.nameLength != 0 && !entity.hasLocalName) hashes.push_back(nameHash(entity.name()));
  };
  for (const FunctionVersion* version : versions_) {
    for (const Use<BasicBlock>& block : version->blocks) {
      note(*block.target);
      for (const Parameter& parameter : block->parameters) note(parameter);
      if (block->exceptionParameter) note(*block->exceptionParameter);
    }
    forEachInstruction(*version, [&](const Instruction& instruction) {
      note(instruction);
      for (const Result& result : instruction.results) note(result);
    });
  }
  std::ranges::sort(hashes);
  out_.varint(hashes.size() * sizeof hashes[0]);
  for (std::uint32_t hash : hashes) out_.word(hash);
}

// --- Bodies ----------------------------------------------------------------------------------------

void SnapshotWriter::writeBody(const FunctionVersion& version) {
  out_.varint(version.blocks.size());
  for (const Use<BasicBlock>& block : version.blocks) writeBlock(*block.target);
}

void SnapshotWriter::writeBlock(const BasicBlock& block) {
  writeEntity(block);
  out_.varint(block.parameters.size());
  for (const Parameter& parameter : block.parameters) {
    writeEntity(parameter);
    writeUse(parameter.declaredType);
  }
  out_.byte(block.exceptionParameter ? 1 : 0);
  if (block.exceptionParameter) writeEntity(*block.exceptionParameter);
  firstResult_.clear();
  localCount_ = static_cast<std::uint32_t>(block.parameters.size()) + (block.exceptionParameter ? 1 : 0);
  out_.varint(block.instructions.size());
  for (const Use<Instruction>& instruction : block.instructions) writeInstruction(*instruction.target);
}

void SnapshotWriter::writeInstruction(const Instruction& instruction) {
  writeEntity(instruction);
  if (!instruction.results.empty()) firstResult_.emplace(&instruction, localCount_);
  localCount_ += static_cast<std::uint32_t>(instruction.results.size());
  out_.byte(static_cast<std::uint8_t>(instruction.opcode));
  if (instruction.opcode == Opcode::CommInst) out_.varint(static_cast<std::uint64_t>(instruction.common));
  std::uint32_t fields = 0;
  auto note = [&fields](bool isPresent, Field field) {
    if (isPresent) fields |= field;
  };
  note(!instruction.types.empty(), kTypes);
  note(!instruction.operands.empty(), kOperands);
  note(instruction.operation != 0, kOperation);
  note(!instruction.sigs.empty(), kSignatures);
  note(!instruction.dests.empty(), kDests);
  note(instruction.immediate != 0, kImmediate);
  note(instruction.isPtr, kIsPtr);
  note(instruction.order != MemoryOrder::NotAtomic, kOrder);
  note(instruction.hasExc, kHasExc);
  note(!instruction.keepalives.empty(), kKeepalives);
  note(instruction.failureOrder != MemoryOrder::NotAtomic, kFailureOrder);
  note(instruction.isWeak, kIsWeak);
  note(instruction.status != 0, kStatus);
  note(instruction.convention != CallConv::Default, kConvention);
  note(instruction.hasThreadLocal, kHasThreadLocal);
  note(instruction.killOld, kKillOld);
  note(instruction.throwExc, kThrowExc);
  note(!instruction.flags.empty(), kFlags);
  out_.varint(fields);
  writeFields(instruction, fields);
}

void SnapshotWriter::writeFields(const Instruction& instruction, std::uint32_t fields) {
  if (fields & kTypes) writeUses(instruction.types);
  if (fields & kOperation) out_.byte(instruction.operation);
  if (fields & kSignatures) writeUses(instruction.sigs);
  if (fields & kImmediate) out_.varint(instruction.immediate);
  if (fields & kOrder) out_.byte(static_cast<std::uint8_t>(instruction.order));
  if (fields & kFailureOrder) out_.byte(static_cast<std::uint8_t>(instruction.failureOrder));
  if (fields & kStatus) out_.byte(instruction.status);
  if (fields & kConvention) out_.byte(static_cast<std::uint8_t>(instruction.convention));
  if (fields & kFlags) {
    out_.varint(instruction.flags.size());
    for (CallConv flag : instruction.flags) out_.byte(static_cast<std::uint8_t>(flag));
  }
  for (const Result& result : instruction.results) writeEntity(result);
  if (fields & kOperands) writeValues(instruction.operands);
  if (fields & kDests) {
    out_.varint(instruction.dests.size());
    for (const Use<Dest>& dest : instruction.dests) {
      out_.varint(dest->block->index);
      writeValues(dest->arguments);
    }
  }
  if (fields & kKeepalives) writeValues(instruction.keepalives);
}

void SnapshotWriter::writeValue(const ValueUse& use) {
  const Value& value = *use.target;
  if (value.isGlobalValue()) return out_.varint(std::uint64_t{numbers_[value.id]} << 1 | kGlobalValueBit);
  out_.varint(std::uint64_t{localCount_ - localNumber(value)} << 1);
}

std::uint32_t SnapshotWriter::localNumber(const Value& value) const {
  if (value.entityKind == EntityKind::Result) {
    const auto& result = static_cast<const Result&>(value);
    return firstResult_.at(result.instruction) + result.index;
  }
  const auto& parameter = static_cast<const Parameter&>(value);
  // The exceptional one comes after the others.
  if (&parameter == parameter.block->exceptionParameter)
    return static_cast<std::uint32_t>(parameter.block->parameters.size());
  return parameter.index;
}

}  // namespace

std::vector<std::byte> writeSnapshot(const Reachable& reachable) {
  GAUR_CHECK(reachable.isDrained());
  return SnapshotWriter(reachable).run();
}

}  // namespace gaur::ir
