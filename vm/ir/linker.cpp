// The stages of linking, in the order they need each other: types, top-level values, function bodies, types
// of results. A stage that needs canonical types is left out when types are wrong; everything else goes on,
// so that independent errors are all reported.
#include "vm/ir/linker.h"

#include <unordered_set>

#include "vm/ir/type_unifier.h"
#include "vm/support/near_name.h"

namespace gaur::ir {

namespace {

bool isValue(EntityKind kind) {
  switch (kind) {
    case EntityKind::Constant:
    case EntityKind::Global:
    case EntityKind::Function:
    case EntityKind::ExposedFunction:
    case EntityKind::Parameter:
    case EntityKind::Result: return true;
    default: return false;
  }
}

template <class T>
bool isA(const Entity& entity) {
  if constexpr (std::is_same_v<T, Value>) {
    return isValue(entity.entityKind);
  } else {
    return entity.entityKind == T::kKind;
  }
}

template <class T>
std::string_view wanted() {
  if constexpr (std::is_same_v<T, Value>) {
    return "value";
  } else {
    return text(T::kKind);
  }
}

std::string countOf(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

/// Widest integer whose constants are brought to full width; wider ones are left as written, since no
/// operation takes them.
constexpr std::uint64_t kWidestConstant = 65536;

}  // namespace

class Linker {
 public:
  Linker(Builder& builder, Diagnostics& diagnostics)
      : builder_(builder), program_(builder.program_), bundle_(*builder.bundle_), diagnostics_(diagnostics) {}

  void run() {
    checkDefinitions();
    linkTypes();
    resolveTopLevel();
    placeBodies();
    if (builder_.hasFullNames_) shortenNames();
    checkNames();
    for (Instruction* instruction : builder_.instructions_) resolveDests(*instruction);
    for (Instruction* instruction : builder_.instructions_) resolveInstruction(*instruction);
    if (!typesLinked_) return;
    checkSignatures();
    typeTopLevel();
    for (BasicBlock* block : builder_.blocks_) typeParameters(*block);
    if (diagnostics_.failed()) return;
    for (FunctionVersion* version : bundle_.versions)
      forEachInstruction(*version, [this](Instruction& instruction) { typeResults(instruction); });
  }

 private:
  // --- References ---
  template <class T>
  void resolve(Use<T>& use, const Entity& user) {
    if (use.target) return;
    SourcePos pos = use.pos != 0 ? use.pos : user.pos;
    if (use.id == kNoId) {
      report(ErrorId::LinkMissing, pos, user, {describe(user), wanted<T>()});
      return;
    }
    Entity* entity = builder_.definitions_.get(use.id);
    if (!entity) entity = program_.entity(use.id);
    // Another bundle may have brought what had no more than a name when this one asked for it.
    if (!entity) entity = program_.entity(program_.idOf(builder_.symbolName(use.id)));
    if (!entity) {
      reportUndefined(use.id, wanted<T>(), pos, user);
    } else if (!isA<T>(*entity)) {
      report(ErrorId::LinkWrongKind, pos, user, {describe(*entity), text(entity->entityKind), wanted<T>()});
    } else if (std::is_same_v<T, Value> && isLeftOut(*entity)) {
      report(ErrorId::LinkLeftOut, pos, user, {describe(*entity)});
    } else {
      use.target = static_cast<T*>(entity);
    }
  }
  template <class T>
  void resolveAll(std::span<Use<T>> uses, const Entity& user) {
    for (Use<T>& use : uses) resolve(use, user);
  }
  template <class T>
  void resolveIfGiven(Use<T>& use, const Entity& user) {
    if (use.id != kNoId) resolve(use, user);
  }

  // --- Stages ---
  void checkDefinitions();
  void shortenNames();
  void checkNames();
  void linkTypes();
  void resolveTopLevel();
  void placeBodies();
  void placeInstructions(BasicBlock& block);
  void leaveOutUnplaced();
  bool isLeftOut(const Entity& value) const;
  void resolveDests(Instruction& instruction);
  void takeClauses(Instruction& instruction);
  void resolveInstruction(Instruction& instruction);
  void checkSignatures();
  void typeTopLevel();
  void typeConstant(Constant& constant);
  void typeParameters(BasicBlock& block);
  void acceptReferenceType(Instruction& instruction);
  void typeResults(Instruction& instruction);

  template <class T>
  std::span<Use<T>> concatenate(std::span<Use<T>> first, std::span<const Use<T>> second) {
    auto all = builder_.arena().makeArray<Use<T>>(first.size() + second.size());
    std::copy(first.begin(), first.end(), all.begin());
    std::copy(second.begin(), second.end(), all.begin() + static_cast<std::ptrdiff_t>(first.size()));
    return all;
  }

  Diagnostic& report(ErrorId id, SourcePos pos, const Entity& subject,
                     std::initializer_list<std::string_view> arguments) {
    Diagnostic& diagnostic = diagnostics_.report(id, pos, arguments);
    diagnostic.subject = describe(subject);
    return diagnostic;
  }
  void reportUndefined(Id id, std::string_view wanted, SourcePos pos, const Entity& user);
  template <class F>
  void forEachTopLevel(F&& f);
  template <class F>
  void forEachLocal(F&& f);

  Builder& builder_;
  Program& program_;
  Bundle& bundle_;
  Diagnostics& diagnostics_;
  bool typesLinked_ = false;
  bool bodiesPlaced_ = false;
  std::unordered_set<Id> undefined_;
  std::vector<const Type*> resultTypes_;
};

template <class F>
void Linker::forEachTopLevel(F&& f) {
  for (auto* e : bundle_.types) f(*e);
  for (auto* e : bundle_.signatures) f(*e);
  for (auto* e : bundle_.constants) f(*e);
  for (auto* e : bundle_.globals) f(*e);
  for (auto* e : bundle_.functions) f(*e);
  for (auto* e : bundle_.exposed) f(*e);
}

template <class F>
void Linker::forEachLocal(F&& f) {
  for (auto* e : bundle_.versions) f(*e);
  for (BasicBlock* block : builder_.blocks_) {
    f(*block);
    for (Parameter& parameter : block->parameters) f(parameter);
    if (block->exceptionParameter) f(*block->exceptionParameter);
  }
  for (Instruction* instruction : builder_.instructions_) {
    f(*instruction);
    for (Result& result : instruction->results) f(result);
  }
}

void Linker::reportUndefined(Id id, std::string_view wanted, SourcePos pos, const Entity& user) {
  if (!undefined_.insert(id).second) return;
  std::string_view name = builder_.symbolName(id);
  std::string shown = name.empty() ? "#" + std::to_string(id) : "@" + std::string(name);
  Diagnostic& diagnostic = report(ErrorId::LinkUndefined, pos, user, {wanted, shown});
  constexpr std::size_t kHints = 20;  // looking for near names is slow
  if (name.empty() || undefined_.size() > kHints) return;
  NearName finder(name);
  for (const auto& symbol : builder_.symbols_.entries())
    if (builder_.definitions_.get(symbol.value)) finder.offer(symbol.name);
  program_.offerNames(finder);
  if (!finder.best().empty()) diagnostic.hint = "did you mean @" + finder.best() + "?";
}

// --- Definitions and names ---------------------------------------------------------------------------------

void Linker::checkDefinitions() {
  for (const auto& [first, second] : builder_.duplicates_) {
    Diagnostic& diagnostic = report(ErrorId::LinkRedefined, second->pos, *second, {describe(*first)});
    diagnostic.notes.push_back(
        {first->pos, "the first definition, a " + std::string(text(first->entityKind))});
  }
  auto checkLoaded = [this](const Entity& entity) {
    if (entity.id == kNoId || !program_.entity(entity.id)) return;
    report(ErrorId::LinkLoadedAlready, entity.pos, entity, {describe(*program_.entity(entity.id))});
  };
  forEachTopLevel(checkLoaded);
  forEachLocal(checkLoaded);
}

/// Full names that go on from those of their owners become local ones, as text has them: only top-level names
/// have to be looked up in a table.
void Linker::shortenNames() {
  auto shorten = [](Entity& entity, std::string_view owner) {
    std::string_view name = entity.name();
    bool goesOn = !owner.empty() && name.size() > owner.size() + 1 && name[owner.size()] == '.' &&
                  name.starts_with(owner);
    if (!goesOn || entity.hasLocalName) return;
    name.remove_prefix(owner.size() + 1);
    entity.nameText = name.data();
    entity.nameLength = static_cast<std::uint32_t>(name.size());
    entity.hasLocalName = true;
  };
  // What the names of an entity's parts begin with: a nameless one leaves it to its owner.
  auto nameOf = [](const Entity& entity, const std::string& owner) {
    return entity.nameLength == 0 ? owner : fullName(entity);
  };
  for (FunctionVersion* version : bundle_.versions) {
    if (!version->function.target) continue;
    const std::string ofFunction = fullName(*version->function.target);
    shorten(*version, ofFunction);
    const std::string ofVersion = nameOf(*version, ofFunction);
    for (const auto& block : version->blocks) {
      if (!block.target || block->version != version) continue;
      shorten(*block.target, ofVersion);
      const std::string ofBlock = nameOf(*block.target, ofVersion);
      for (Parameter& parameter : block->parameters) shorten(parameter, ofBlock);
      if (block->exceptionParameter) shorten(*block->exceptionParameter, ofBlock);
      for (const auto& instruction : block->instructions) {
        if (!instruction.target || instruction->block != block.target) continue;
        shorten(*instruction.target, ofBlock);
        for (Result& result : instruction->results) shorten(result, ofBlock);
      }
    }
  }
}

void Linker::checkNames() {
  std::unordered_map<std::string_view, const Entity*> names;
  auto check = [&](const Entity& entity) {
    if (entity.nameLength == 0 || entity.hasLocalName) return;
    auto [found, isNew] = names.emplace(entity.name(), &entity);
    if (!isNew && found->second->id == entity.id) return;  // reported as defined twice
    Id loaded = program_.idOf(entity.name());
    if (isNew && (loaded == kNoId || loaded == entity.id)) return;
    Diagnostic& diagnostic = report(ErrorId::LinkNameTaken, entity.pos, entity, {entity.name()});
    if (!isNew) diagnostic.notes.push_back({found->second->pos, "the other one"});
  };
  forEachTopLevel(check);
  forEachLocal(check);
}

// --- Types -------------------------------------------------------------------------------------------------

void Linker::linkTypes() {
  std::size_t errorsBefore = diagnostics_.errorTotal();
  for (TypeDef* type : bundle_.types) {
    resolveAll(type->elements, *type);
    bool hasSignature =
        !type->isAlias && (type->kind == TypeKind::Funcref || type->kind == TypeKind::Ufuncptr);
    if (hasSignature) resolve(type->signature, *type);
  }
  for (SignatureDef* signature : bundle_.signatures) {
    resolveAll(signature->parameters, *signature);
    resolveAll(signature->results, *signature);
  }
  if (diagnostics_.errorTotal() != errorsBefore) return;
  TypeUnifier(program_.types(), diagnostics_).run(bundle_);
  typesLinked_ = diagnostics_.errorTotal() == errorsBefore;
}

// --- Resolving ---------------------------------------------------------------------------------------------

void Linker::resolveTopLevel() {
  for (Constant* constant : bundle_.constants) {
    resolve(constant->declaredType, *constant);
    resolveAll(constant->elements, *constant);
  }
  for (GlobalCell* global : bundle_.globals) resolve(global->cellType, *global);
  for (Function* function : bundle_.functions) resolve(function->signature, *function);
  for (ExposedFunction* exposed : bundle_.exposed) {
    resolve(exposed->function, *exposed);
    resolve(exposed->cookie, *exposed);
  }
}

void Linker::placeBodies() {
  for (BasicBlock* block : builder_.blocks_) block->version = nullptr;
  for (Instruction* instruction : builder_.instructions_) instruction->block = nullptr;
  std::unordered_map<const Function*, const FunctionVersion*> versionOf;
  for (FunctionVersion* version : bundle_.versions) {
    version->bundle = &bundle_;
    resolve(version->function, *version);
    resolveIfGiven(version->signature, *version);
    if (const Function* function = version->function) {
      auto [found, isFirst] = versionOf.emplace(function, version);
      if (!isFirst) {
        Diagnostic& diagnostic = report(ErrorId::VersionTwice, version->pos, *version, {describe(*function)});
        diagnostic.notes.push_back({found->second->pos, "the first version"});
      }
    }
    version->instructionCount = 0;
    std::uint32_t index = 0;
    for (auto& use : version->blocks) {
      resolve(use, *version);
      if (!use.target) continue;
      BasicBlock& block = *use.target;
      if (block.version) {
        report(ErrorId::BlockPlacedTwice, use.pos != 0 ? use.pos : block.pos, *version, {describe(block)});
        continue;
      }
      block.version = version;
      block.index = index++;
      placeInstructions(block);
      version->instructionCount += static_cast<std::uint32_t>(block.instructions.size());
    }
  }
  leaveOutUnplaced();
}

/// Builders of clients make blocks and instructions that they never put anywhere, and that need not be right.
void Linker::leaveOutUnplaced() {
  for (BasicBlock* block : builder_.blocks_) {
    if (block->version) continue;
    for (const auto& use : block->instructions) {
      Entity* part = builder_.definitions_.get(use.id);
      if (!part || part->entityKind != EntityKind::Instruction) continue;
      auto* instruction = static_cast<Instruction*>(part);
      if (!instruction->block) instruction->block = block;
    }
  }
  auto leaveOut = [this](const Entity& entity, ErrorId warning) {
    diagnostics_.warn(warning, entity.pos, {describe(entity)}).subject = describe(entity);
    return true;
  };
  std::erase_if(builder_.instructions_, [&](const Instruction* instruction) {
    if (instruction->block && instruction->block->version) return false;
    return instruction->block || leaveOut(*instruction, ErrorId::InstructionUnplaced);
  });
  std::erase_if(builder_.blocks_, [&](const BasicBlock* block) {
    return !block->version && leaveOut(*block, ErrorId::BlockUnplaced);
  });
  bodiesPlaced_ = true;
}

void Linker::placeInstructions(BasicBlock& block) {
  std::uint32_t index = 0;
  for (Parameter& parameter : block.parameters) {
    parameter.block = &block;
    parameter.index = index++;
    resolve(parameter.declaredType, parameter);
  }
  if (block.exceptionParameter) block.exceptionParameter->block = &block;
  for (auto& use : block.instructions) {
    resolve(use, block);
    if (!use.target) continue;
    if (use->block) {
      report(ErrorId::InstructionPlacedTwice, use.pos != 0 ? use.pos : use->pos, block,
             {describe(*use.target)});
      continue;
    }
    use->block = &block;
  }
}

/// A parameter or result of what leaveOutUnplaced takes out.
bool Linker::isLeftOut(const Entity& value) const {
  if (!bodiesPlaced_) return false;
  const BasicBlock* block = nullptr;
  switch (value.entityKind) {
    case EntityKind::Parameter: block = static_cast<const Parameter&>(value).block; break;
    case EntityKind::Result: block = static_cast<const Result&>(value).instruction->block; break;
    default: return false;
  }
  return !block || !block->version;
}

void Linker::resolveDests(Instruction& instruction) {
  if (instruction.pending) takeClauses(instruction);
  for (auto& use : instruction.dests) {
    resolve(use, instruction);
    if (!use.target) continue;
    resolve(use->block, *use.target);
    resolveAll(use->arguments, *use.target);
  }
}

void Linker::takeClauses(Instruction& instruction) {
  PendingClauses& pending = *instruction.pending;
  resolveIfGiven(pending.exc, instruction);
  resolveIfGiven(pending.keepalive, instruction);
  const bool isSwap = instruction.opcode == Opcode::SwapStack;
  if (isSwap) resolve(pending.curStack, instruction);
  if (isSwap || instruction.opcode == Opcode::NewThread) resolve(pending.newStack, instruction);
  if (const ExcClause* exc = pending.exc) {
    const Use<Dest> both[] = {exc->normal, exc->exceptional};
    instruction.dests = concatenate<Dest>(instruction.dests, both);
    instruction.hasExc = true;
  }
  if (const KeepaliveClause* keepalive = pending.keepalive) {
    instruction.keepalives = concatenate<Value>(instruction.keepalives, keepalive->values);
  }
  if (const CurStackClause* current = pending.curStack) {
    instruction.killOld = current->killOld;
    instruction.types = concatenate<TypeDef>({}, current->types);
    instruction.immediate = static_cast<std::uint32_t>(current->types.size());
  }
  if (const NewStackClause* next = pending.newStack) {
    instruction.throwExc = next->throwExc;
    instruction.types = concatenate<TypeDef>(instruction.types, next->types);
    instruction.operands = concatenate<Value>(instruction.operands, next->values);
  }
  instruction.pending = nullptr;
}

void Linker::resolveInstruction(Instruction& instruction) {
  resolveAll(instruction.types, instruction);
  resolveAll(instruction.sigs, instruction);
  resolveAll(instruction.operands, instruction);
  resolveAll(instruction.keepalives, instruction);
}

// --- Types of values ---------------------------------------------------------------------------------------

void Linker::checkSignatures() {
  std::unordered_set<const Entity*> mismatched;
  for (auto& declaration : builder_.declarations_) {
    Entity* entity = builder_.definitions_.get(declaration.function);
    if (!entity) entity = program_.entity(declaration.function);
    GAUR_CHECK(entity);
    resolve(declaration.signature, *entity);
    if (entity->entityKind != EntityKind::Function) {
      report(ErrorId::LinkWrongKind, declaration.pos, *entity,
             {describe(*entity), text(entity->entityKind), "function"});
      continue;
    }
    const SignatureDef* have = static_cast<Function*>(entity)->signature;
    const SignatureDef* said = declaration.signature;
    if (!have || !said || have->signature == said->signature) continue;
    Diagnostic& diagnostic =
        report(ErrorId::DeclarationMismatch, declaration.pos, *entity,
               {describe(*entity), toString(said->signature), toString(have->signature)});
    mismatched.insert(entity);
    if (!program_.entity(declaration.function))
      diagnostic.notes.push_back({entity->pos, "the first declaration"});
  }
  for (FunctionVersion* version : bundle_.versions) {
    const SignatureDef* said = version->signature;
    const Function* function = version->function;
    // In text a definition is a declaration as well; one error is enough.
    if (!said || !function || !function->signature || mismatched.contains(function)) continue;
    if (said->signature == function->signature->signature) continue;
    report(ErrorId::VersionSignature, version->signature.pos != 0 ? version->signature.pos : version->pos,
           *version,
           {describe(*function), toString(said->signature), toString(function->signature->signature)});
  }
}

void Linker::typeTopLevel() {
  TypeTable& types = program_.types();
  for (Constant* constant : bundle_.constants) {
    if (!constant->declaredType) continue;
    constant->type = constant->declaredType->type;
    if (constant->kind == ConstantKind::Int) typeConstant(*constant);
  }
  for (GlobalCell* global : bundle_.globals)
    if (global->cellType) global->type = types.iref(global->cellType->type);
  for (Function* function : bundle_.functions)
    if (function->signature) function->type = types.funcref(function->signature->signature);
  for (ExposedFunction* exposed : bundle_.exposed) {
    if (exposed->function && exposed->function->signature)
      exposed->type = types.ufuncptr(exposed->function->signature->signature);
  }
}

/// Brings the words of an integer constant to the width of its type.
void Linker::typeConstant(Constant& constant) {
  const Type* type = constant.type;
  std::uint64_t bits = type->is(TypeKind::Int) ? type->length : 64;
  if (bits == 0 || bits > kWidestConstant) return;
  std::size_t wordCount = static_cast<std::size_t>((bits + 63) / 64);
  if (constant.words.size() < wordCount) {
    auto words = builder_.arena().makeArray<std::uint64_t>(wordCount);
    bool isNegative = !constant.words.empty() && (constant.words.back() >> 63) != 0;
    std::fill(words.begin(), words.end(), isNegative ? ~std::uint64_t{0} : 0);
    std::copy(constant.words.begin(), constant.words.end(), words.begin());
    constant.words = words;
  }
  constant.words = constant.words.first(wordCount);
  if (bits % 64 != 0) constant.words.back() &= (std::uint64_t{1} << (bits % 64)) - 1;
}

void Linker::typeParameters(BasicBlock& block) {
  for (Parameter& parameter : block.parameters)
    if (parameter.declaredType) parameter.type = parameter.declaredType->type;
  if (block.exceptionParameter)
    block.exceptionParameter->type = program_.types().ref(program_.types().voidType());
}

/// `GETIREF <ref<T>> r`, as one text-writing client has it, means `GETIREF <T> r`; r's type tells that this
/// is what was meant.
void Linker::acceptReferenceType(Instruction& instruction) {
  if (instruction.types.empty() || instruction.operands.empty()) return;
  const Type* written = instruction.type();
  if (!written->is(TypeKind::Ref) || instruction.operands[0]->type != written) return;
  const TypeDef* definition = instruction.types[0];
  while (definition->isAlias) definition = definition->elements[0];
  SourcePos pos = instruction.types[0].pos;
  instruction.types[0] = definition->elements[0];
  instruction.types[0].pos = pos;
}

void Linker::typeResults(Instruction& instruction) {
  if (instruction.opcode == Opcode::GetIref) acceptReferenceType(instruction);
  resultTypes_.clear();
  if (!inferResultTypes(program_.types(), program_, instruction, diagnostics_, resultTypes_)) return;
  if (instruction.results.empty() && !resultTypes_.empty()) {
    builder_.newResults(&instruction, std::vector<Id>(resultTypes_.size(), kNoId));
  }
  if (instruction.results.size() != resultTypes_.size()) {
    std::size_t written = instruction.results.size();
    report(ErrorId::ResultCount, instruction.pos, instruction,
           {word(instruction), countOf(resultTypes_.size(), "result"),
            std::to_string(written) + (written == 1 ? " is" : " are")});
    return;
  }
  for (std::size_t i = 0; i < resultTypes_.size(); ++i) instruction.results[i].type = resultTypes_[i];
}

void link(Builder& builder, Diagnostics& diagnostics) { Linker(builder, diagnostics).run(); }

}  // namespace gaur::ir
