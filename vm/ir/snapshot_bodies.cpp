// Function bodies out of a snapshot. An instruction's results get their types as in linking, from its own
// parts, so that no type of a value is taken from the bytes; then the verifier looks at everything.
#include "vm/ir/snapshot_bodies.h"

#include <array>

#include "vm/ir/linker.h"
#include "vm/ir/snapshot_format.h"
#include "vm/ir/verifier.h"

namespace gaur::ir {

namespace {

using namespace snapshot;

/// Which numbers of one family of operators.def are taken.
class Codes {
 public:
  constexpr Codes(std::initializer_list<unsigned> codes) {
    for (unsigned code : codes) known_[code] = true;
  }
  constexpr bool has(std::uint8_t code) const { return known_[code]; }

 private:
  std::array<bool, 256> known_{};
};

constexpr Codes kBinOperators = {
#define GAUR_BINOP(Name, Text, Code, Class) Code,
#include "vm/ir/operators.def"
};
constexpr Codes kCmpOperators = {
#define GAUR_CMPOP(Name, Text, Code, Class) Code,
#include "vm/ir/operators.def"
};
constexpr Codes kConvOperators = {
#define GAUR_CONVOP(Name, Text, Code) Code,
#include "vm/ir/operators.def"
};
constexpr Codes kRmwOperators = {
#define GAUR_RMWOP(Name, Text, Code) Code,
#include "vm/ir/operators.def"
};
constexpr Codes kOrders = {
#define GAUR_ORDER(Name, Text, Code) Code,
#include "vm/ir/operators.def"
};
constexpr Codes kConventions = {
#define GAUR_CALLCONV(Name, Text, Code) Code,
#include "vm/ir/operators.def"
};

bool isOperationOf(Opcode opcode, std::uint8_t operation) {
  switch (opcode) {
    case Opcode::BinOp: return kBinOperators.has(operation);
    case Opcode::Cmp: return kCmpOperators.has(operation);
    case Opcode::Conv: return kConvOperators.has(operation);
    case Opcode::AtomicRmw: return kRmwOperators.has(operation);
    default: return operation == 0;
  }
}

MemoryOrder readOrder(ByteReader& in) {
  std::uint8_t code = in.byte();
  if (!kOrders.has(code)) in.fail();
  return static_cast<MemoryOrder>(code);
}

}  // namespace

// --- Parts -----------------------------------------------------------------------------------------

void SnapshotCursor::entity(Entity& entity, EntityKind kind) {
  entity.entityKind = kind;
  std::int64_t id = static_cast<std::int64_t>(lastId_) + signedVarint();
  bool isLocal = kind >= EntityKind::BasicBlock;
  bool isPossible = (id >= kFirstClientId && id < endOfIds_) || (isLocal && id == kNoId);
  if (!isPossible) return fail();
  entity.id = lastId_ = static_cast<Id>(id);
  std::uint64_t length = varint();
  entity.hasLocalName = (length & kLocalNameBit) != 0;
  if (length >> 1 > left()) return fail();
  std::string_view name = raw(static_cast<std::size_t>(length >> 1));
  entity.nameText = name.data();
  entity.nameLength = static_cast<std::uint32_t>(name.size());
}

CallConv SnapshotCursor::convention() {
  std::uint8_t code = byte();
  if (!kConventions.has(code)) fail();
  return static_cast<CallConv>(code);
}

ValueUse SnapshotBodies::readValue() {
  std::uint64_t code = in_->varint();
  ValueUse use;
  if (code & kGlobalValueBit) {
    if (code >> 1 < numbers_.values.size()) use.target = numbers_.values[code >> 1];
  } else if (std::uint64_t distance = code >> 1; distance != 0 && distance <= locals_.size()) {
    use.target = locals_[locals_.size() - distance];
  }
  if (use.target) {
    use.id = use.target->id;
  } else {
    in_->fail();
  }
  return use;
}

std::span<ValueUse> SnapshotBodies::readValues() {
  auto values = arena().makeArray<ValueUse>(in_->count());
  for (ValueUse& value : values) value = readValue();
  return values;
}

void SnapshotBodies::readDest(Use<Dest>& use) {
  use.target = arena().make<Dest>();
  use->entityKind = EntityKind::DestClause;
  std::size_t block = static_cast<std::size_t>(in_->below(blocks_.size()));
  if (in_->failed()) return;
  use->block = {&blocks_[block], kNoId};
  use->arguments = readValues();
}

// --- Bodies ----------------------------------------------------------------------------------------

gaur::Result<void> SnapshotBodies::read() {
  gaur::Result<void> result = readAll();
  if (!result) drop();
  numbers_ = {};
  return result;
}

void SnapshotBodies::drop() {
  for (FunctionVersion* version : bundle_.versions) version->blocks = {};
}

bool SnapshotBodies::mayName(std::string_view name) const {
  std::uint32_t wanted = nameHash(name);
  std::size_t first = 0, count = nameHashes_.size() / sizeof wanted;
  while (count != 0) {
    std::uint32_t middle = 0;
    std::memcpy(&middle, nameHashes_.data() + (first + count / 2) * sizeof wanted, sizeof wanted);
    if (middle == wanted) return true;
    if (middle < wanted) first += count - count / 2;
    count /= 2;
  }
  return false;
}

gaur::Result<void> SnapshotBodies::readAll() {
  SnapshotCursor in(bytes_, numbers_, endOfIds_);
  in_ = &in;
  for (FunctionVersion* version : bundle_.versions) {
    readBody(*version);
    if (diagnostics_.failed()) break;
    if (in.failed()) return makeError(ErrorId::ImageIrDamaged, {"a function body cannot be decoded"});
  }
  if (!diagnostics_.failed()) {
    if (!in.isAtEnd())
      return makeError(ErrorId::ImageIrDamaged, {"something follows the last function body"});
    verifyBodies(bundle_, program_, diagnostics_);
  }
  if (!diagnostics_.failed()) return {};
  const Diagnostic* first = nullptr;
  for (const Diagnostic& diagnostic : diagnostics_.list())
    if (!first && diagnostic.severity == Severity::Error) first = &diagnostic;
  return makeError(ErrorId::ImageIrInvalid, {first->subject + ": " + first->message});
}

void SnapshotBodies::readBody(FunctionVersion& version) {
  blocks_ = arena().makeArray<BasicBlock>(in_->count());
  version.blocks = arena().makeArray<Use<BasicBlock>>(blocks_.size());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].version = &version;
    blocks_[i].index = static_cast<std::uint32_t>(i);
    version.blocks[i].target = &blocks_[i];
  }
  std::size_t instructions = 0;
  for (BasicBlock& block : blocks_) {
    readBlock(block);
    if (in_->failed() || diagnostics_.failed()) return;
    version.blocks[block.index].id = block.id;
    instructions += block.instructions.size();
  }
  version.instructionCount = static_cast<std::uint32_t>(instructions);
}

void SnapshotBodies::readBlock(BasicBlock& block) {
  in_->entity(block, EntityKind::BasicBlock);
  locals_.clear();
  block.parameters = arena().makeArray<Parameter>(in_->count());
  for (Parameter& parameter : block.parameters) {
    in_->entity(parameter, EntityKind::Parameter);
    in_->use(parameter.declaredType);
    if (in_->failed()) return;
    parameter.type = parameter.declaredType->type;
    parameter.block = &block;
    parameter.index = static_cast<std::uint32_t>(locals_.size());
    locals_.push_back(&parameter);
  }
  if (in_->below(2) != 0) {
    auto* exception = block.exceptionParameter = arena().make<Parameter>();
    in_->entity(*exception, EntityKind::Parameter);
    exception->type = program_.types().ref(program_.types().voidType());
    exception->block = &block;
    locals_.push_back(exception);
  }
  block.instructions = arena().makeArray<Use<Instruction>>(in_->count());
  auto instructions = arena().makeArray<Instruction>(block.instructions.size());
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    instructions[i].block = &block;
    readInstruction(instructions[i]);
    if (in_->failed() || diagnostics_.failed()) return;
    block.instructions[i] = {&instructions[i], instructions[i].id};
  }
}

void SnapshotBodies::readInstruction(Instruction& instruction) {
  in_->entity(instruction, EntityKind::Instruction);
  instruction.opcode = static_cast<Opcode>(in_->below(kOpcodeCount));
  if (instruction.opcode == Opcode::CommInst) {
    const CommonInstInfo* common = commonInst(static_cast<std::uint32_t>(in_->below(kFirstClientId)));
    if (!common) return in_->fail();
    instruction.common = common->id;
  }
  readFields(instruction);
}

/// Results stand before operands, since the arguments of the normal destination may be among them.
void SnapshotBodies::readFields(Instruction& instruction) {
  std::uint64_t fields = in_->below(std::uint64_t{kAllFields} + 1);
  if (fields & kTypes) instruction.types = in_->uses<TypeDef>(arena());
  if (fields & kOperation) instruction.operation = in_->byte();
  if (!isOperationOf(instruction.opcode, instruction.operation)) in_->fail();
  if (fields & kSignatures) instruction.sigs = in_->uses<SignatureDef>(arena());
  if (fields & kImmediate)
    instruction.immediate = static_cast<std::uint32_t>(in_->below(std::uint64_t{1} << 32));
  if (fields & kOrder) instruction.order = readOrder(*in_);
  if (fields & kFailureOrder) instruction.failureOrder = readOrder(*in_);
  if (fields & kStatus) instruction.status = in_->byte();
  if (fields & kConvention) instruction.convention = in_->convention();
  if (fields & kFlags) {
    instruction.flags = arena().makeArray<CallConv>(in_->count());
    for (CallConv& flag : instruction.flags) flag = in_->convention();
  }
  instruction.isPtr = fields & kIsPtr;
  instruction.isWeak = fields & kIsWeak;
  instruction.hasExc = fields & kHasExc;
  instruction.hasThreadLocal = fields & kHasThreadLocal;
  instruction.killOld = fields & kKillOld;
  instruction.throwExc = fields & kThrowExc;
  if (in_->failed()) return;
  readResults(instruction);
  if (in_->failed() || diagnostics_.failed()) return;
  if (fields & kOperands) instruction.operands = readValues();
  if (fields & kDests) {
    instruction.dests = arena().makeArray<Use<Dest>>(in_->count());
    for (Use<Dest>& dest : instruction.dests) readDest(dest);
  }
  if (fields & kKeepalives) instruction.keepalives = readValues();
}

void SnapshotBodies::readResults(Instruction& instruction) {
  resultTypes_.clear();
  if (!inferResultTypes(program_.types(), program_, instruction, diagnostics_, resultTypes_)) return;
  if (resultTypes_.size() > in_->left()) return in_->fail();
  instruction.results = arena().makeArray<Result>(resultTypes_.size());
  for (std::size_t i = 0; i < instruction.results.size(); ++i) {
    Result& result = instruction.results[i];
    in_->entity(result, EntityKind::Result);
    result.type = resultTypes_[i];
    result.instruction = &instruction;
    result.index = static_cast<std::uint32_t>(i);
    locals_.push_back(&result);
  }
}

}  // namespace gaur::ir
