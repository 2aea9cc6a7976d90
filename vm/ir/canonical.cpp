// The canonical text. Types are canonical objects after linking, so they are numbered by identity; constants
// are numbered by their contents.
#include "vm/ir/canonical.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <vector>

#include "vm/ir/literal.h"
#include "vm/ir/printer.h"
#include "vm/ir/program.h"

namespace gaur::ir {

namespace {

/// By name; what has none keeps its order, after the others.
template <class T>
std::vector<const T*> sortedByName(const std::vector<T*>& entities) {
  std::vector<const T*> sorted(entities.begin(), entities.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const T* a, const T* b) {
    if (a->name().empty() || b->name().empty()) return b->name().empty() && !a->name().empty();
    return a->name() < b->name();
  });
  return sorted;
}

/// Versions by the names of their functions.
std::vector<const FunctionVersion*> sortedVersions(const Bundle& bundle) {
  std::vector<const FunctionVersion*> sorted(bundle.versions.begin(), bundle.versions.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const FunctionVersion* a, const FunctionVersion* b) {
    return a->function->name() < b->function->name();
  });
  return sorted;
}

class CanonicalPrinter {
 public:
  explicit CanonicalPrinter(const Bundle& bundle) : bundle_(bundle) {
    numberNameless(bundle.globals);
    numberNameless(bundle.functions);
    numberNameless(bundle.exposed);
  }

  std::string text() {
    for (const GlobalCell* global : sortedByName(bundle_.globals)) {
      line("global " + nameOf(*global) + " " + type(global->cellType->type));
    }
    for (const Function* function : sortedByName(bundle_.functions))
      line("function " + nameOf(*function) + " " + signature(function->signature->signature));
    for (const ExposedFunction* exposed : sortedByName(bundle_.exposed)) {
      line("expose " + nameOf(*exposed) + " " + nameOf(*exposed->function) + " #" +
           std::string(ir::text(exposed->convention)) + " " + constant(*exposed->cookie));
    }
    for (const FunctionVersion* version : sortedVersions(bundle_)) body(*version);
    definitions();
    tables();
    return std::move(out_);
  }

  std::string names() {
    for (const FunctionVersion* version : sortedVersions(bundle_)) {
      std::string place = nameOf(*version->function);
      name(place, *version);
      for (const auto& block : version->blocks) namesIn(*block, place + " " + blockPlace(*block));
    }
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  // --- Top level -----------------------------------------------------------------------------------
  template <class T>
  void numberNameless(const std::vector<T*>& entities) {
    std::size_t number = 0;
    for (const T* entity : entities)
      if (entity->name().empty())
        nameless_.emplace(entity, std::string(ir::text(T::kKind)) + " " + std::to_string(number++));
  }

  std::string nameOf(const Entity& entity) const {
    auto found = nameless_.find(&entity);
    return found == nameless_.end() ? describe(entity) : "(" + found->second + ")";
  }

  void definitions() {
    for (const TypeDef* def : sortedByName(bundle_.types))
      if (isClients(*def)) line("typedef " + nameOf(*def) + " " + type(def->type));
    for (const SignatureDef* def : sortedByName(bundle_.signatures))
      if (isClients(*def)) line("funcsig " + nameOf(*def) + " " + signature(def->signature));
    for (const Constant* def : sortedByName(bundle_.constants))
      if (isClients(*def)) line("const " + nameOf(*def) + " " + constant(*def));
  }

  /// Has a name that is not of the printer's making.
  static bool isClients(const Entity& entity) {
    return !entity.name().empty() && !isGeneratedName(entity.entityKind, entity.name());
  }

  // --- Types and constants -------------------------------------------------------------------------
  std::string type(const Type* type) {
    auto [entry, isNew] = typeNumbers_.emplace(type, types_.size());
    if (isNew) types_.push_back(type);
    return "t" + std::to_string(entry->second);
  }

  std::string signature(const Signature* signature) {
    auto [entry, isNew] = signatureNumbers_.emplace(signature, signatures_.size());
    if (isNew) signatures_.push_back(signature);
    return "s" + std::to_string(entry->second);
  }

  /// In place; a list by the number of its contents.
  std::string constant(const Constant& constant) {
    std::string head = "<" + type(constant.type) + "> ";
    switch (constant.kind) {
      case ConstantKind::Int: {
        bool isInt = constant.type->is(TypeKind::Int);
        return head + integerLiteral(constant.words, isInt ? constant.type->length : 64);
      }
      case ConstantKind::Float:
        return head + "float bits " + std::to_string(static_cast<std::uint32_t>(constant.words[0]));
      case ConstantKind::Double: return head + "double bits " + std::to_string(constant.words[0]);
      case ConstantKind::Null: return head + "NULL";
      case ConstantKind::Extern: return head + "EXTERN " + std::string(constant.symbol);
      case ConstantKind::Sequence: break;
    }
    if (auto known = listOf_.find(&constant); known != listOf_.end()) return known->second;
    std::string list = head + "{";
    for (const ValueUse& element : constant.elements) list += " " + value(*element, nullptr);
    list += " }";
    auto [entry, isNew] = listNumbers_.emplace(list, lists_.size());
    if (isNew) lists_.push_back(list);
    return listOf_[&constant] = "c" + std::to_string(entry->second);
  }

  /// Each table may ask for more types and signatures, so it is complete when both lists are.
  void tables() {
    for (std::size_t i = 0; i < lists_.size(); ++i) line("c" + std::to_string(i) + " = " + lists_[i]);
    for (std::size_t t = 0, s = 0; t < types_.size() || s < signatures_.size();) {
      if (t < types_.size()) {
        line("t" + std::to_string(t) + " = " + constructor(*types_[t]));
        ++t;
      } else {
        std::string parts = list(signatures_[s]->parameters) + " ->" + list(signatures_[s]->results);
        line("s" + std::to_string(s) + " =" + parts);
        ++s;
      }
    }
  }

  std::string constructor(const Type& type) {
    std::string out(ir::text(type.kind));
    out += list(type.elements);
    if (type.signature) out += " " + signature(type.signature);
    return type.length == 0 ? out : out + " " + std::to_string(type.length);
  }

  std::string list(std::span<const Type* const> types) {
    std::string out = " (";
    for (const Type* one : types) out += (out.size() > 2 ? " " : "") + type(one);
    return out + ")";
  }

  // --- Bodies --------------------------------------------------------------------------------------
  static std::string blockPlace(const BasicBlock& block) { return "b" + std::to_string(block.index); }

  /// Numbers of the instructions, for the places of results.
  void number(const FunctionVersion& version) {
    instructionNumbers_.clear();
    for (const auto& block : version.blocks)
      for (std::size_t i = 0; i < block->instructions.size(); ++i)
        instructionNumbers_.emplace(block->instructions[i].target, i);
  }

  std::string value(const Value& value, const BasicBlock* here) {
    auto outside = [&](const BasicBlock* block) { return block == here ? "" : blockPlace(*block) + "."; };
    switch (value.entityKind) {
      case EntityKind::Constant: return constant(static_cast<const Constant&>(value));
      case EntityKind::Parameter: {
        const auto& parameter = static_cast<const Parameter&>(value);
        std::string place =
            &parameter == parameter.block->exceptionParameter ? "exc" : "p" + std::to_string(parameter.index);
        return outside(parameter.block) + place;
      }
      case EntityKind::Result: {
        const auto& result = static_cast<const Result&>(value);
        return outside(result.instruction->block) + "i" +
               std::to_string(instructionNumbers_[result.instruction]) + "." + std::to_string(result.index);
      }
      default: return nameOf(value);
    }
  }

  std::string values(std::span<const ValueUse> uses, const BasicBlock* here) {
    std::string out = " (";
    for (const ValueUse& use : uses) out += (out.size() > 2 ? " " : "") + value(*use, here);
    return out + ")";
  }

  void body(const FunctionVersion& version) {
    number(version);
    line("version of " + nameOf(*version.function));
    for (const auto& block : version.blocks) {
      out_ += " " + blockPlace(*block) + " (";
      for (const Parameter& parameter : block->parameters)
        out_ += (parameter.index == 0 ? "" : " ") + type(parameter.type);
      line(block->exceptionParameter ? ") exc" : ")");
      for (std::size_t i = 0; i < block->instructions.size(); ++i)
        line("  i" + std::to_string(i) + " " + instruction(*block->instructions[i]));
    }
  }

  /// Every part of the record, whatever the opcode.
  std::string instruction(const Instruction& i) {
    std::string out(info(i.opcode).name);
    out += " " + word(i) + " " + std::to_string(i.operation);
    out += " " + std::to_string(i.status) + " " + std::string(ir::text(i.order)) + " " +
           std::string(ir::text(i.failureOrder)) + " " + std::to_string(i.immediate);
    for (auto [isSet, flag] : {std::pair(i.isPtr, " PTR"), std::pair(i.isWeak, " WEAK"),
                               std::pair(i.hasExc, " EXC"), std::pair(i.hasThreadLocal, " THREADLOCAL"),
                               std::pair(i.killOld, " KILL_OLD"), std::pair(i.throwExc, " THROW_EXC")})
      if (isSet) out += flag;
    if (i.opcode == Opcode::CCall) out += " #" + std::string(ir::text(i.convention));
    for (CallConv flag : i.flags) out += " #" + std::string(ir::text(flag));
    for (const TypeUse& use : i.types) out += " " + type(use->type);
    for (const SigUse& use : i.sigs) out += " " + signature(use->signature);
    out += values(i.operands, i.block);
    for (const auto& dest : i.dests) out += " " + blockPlace(*dest->block) + values(dest->arguments, i.block);
    if (!i.keepalives.empty()) out += " KEEPALIVE" + values(i.keepalives, i.block);
    for (const Result& result : i.results) out += (result.index == 0 ? " -> " : " ") + type(result.type);
    return out;
  }

  // --- Names ---------------------------------------------------------------------------------------
  void name(const std::string& place, const Entity& entity) {
    if (entity.nameLength != 0) line(place + " = " + describe(entity));
  }

  void namesIn(const BasicBlock& block, const std::string& place) {
    name(place, block);
    for (const Parameter& parameter : block.parameters)
      name(place + " p" + std::to_string(parameter.index), parameter);
    if (block.exceptionParameter) name(place + " exc", *block.exceptionParameter);
    for (std::size_t i = 0; i < block.instructions.size(); ++i) {
      std::string instruction = place + " i" + std::to_string(i);
      name(instruction, *block.instructions[i]);
      for (const Result& result : block.instructions[i]->results)
        name(instruction + "." + std::to_string(result.index), result);
    }
  }

  const Bundle& bundle_;
  std::string out_;
  std::unordered_map<const Entity*, std::string> nameless_;
  std::unordered_map<const Type*, std::size_t> typeNumbers_;
  std::vector<const Type*> types_;
  std::unordered_map<const Signature*, std::size_t> signatureNumbers_;
  std::vector<const Signature*> signatures_;
  std::unordered_map<std::string, std::size_t> listNumbers_;
  std::unordered_map<const Constant*, std::string> listOf_;
  std::vector<std::string> lists_;
  std::unordered_map<const Instruction*, std::size_t> instructionNumbers_;
};

}  // namespace

std::string canonicalText(const Bundle& bundle) { return CanonicalPrinter(bundle).text(); }
std::string localNames(const Bundle& bundle) { return CanonicalPrinter(bundle).names(); }

}  // namespace gaur::ir
