// Definitions, references and names of the printed text. The order of the text is canonical (types,
// signatures, constants, globals, functions; generated ones first in their kind), so that printing what was
// parsed from it gives the same text again.
#include "vm/ir/printer.h"

#include <algorithm>

#include "vm/ir/lexer.h"
#include "vm/ir/literal.h"
#include "vm/ir/text_printer.h"

namespace gaur::ir {

namespace {

/// Larger or deeper anonymous types get a name, so that shared parts are not written out again and again.
constexpr unsigned kMaxInlineSize = 24;
constexpr unsigned kMaxInlineDepth = 32;

bool hasUsableName(const Entity& entity) {
  std::string_view name = entity.name();
  return !name.empty() && std::all_of(name.begin(), name.end(), isNameCharacter);
}

/// A word that nothing else in the language can be, wherever a name may stand: it has a small letter, as no
/// word of an instruction or clause has, and is no type or number.
bool isPlainWord(std::string_view name) {
  auto isSmall = [](char c) { return c >= 'a' && c <= 'z'; };
  bool isWord = isSmall(name[0]) || (name[0] >= 'A' && name[0] <= 'Z') || name[0] == '_';
  if (!isWord || std::none_of(name.begin(), name.end(), isSmall)) return false;
  static constexpr std::string_view kOthers[] = {
#define GAUR_TYPE(Kind, Text, Properties) Text,
#include "vm/ir/types.def"
      "irnoderef", "nan", "inf", "bitsf", "bitsd"};
  return std::find(std::begin(kOthers), std::end(kOthers), name) == std::end(kOthers);
}

std::string_view stemOf(EntityKind kind) {
  switch (kind) {
    case EntityKind::Type: return "t.";
    case EntityKind::Signature: return "s.";
    case EntityKind::Constant: return "c.";
    case EntityKind::Global: return "g.";
    case EntityKind::Function: return "f.";
    case EntityKind::ExposedFunction: return "e.";
    default: return "x.";
  }
}

}  // namespace

bool isGeneratedName(EntityKind kind, std::string_view name) {
  std::string_view stem = stemOf(kind);
  if (!name.starts_with(stem) || name.size() == stem.size()) return false;
  return name.find_first_not_of("0123456789", stem.size()) == std::string_view::npos;
}

std::string print(const Bundle& bundle, const PrintOptions& options) {
  return TextPrinter(options).bundle(bundle);
}
std::string print(const FunctionVersion& version, const PrintOptions& options) {
  return TextPrinter(options).version(version);
}
std::string print(const Instruction& instruction, const PrintOptions& options) {
  return TextPrinter(options).instruction(instruction);
}

// --- Whole texts ---------------------------------------------------------------------------------

std::string TextPrinter::bundle(const Bundle& bundle) {
  bundle_ = &bundle;
  // Each section is printed apart: what it refers to without a name comes before it.
  auto section = [this](auto&& print) {
    out_.clear();
    print();
    return std::move(out_);
  };
  std::string types = section([&] {
    for (const TypeDef* def : bundle.types)
      if (hasUsableName(*def)) define(*def);
  });
  std::string signatures = section([&] {
    for (const SignatureDef* def : bundle.signatures)
      if (hasUsableName(*def)) define(*def);
  });
  std::string constants = section([&] {
    for (const Constant* constant : bundle.constants)
      if (hasUsableName(*constant)) define(*constant);
  });
  std::string rest = section([&] {
    for (const GlobalCell* global : bundle.globals) {
      out_ += ".global ";
      globalName(*global);
      out_ += " <";
      type(*global->cellType);
      out_ += ">\n";
    }
    std::unordered_set<const Function*> defined;
    for (const FunctionVersion* version : bundle.versions) defined.insert(version->function);
    for (const Function* function : bundle.functions) {
      if (defined.contains(function)) continue;
      out_ += ".funcdecl ";
      globalName(*function);
      out_ += " <";
      signature(*function->signature);
      out_ += ">\n";
    }
    for (const ExposedFunction* exposed : bundle.exposed) {
      out_ += ".expose ";
      globalName(*exposed);
      out_ += " = ";
      globalName(*exposed->function);
      out_ += " #";
      out_ += text(exposed->convention);
      out_ += ' ';
      value(*exposed->cookie);
      out_ += '\n';
    }
    for (const FunctionVersion* version : bundle.versions) functionDefinition(*version);
  });
  // Hoisted definitions ask for further ones; each list is complete when all have been printed.
  std::string moreTypes, moreSignatures, moreConstants;
  std::size_t t = 0, s = 0, c = 0;
  while (t < hoistedTypes_.size() || s < hoistedSignatures_.size() || c < hoistedConstants_.size()) {
    while (c < hoistedConstants_.size()) moreConstants += section([&] { define(*hoistedConstants_[c++]); });
    while (s < hoistedSignatures_.size())
      moreSignatures += section([&] { define(*hoistedSignatures_[s++]); });
    while (t < hoistedTypes_.size()) moreTypes += section([&] { define(*hoistedTypes_[t++]); });
  }
  return moreTypes + types + moreSignatures + signatures + moreConstants + constants + rest;
}

std::string TextPrinter::version(const FunctionVersion& version) {
  bundle_ = version.bundle;
  functionDefinition(version);
  std::string function = std::move(out_);
  out_.clear();
  std::size_t t = 0, s = 0, c = 0;
  while (t < hoistedTypes_.size() || s < hoistedSignatures_.size() || c < hoistedConstants_.size()) {
    while (c < hoistedConstants_.size()) define(*hoistedConstants_[c++]);
    while (s < hoistedSignatures_.size()) define(*hoistedSignatures_[s++]);
    while (t < hoistedTypes_.size()) define(*hoistedTypes_[t++]);
  }
  return out_ + function;
}

std::string TextPrinter::instruction(const Instruction& instruction) {
  options_.dialect = PrintOptions::Dialect::Muc;
  hasSigils_ = true;
  if (instruction.block) {
    if (instruction.block->version) {
      bundle_ = instruction.block->version->bundle;
      nameBlocks(*instruction.block->version);
    }
    nameLocals(*instruction.block);
  }
  line(instruction);
  return std::move(out_);
}

// --- Definitions ---------------------------------------------------------------------------------

void TextPrinter::define(const TypeDef& def) {
  out_ += ".typedef ";
  globalName(def);
  out_ += " = ";
  constructor(def);
  out_ += '\n';
}

void TextPrinter::define(const SignatureDef& def) {
  out_ += ".funcsig ";
  globalName(def);
  out_ += " = ";
  signatureParts(def);
  out_ += '\n';
}

void TextPrinter::define(const Constant& constant) {
  out_ += ".const ";
  globalName(constant);
  out_ += " <";
  type(*constant.declaredType);
  out_ += "> = ";
  constantValue(constant);
  out_ += '\n';
}

void TextPrinter::functionDefinition(const FunctionVersion& version) {
  nameBlocks(version);
  auto name = [&] {
    if (!hasUsableName(version) && !isSpec()) return;
    out_ += " VERSION ";
    if (!hasUsableName(version)) {
      out_ += "%v";
    } else if (version.hasLocalName) {
      sigiled('%', version.name());
    } else {
      out_ += '@';
      out_ += version.name();
    }
  };
  out_ += "\n.funcdef ";
  globalName(*version.function);
  if (isSpec()) name();
  out_ += " <";
  signature(version.signature ? *version.signature : *version.function->signature);
  out_ += '>';
  if (!isSpec()) name();
  out_ += " {\n";
  bool isFirst = true;
  for (const auto& use : version.blocks) {
    if (!isFirst) out_ += '\n';
    isFirst = false;
    block(*use);
  }
  out_ += "}\n";
  valueNames_.clear();
}

void TextPrinter::block(const BasicBlock& block) {
  nameLocals(block);
  out_ += "  ";
  localName(block);
  out_ += '(';
  for (const Parameter& parameter : block.parameters) {
    if (parameter.index != 0) out_ += ' ';
    out_ += '<';
    type(*parameter.declaredType);
    out_ += "> ";
    localName(parameter);
  }
  out_ += ')';
  if (block.exceptionParameter) {
    out_ += " [";
    localName(*block.exceptionParameter);
    out_ += ']';
  }
  out_ += ":\n";
  for (const auto& use : block.instructions) {
    out_ += "    ";
    line(*use);
    out_ += '\n';
  }
}

// --- Types and signatures ------------------------------------------------------------------------

void TextPrinter::type(const TypeDef& def) {
  if (isInline(def)) return constructor(def);
  globalName(def);
}

void TextPrinter::constructor(const TypeDef& def) {
  if (def.isAlias) return isSpec() ? constructor(*def.elements[0]) : type(*def.elements[0]);
  out_ += text(def.kind);
  bool hasLength = def.kind == TypeKind::Int || def.kind == TypeKind::Array || def.kind == TypeKind::Vector;
  bool isEmptyStruct = def.kind == TypeKind::Struct && def.elements.empty();
  if (!hasLength && !isEmptyStruct && def.elements.empty() && !def.signature) return;
  out_ += '<';
  bool isFirst = true;
  for (const TypeUse& element : def.elements) {
    if (!isFirst) out_ += ' ';
    isFirst = false;
    type(*element);
  }
  if (def.signature) signature(*def.signature);
  if (hasLength) {
    if (!isFirst) out_ += ' ';
    out_ += std::to_string(def.length);
  }
  out_ += '>';
}

void TextPrinter::signature(const SignatureDef& def) {
  if (isInline(def)) return signatureParts(def);
  globalName(def);
}

void TextPrinter::signatureParts(const SignatureDef& def) {
  auto list = [this](std::span<const TypeUse> uses) {
    out_ += '(';
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (i != 0) out_ += ' ';
      type(*uses[i]);
    }
    out_ += ')';
  };
  list(def.parameters);
  out_ += " -> ";
  list(def.results);
}

bool TextPrinter::isInline(const TypeDef& def) { return !hasUsableName(def) && !isSpec() && isSmall(def); }
bool TextPrinter::isInline(const SignatureDef& def) {
  return !hasUsableName(def) && !isSpec() && isSmall(def);
}

template <class Def>
bool TextPrinter::isSmall(const Def& def) {
  inlineSize(def);
  return inlineSizes_[&def] <= kMaxInlineSize;
}

template <class Def, class F>
unsigned TextPrinter::measure(const Def& def, F&& sizeOfParts) {
  constexpr unsigned kOpen = ~0u - 1, kRecursive = ~0u;
  if (hasUsableName(def)) return 1;
  auto [entry, isNew] = inlineSizes_.emplace(&def, kOpen);
  if (!isNew) {
    // Met while it is being measured, it contains itself.
    if (entry->second == kOpen) entry->second = kRecursive;
    return entry->second <= kMaxInlineSize ? entry->second : 1;
  }
  if (depth_ >= kMaxInlineDepth) return 1;
  ++depth_;
  unsigned size = 1 + sizeOfParts();
  --depth_;
  unsigned& stored = inlineSizes_[&def];
  if (stored == kOpen) stored = size;
  return stored <= kMaxInlineSize ? stored : 1;
}

unsigned TextPrinter::inlineSize(const TypeDef& def) {
  return measure(def, [&] {
    unsigned size = def.signature ? inlineSize(*def.signature) : 0;
    for (const TypeUse& element : def.elements) size += inlineSize(*element);
    return size;
  });
}

unsigned TextPrinter::inlineSize(const SignatureDef& def) {
  return measure(def, [&] {
    unsigned size = 0;
    for (const TypeUse& use : def.parameters) size += inlineSize(*use);
    for (const TypeUse& use : def.results) size += inlineSize(*use);
    return size;
  });
}

// --- Values --------------------------------------------------------------------------------------

bool TextPrinter::isInline(const Constant& constant) const {
  return !hasUsableName(constant) && !isSpec() && constant.kind != ConstantKind::Sequence;
}

void TextPrinter::constantValue(const Constant& constant) {
  switch (constant.kind) {
    case ConstantKind::Int: {
      bool isInt = constant.type && constant.type->is(TypeKind::Int);
      out_ += integerLiteral(constant.words, isInt ? constant.type->length : 64);
      return;
    }
    case ConstantKind::Float: out_ += floatLiteral(static_cast<std::uint32_t>(constant.words[0])); return;
    case ConstantKind::Double: out_ += doubleLiteral(constant.words[0]); return;
    case ConstantKind::Null: out_ += "NULL"; return;
    case ConstantKind::Extern:
      out_ += "EXTERN \"";
      out_ += constant.symbol;
      out_ += '"';
      return;
    case ConstantKind::Sequence:
      out_ += '{';
      for (const ValueUse& element : constant.elements) {
        out_ += ' ';
        value(*element);
      }
      out_ += " }";
      return;
  }
}

void TextPrinter::value(const Value& value) {
  if (!value.isGlobalValue()) return localName(value);
  if (value.entityKind == EntityKind::Constant) {
    const auto& constant = static_cast<const Constant&>(value);
    if (isInline(constant)) {
      out_ += '<';
      type(*constant.declaredType);
      out_ += "> ";
      return constantValue(constant);
    }
  }
  globalName(value);
}

// --- Names ---------------------------------------------------------------------------------------

void TextPrinter::collectNames() {
  takenGlobals_.insert(std::string_view());
  if (!bundle_) return;
  auto collect = [this](const auto& list) {
    for (const Entity* entity : list) takenGlobals_.insert(entity->name());
  };
  collect(bundle_->types);
  collect(bundle_->signatures);
  collect(bundle_->constants);
  collect(bundle_->globals);
  collect(bundle_->functions);
  collect(bundle_->exposed);
}

const std::string& TextPrinter::generatedGlobal(const Entity& entity) {
  auto [entry, isNew] = globalNames_.try_emplace(&entity);
  if (!isNew) return entry->second;
  if (takenGlobals_.empty()) collectNames();
  std::string_view stem = stemOf(entity.entityKind);
  do {
    entry->second = std::string(stem) + std::to_string(generated_[stem]++);
  } while (takenGlobals_.contains(entry->second));
  switch (entity.entityKind) {
    case EntityKind::Type: hoistedTypes_.push_back(static_cast<const TypeDef*>(&entity)); break;
    case EntityKind::Signature:
      hoistedSignatures_.push_back(static_cast<const SignatureDef*>(&entity));
      break;
    case EntityKind::Constant: hoistedConstants_.push_back(static_cast<const Constant*>(&entity)); break;
    default: break;
  }
  return entry->second;
}

void TextPrinter::sigiled(char sigil, std::string_view name) {
  if (hasSigils_ || !isPlainWord(name)) out_ += sigil;
  out_ += name;
}

void TextPrinter::globalName(const Entity& entity) {
  std::string_view name = hasUsableName(entity) ? entity.name() : std::string_view(generatedGlobal(entity));
  // A bare name is that of the local, if there is one.
  if (hasSigils_ || !valueNames_.find(name)) return sigiled('@', name);
  out_ += '@';
  out_ += name;
}

void TextPrinter::localName(const Entity& entity) {
  const auto& texts = entity.entityKind == EntityKind::BasicBlock ? blockTexts_ : valueTexts_;
  if (!texts.empty()) {
    if (auto found = texts.find(&entity); found != texts.end()) return sigiled('%', found->second);
  }
  if (entity.hasLocalName) return sigiled('%', entity.name());
  out_ += '@';
  out_ += entity.name();
}

bool TextPrinter::takeName(const Entity& entity, NameMap<const Entity*>& taken) {
  if (!hasUsableName(entity)) return false;
  return !entity.hasLocalName || taken.insert(entity.name(), &entity).second;
}

void TextPrinter::generateLocal(const Entity& entity, std::string_view stem, NameMap<const Entity*>& taken) {
  auto& texts = entity.entityKind == EntityKind::BasicBlock ? blockTexts_ : valueTexts_;
  std::size_t number = texts.size();
  std::string name;
  do {
    name = std::string(stem) + std::to_string(number++);
  } while (taken.find(name));
  nameTexts_.push_back(name);
  taken.insert(nameTexts_.back(), &entity);
  texts.emplace(&entity, std::move(name));
}

void TextPrinter::nameBlocks(const FunctionVersion& version) {
  blockNames_.clear();
  blockTexts_.clear();
  std::vector<const Entity*> nameless;
  for (const auto& use : version.blocks)
    if (!takeName(*use.target, blockNames_)) nameless.push_back(use.target);
  for (const Entity* block : nameless) generateLocal(*block, "b", blockNames_);
}

void TextPrinter::nameLocals(const BasicBlock& block) {
  valueNames_.clear();
  valueTexts_.clear();
  used_.clear();
  nameTexts_.clear();
  std::vector<const Entity*> nameless;
  auto use = [this](std::span<const ValueUse> values) {
    for (const ValueUse& value : values)
      if (value.target && value->nameLength == 0) used_.insert(value.target);
  };
  auto name = [&](const Entity& entity) {
    if (!takeName(entity, valueNames_)) nameless.push_back(&entity);
  };
  for (const Parameter& parameter : block.parameters) name(parameter);
  if (block.exceptionParameter) name(*block.exceptionParameter);
  for (const auto& instruction : block.instructions) {
    use(instruction->operands);
    use(instruction->keepalives);
    for (const auto& dest : instruction->dests) use(dest->arguments);
  }
  for (const auto& instruction : block.instructions) {
    if (hasUsableName(*instruction.target)) name(*instruction.target);
    auto isNeeded = [this](const Result& result) { return hasUsableName(result) || used_.contains(&result); };
    if (std::none_of(instruction->results.begin(), instruction->results.end(), isNeeded)) continue;
    for (const Result& result : instruction->results) name(result);
  }
  for (const Entity* entity : nameless) generateLocal(*entity, "v", valueNames_);
}

}  // namespace gaur::ir
