// What the results of each instruction are, from its types and signatures alone; and the patterns of
// common_insts.def.
#include <string>
#include <vector>

#include "vm/ir/linker.h"

namespace gaur::ir {

namespace {

/// How many types and signatures `results` looks at.
struct PartsNeeded {
  std::size_t types = 0;
  std::size_t sigs = 0;
};

PartsNeeded partsNeeded(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::BinOp:
    case Opcode::Cmp:
    case Opcode::ExtractValue:
    case Opcode::InsertValue:
    case Opcode::New:
    case Opcode::Alloca:
    case Opcode::GetIref:
    case Opcode::GetFieldIref:
    case Opcode::GetVarPartIref:
    case Opcode::Load:
    case Opcode::Store:
    case Opcode::CmpXchg:
    case Opcode::AtomicRmw:
    case Opcode::Switch: return {1, 0};
    case Opcode::Conv:
    case Opcode::Select:
    case Opcode::ExtractElement:
    case Opcode::InsertElement:
    case Opcode::ShuffleVector:
    case Opcode::NewHybrid:
    case Opcode::AllocaHybrid:
    case Opcode::GetElemIref:
    case Opcode::ShiftIref: return {2, 0};
    case Opcode::Call:
    case Opcode::TailCall: return {0, 1};
    case Opcode::CCall: return {1, 1};
    case Opcode::CommInst: return {info(instruction.common).types, info(instruction.common).sigs};
    case Opcode::SwapStack: return {instruction.immediate, 0};
    default: return {};
  }
}

class ResultTypes {
 public:
  ResultTypes(TypeTable& types, const Program& program, const Instruction& inst, Diagnostics& diagnostics,
              std::vector<const Type*>& out)
      : types_(types), program_(program), inst_(inst), diagnostics_(diagnostics), out_(out) {}

  bool infer() {
    PartsNeeded needed = partsNeeded(inst_);
    bool exact = inst_.opcode == Opcode::CommInst;
    bool enough = inst_.types.size() >= needed.types && inst_.sigs.size() >= needed.sigs;
    if (!enough || (exact && (inst_.types.size() != needed.types || inst_.sigs.size() != needed.sigs))) {
      report(ErrorId::InstructionParts,
             {word(inst_), std::to_string(needed.types), std::to_string(needed.sigs),
              std::to_string(inst_.types.size()), std::to_string(inst_.sigs.size())});
      return false;
    }
    return dispatch();
  }

 private:
  bool dispatch() {
    switch (inst_.opcode) {
      case Opcode::BinOp: return binOp();
      case Opcode::Cmp: return give(types_.booleanLike(inst_.type()));
      case Opcode::Conv:
      case Opcode::Select: return give(inst_.type(1));
      case Opcode::Call:
      case Opcode::CCall: return giveAll(inst_.signature()->results);
      case Opcode::ExtractValue: return extractValue();
      case Opcode::InsertValue:
      case Opcode::InsertElement: return give(inst_.type());
      case Opcode::ExtractElement:
        return element(TypeKind::Array, TypeKind::Vector, "arrays and vectors") && give(found_);
      case Opcode::ShuffleVector: return shuffleVector();
      case Opcode::New:
      case Opcode::NewHybrid: return give(types_.ref(inst_.type()));
      case Opcode::Alloca:
      case Opcode::AllocaHybrid:
      case Opcode::GetIref: return give(types_.iref(inst_.type()));
      case Opcode::GetFieldIref: return getFieldIref();
      case Opcode::GetElemIref:
        return element(TypeKind::Array, TypeKind::Vector, "arrays and vectors") && give(location(found_));
      case Opcode::ShiftIref: return give(location(inst_.type()));
      case Opcode::GetVarPartIref:
        return element(TypeKind::Hybrid, TypeKind::Hybrid, "hybrids") && give(location(found_));
      case Opcode::Load:
      case Opcode::AtomicRmw: return give(types_.strong(inst_.type()));
      case Opcode::CmpXchg: return give(types_.strong(inst_.type())) && give(types_.intType(1));
      case Opcode::Trap:
      case Opcode::Watchpoint: return giveTypes(inst_.types.size());
      case Opcode::SwapStack: return giveTypes(inst_.immediate);
      case Opcode::NewThread: return give(types_.get(TypeKind::Threadref));
      case Opcode::CommInst: return commInst();
      case Opcode::Branch:
      case Opcode::Branch2:
      case Opcode::Switch:
      case Opcode::TailCall:
      case Opcode::Ret:
      case Opcode::Throw:
      case Opcode::Store:
      case Opcode::Fence:
      case Opcode::WpBranch: return true;
    }
    GAUR_UNREACHABLE("no such opcode");
  }

  bool binOp() {
    give(inst_.type());
    for (StatusFlag flag : kStatusFlags)
      if (inst_.status & static_cast<std::uint8_t>(flag)) give(types_.intType(1));
    return true;
  }

  bool extractValue() {
    const Type* type = inst_.type();
    if (!type->is(TypeKind::Struct)) return notOfKind("structs");
    return field(type->elements) && give(found_);
  }

  bool getFieldIref() {
    const Type* type = inst_.type();
    if (type->is(TypeKind::Struct)) return field(type->elements) && give(location(found_));
    if (type->is(TypeKind::Hybrid)) return field(type->fixedFields()) && give(location(found_));
    return notOfKind("structs and hybrids");
  }

  bool shuffleVector() {
    if (!inst_.type(0)->is(TypeKind::Vector)) return notOfKind("vectors");
    if (!inst_.type(1)->is(TypeKind::Vector)) return notOfKind("vectors", 1);
    return give(types_.vectorOf(inst_.type(0)->element(), inst_.type(1)->length));
  }

  bool commInst() {
    const CommonInstInfo& row = info(inst_.common);
    if (row.results.empty()) return true;
    const Type* type = resolvePattern(types_, program_, inst_, row.results);
    // Only pointer(T0) depends on what T0 is.
    if (!type) return notOfKind("ref and iref types");
    return give(type);
  }

  bool field(std::span<const Type* const> fields) {
    if (inst_.immediate < fields.size()) {
      found_ = fields[inst_.immediate];
      return true;
    }
    report(ErrorId::FieldIndex,
           {toString(inst_.type()), std::to_string(fields.size()), std::to_string(inst_.immediate)});
    return false;
  }

  bool element(TypeKind one, TypeKind other, std::string_view wanted) {
    const Type* type = inst_.type();
    if (!type->is(one) && !type->is(other)) return notOfKind(wanted);
    found_ = type->elements.back();
    return true;
  }

  const Type* location(const Type* type) { return inst_.isPtr ? types_.uptr(type) : types_.iref(type); }

  bool give(const Type* type) {
    out_.push_back(type);
    return true;
  }
  bool giveAll(std::span<const Type* const> types) {
    out_.insert(out_.end(), types.begin(), types.end());
    return true;
  }
  bool giveTypes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) give(inst_.type(i));
    return true;
  }

  bool notOfKind(std::string_view wanted, std::size_t which = 0) {
    report(ErrorId::NotOfKind, {word(inst_), wanted, toString(inst_.type(which))}, which);
    return false;
  }

  void report(ErrorId id, std::initializer_list<std::string_view> arguments, std::size_t which = 0) {
    SourcePos pos =
        which < inst_.types.size() && inst_.types[which].pos != 0 ? inst_.types[which].pos : inst_.pos;
    diagnostics_.report(id, pos, arguments).subject = describe(inst_);
  }

  TypeTable& types_;
  const Program& program_;
  const Instruction& inst_;
  Diagnostics& diagnostics_;
  std::vector<const Type*>& out_;
  const Type* found_ = nullptr;
};

/// One type of a pattern, read from the front of `rest_`.
class PatternReader {
 public:
  PatternReader(TypeTable& types, const Program& program, const Instruction& inst, std::string_view pattern)
      : types_(types), program_(program), inst_(inst), rest_(pattern) {}

  const Type* type() {
    std::string_view name = readWord();
    if (name.starts_with('@')) {
      auto* definition = program_.entityOf<TypeDef>(program_.idOf(name));
      return definition ? definition->type : nullptr;
    }
    if (name == "T0") return inst_.types.empty() ? nullptr : inst_.type(0);
    if (name == "float") return types_.get(TypeKind::Float);
    if (name == "double") return types_.get(TypeKind::Double);
    if (name == "void") return types_.voidType();
    if (name == "tagref64") return types_.get(TypeKind::Tagref64);
    if (name == "stackref") return types_.get(TypeKind::Stackref);
    if (name == "framecursorref") return types_.get(TypeKind::Framecursorref);
    if (name == "irbuilderref") return types_.get(TypeKind::Irbuilderref);
    if (name == "pointer") return pointer();
    if (name == "int" && eat('<')) return integer();
    if ((name == "ref" || name == "iref") && eat('<')) {
      const Type* referent = type();
      if (!referent || !eat('>')) return nullptr;
      return name == "ref" ? types_.ref(referent) : types_.iref(referent);
    }
    if ((name == "funcref" || name == "ufuncptr") && eat('<')) {
      const Signature* signature = readSignature();
      if (!signature || !eat('>')) return nullptr;
      return name == "funcref" ? types_.funcref(signature) : types_.ufuncptr(signature);
    }
    return nullptr;
  }

 private:
  std::string_view readWord() {
    std::size_t end = std::min(rest_.find_first_of("<>() "), rest_.size());
    std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }

  bool eat(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  const Type* integer() {
    std::uint64_t bits = 0;
    for (char c : readWord()) bits = bits * 10 + static_cast<std::uint64_t>(c - '0');
    return types_.intType(bits);
  }

  const Type* pointer() {
    if (!eat('(')) return nullptr;
    const Type* of = type();
    if (!of || !(of->is(TypeKind::Ref) || of->is(TypeKind::Iref))) return nullptr;
    return types_.uptr(of->referent());
  }

  const Signature* readSignature() {
    std::string_view name = readWord();
    if (name == "S0") return inst_.sigs.empty() ? nullptr : inst_.signature();
    auto* definition = program_.entityOf<SignatureDef>(program_.idOf(name));
    return definition ? definition->signature : nullptr;
  }

  TypeTable& types_;
  const Program& program_;
  const Instruction& inst_;
  std::string_view rest_;
};

}  // namespace

bool inferResultTypes(TypeTable& types, const Program& program, const Instruction& instruction,
                      Diagnostics& diagnostics, std::vector<const Type*>& out) {
  return ResultTypes(types, program, instruction, diagnostics, out).infer();
}

const Type* resolvePattern(TypeTable& types, const Program& program, const Instruction& instruction,
                           std::string_view pattern) {
  return PatternReader(types, program, instruction, pattern).type();
}

}  // namespace gaur::ir
