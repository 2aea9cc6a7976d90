// The calls of MuIRBuilder that rebuild a bundle, as a client would make them: IDs first, definitions in any
// order. What becomes of a call is the sink's affair: text of a C program (builder_c.h), or the call itself
// (replay.h).
#pragma once

#include <cctype>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/mu/muapi.h"
#include "vm/ir/bundle.h"
#include "vm/ir/program.h"

namespace gaur::tool {

// --- Arguments of calls ------------------------------------------------------------------------------

/// An ID as the bundle's client knows it: a number of the sink's, from 1; 0 is MU_NO_ID.
struct Symbol {
  std::uint32_t number = 0;
};
using Symbols = std::vector<Symbol>;
/// A MU_* constant.
struct Flag {
  std::uint32_t value = 0;
  std::string word;
};
using Flags = std::vector<Flag>;
using Words = std::vector<std::uint64_t>;
/// Length of the lists before it.
struct Count {
  std::size_t number = 0;
};
struct FloatBits {
  std::uint32_t bits = 0;
};
struct DoubleBits {
  std::uint64_t bits = 0;
};

template <auto slot>
struct Slot {
  const char* name;
};
#define GAUR_SLOT(name) \
  Slot<&MuIRBuilder::name> { #name }

/// A sink has
///   Symbol symbol(const std::string& name)       a fresh ID, with a full name or "";
///   void begin(const std::string& title)         what follows belongs together: one function, say;
///   void call(Slot<...>, arguments...)           a call of the slot, with arguments of the types above,
///   integers
///                                                and const char*, in the order of the slot's parameters.
template <class Sink>
class BuilderCalls {
 public:
  BuilderCalls(const ir::Bundle& bundle, Sink& sink) : bundle_(bundle), sink_(sink) {
    for (const ir::TypeDef* def : bundle.types) defined_.insert(def);
    for (const ir::SignatureDef* def : bundle.signatures) defined_.insert(def);
    for (const ir::Constant* def : bundle.constants) defined_.insert(def);
  }

  void run() {
    sink_.begin("types, constants, cells and functions");
    for (const ir::TypeDef* def : bundle_.types) define(*def);
    for (const ir::SignatureDef* def : bundle_.signatures) define(*def);
    for (const ir::Constant* def : bundle_.constants) define(*def);
    for (const ir::GlobalCell* def : bundle_.globals)
      sink_.call(GAUR_SLOT(new_global_cell), of(*def), of(*def->cellType));
    for (const ir::Function* def : bundle_.functions)
      sink_.call(GAUR_SLOT(new_func), of(*def), of(*def->signature));
    for (const ir::ExposedFunction* def : bundle_.exposed)
      sink_.call(GAUR_SLOT(new_exp_func), of(*def), of(*def->function), flag(def->convention),
                 of(*def->cookie));
    for (const ir::FunctionVersion* version : bundle_.versions) define(*version);
    defineForeign();
  }

  /// The symbol of an entity, of the bundle or of what it refers to.
  Symbol of(const ir::Entity& entity) {
    auto [entry, isNew] = symbols_.try_emplace(&entity);
    if (!isNew) return entry->second;
    std::string name = isNameless_ && isLocal(entity) ? "" : ir::fullName(entity);
    // IDs go with names, so that of two entities with one name (a local defined twice) one has none.
    if (!name.empty() && !names_.insert(name).second) name.clear();
    if (name.empty()) noteForeign(entity);
    return entry->second = sink_.symbol(name.empty() ? name : "@" + name);
  }

 private:
  using I = const ir::Instruction&;

  static bool isLocal(const ir::Entity& entity) {
    switch (entity.entityKind) {
      case ir::EntityKind::FunctionVersion:
      case ir::EntityKind::BasicBlock:
      case ir::EntityKind::Parameter:
      case ir::EntityKind::Result:
      case ir::EntityKind::Instruction: return true;
      default: return false;
    }
  }

  Symbol fresh() { return sink_.symbol(""); }

  template <class T>
  Symbols all(std::span<const ir::Use<T>> uses) {
    Symbols list;
    for (const ir::Use<T>& use : uses) list.push_back(of(*use.target));
    return list;
  }
  template <class T>
  Symbols all(std::span<ir::Use<T>> uses) {
    return all(std::span<const ir::Use<T>>(uses));
  }
  static Count count(const auto& list) { return {list.size()}; }

  // --- Flags -----------------------------------------------------------------------------------------
  template <class E>
  static Flag flag(const char* family, E value, std::string_view text) {
    std::string word(family);
    for (char c : text)
      word += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return {static_cast<std::uint32_t>(value), word};
  }
  static Flag flag(ir::CallConv convention) { return flag("MU_CC_", convention, ir::text(convention)); }
  static Flag flag(ir::MemoryOrder order) { return flag("MU_ORD_", order, ir::text(order)); }
  static Flag flag(ir::CommonInst common) { return flag("MU_CI_", common, ir::info(common).text); }
  template <class E>
  static Flag operation(const char* family, I i) {
    return flag(family, i.operation, ir::text(static_cast<E>(i.operation)));
  }
  static Flag status(I i) {
    Flag all;
    for (ir::StatusFlag one : ir::kStatusFlags) {
      if ((i.status & static_cast<std::uint8_t>(one)) == 0) continue;
      all.value |= static_cast<std::uint32_t>(one);
      all.word += (all.word.empty() ? "MU_BOS_" : " | MU_BOS_") + std::string(ir::text(one));
    }
    return all;
  }

  // --- Types and signatures ----------------------------------------------------------------------------
  void define(const ir::TypeDef& def) {
    Symbol id = of(def);
    const ir::TypeDef* meant = &def;
    while (meant->isAlias) meant = meant->elements[0];
    Symbols parts = all(meant->elements);
    Symbol signature = meant->signature.target ? of(*meant->signature) : Symbol{};
    switch (meant->kind) {
      using enum ir::TypeKind;
      case Int: return sink_.call(GAUR_SLOT(new_type_int), id, meant->length);
      case Float: return sink_.call(GAUR_SLOT(new_type_float), id);
      case Double: return sink_.call(GAUR_SLOT(new_type_double), id);
      case Uptr: return sink_.call(GAUR_SLOT(new_type_uptr), id, parts[0]);
      case Ufuncptr: return sink_.call(GAUR_SLOT(new_type_ufuncptr), id, signature);
      case Struct: return sink_.call(GAUR_SLOT(new_type_struct), id, parts, count(parts));
      case Hybrid: {
        Symbol variable = parts.back();
        parts.pop_back();
        return sink_.call(GAUR_SLOT(new_type_hybrid), id, parts, count(parts), variable);
      }
      case Array: return sink_.call(GAUR_SLOT(new_type_array), id, parts[0], meant->length);
      case Vector: return sink_.call(GAUR_SLOT(new_type_vector), id, parts[0], meant->length);
      case Void: return sink_.call(GAUR_SLOT(new_type_void), id);
      case Ref: return sink_.call(GAUR_SLOT(new_type_ref), id, parts[0]);
      case Iref: return sink_.call(GAUR_SLOT(new_type_iref), id, parts[0]);
      case Weakref: return sink_.call(GAUR_SLOT(new_type_weakref), id, parts[0]);
      case Funcref: return sink_.call(GAUR_SLOT(new_type_funcref), id, signature);
      case Tagref64: return sink_.call(GAUR_SLOT(new_type_tagref64), id);
      case Threadref: return sink_.call(GAUR_SLOT(new_type_threadref), id);
      case Stackref: return sink_.call(GAUR_SLOT(new_type_stackref), id);
      case Framecursorref: return sink_.call(GAUR_SLOT(new_type_framecursorref), id);
      case Irbuilderref: return sink_.call(GAUR_SLOT(new_type_irbuilderref), id);
    }
  }

  void define(const ir::SignatureDef& def) {
    Symbols parameters = all(def.parameters), results = all(def.results);
    sink_.call(GAUR_SLOT(new_funcsig), of(def), parameters, count(parameters), results, count(results));
  }

  void define(const ir::Constant& def) {
    Symbol id = of(def), type = of(*def.declaredType);
    switch (def.kind) {
      case ir::ConstantKind::Int: {
        Words words(def.words.begin(), def.words.end());
        if (words.size() == 1) return sink_.call(GAUR_SLOT(new_const_int), id, type, words[0]);
        return sink_.call(GAUR_SLOT(new_const_int_ex), id, type, words, count(words));
      }
      case ir::ConstantKind::Float:
        return sink_.call(GAUR_SLOT(new_const_float), id, type,
                          FloatBits{static_cast<std::uint32_t>(def.words[0])});
      case ir::ConstantKind::Double:
        return sink_.call(GAUR_SLOT(new_const_double), id, type, DoubleBits{def.words[0]});
      case ir::ConstantKind::Null: return sink_.call(GAUR_SLOT(new_const_null), id, type);
      case ir::ConstantKind::Sequence: {
        Symbols elements = all(def.elements);
        return sink_.call(GAUR_SLOT(new_const_seq), id, type, elements, count(elements));
      }
      case ir::ConstantKind::Extern:
        return sink_.call(GAUR_SLOT(new_const_extern), id, type, std::string(def.symbol).c_str());
    }
  }

  /// What has no name and is not the bundle's own (the parts of the predefined types) is made again.
  void noteForeign(const ir::Entity& entity) {
    bool isDefinition = entity.entityKind == ir::EntityKind::Type ||
                        entity.entityKind == ir::EntityKind::Signature ||
                        entity.entityKind == ir::EntityKind::Constant;
    if (isDefinition && defined_.insert(&entity).second) foreign_.push_back(&entity);
  }

  void defineForeign() {
    sink_.begin("parts without a name of what was loaded before");
    for (std::size_t i = 0; i < foreign_.size(); ++i) {
      const ir::Entity& entity = *foreign_[i];
      if (entity.entityKind == ir::EntityKind::Type) define(static_cast<const ir::TypeDef&>(entity));
      if (entity.entityKind == ir::EntityKind::Signature)
        define(static_cast<const ir::SignatureDef&>(entity));
      if (entity.entityKind == ir::EntityKind::Constant) define(static_cast<const ir::Constant&>(entity));
    }
  }

  // --- Bodies ------------------------------------------------------------------------------------------
  /// Whether an older version of the function has this name, so that gen_sym would give its ID.
  static bool isNameLoaded(const ir::FunctionVersion& version) {
    for (const ir::FunctionVersion* older = version.previous.load(std::memory_order_acquire); older;
         older = older->previous.load(std::memory_order_acquire))
      if (ir::fullName(*older) == ir::fullName(version)) return true;
    return false;
  }

  void define(const ir::FunctionVersion& version) {
    Symbol function = of(*version.function);
    sink_.begin(ir::describe(*version.function));
    isNameless_ = isNameLoaded(version);
    Symbol id = of(version);
    for (const auto& block : version.blocks) of(*block);
    for (const auto& block : version.blocks) define(*block);
    Symbols blocks = all(version.blocks);
    sink_.call(GAUR_SLOT(new_func_ver), id, function, blocks, count(blocks));
    isNameless_ = false;
  }

  void define(const ir::BasicBlock& block) {
    Symbols parameters, types;
    for (const ir::Parameter& parameter : block.parameters) {
      parameters.push_back(of(parameter));
      types.push_back(of(*parameter.declaredType));
    }
    Symbol exception = block.exceptionParameter ? of(*block.exceptionParameter) : Symbol{};
    Symbols instructions = all(block.instructions);
    sink_.call(GAUR_SLOT(new_bb), of(block), parameters, types, count(parameters), exception, instructions,
               count(instructions));
    using Method = void (BuilderCalls::*)(I);
    static constexpr Method kMethods[] = {
#define GAUR_OPCODE(Name, Text, Flags) &BuilderCalls::make##Name,
#include "vm/ir/opcodes.def"
    };
    for (const auto& use : block.instructions) (this->*kMethods[static_cast<std::size_t>(use->opcode)])(*use);
  }

  // --- Parts of instructions -----------------------------------------------------------------------------
  Symbol type(I i, std::size_t n = 0) { return of(*i.types[n]); }
  Symbol sig(I i) { return of(*i.sigs[0]); }
  Symbol operand(I i, std::size_t n) { return of(*i.operands[n]); }
  Symbol result(I i, std::size_t n = 0) { return of(i.results[n]); }
  Symbols results(I i, std::size_t from = 0) {
    Symbols list;
    for (const ir::Result& result : i.results.subspan(from)) list.push_back(of(result));
    return list;
  }
  Symbols operandsFrom(I i, std::size_t from) { return all(i.operands.subspan(from)); }

  Symbol dest(I i, std::size_t n) {
    const ir::Dest& dest = *i.dests[n];
    Symbol id = fresh();
    Symbols arguments = all(dest.arguments);
    sink_.call(GAUR_SLOT(new_dest_clause), id, of(*dest.block), arguments, count(arguments));
    return id;
  }
  Symbol exc(I i) {
    if (!i.hasExc) return {};
    Symbol normal = dest(i, i.dests.size() - 2), exceptional = dest(i, i.dests.size() - 1), id = fresh();
    sink_.call(GAUR_SLOT(new_exc_clause), id, normal, exceptional);
    return id;
  }
  Symbol keepalive(I i) {
    if (i.keepalives.empty()) return {};
    Symbol id = fresh();
    Symbols values = all(i.keepalives);
    sink_.call(GAUR_SLOT(new_keepalive_clause), id, values, count(values));
    return id;
  }
  Symbol newStack(I i, std::size_t firstType, std::size_t firstValue) {
    Symbol id = fresh();
    Symbols values = operandsFrom(i, firstValue);
    if (i.throwExc) {
      sink_.call(GAUR_SLOT(new_nsc_throw_exc), id, values[0]);
    } else {
      sink_.call(GAUR_SLOT(new_nsc_pass_values), id, all(i.types.subspan(firstType)), values, count(values));
    }
    return id;
  }
  Symbol currentStack(I i) {
    Symbol id = fresh();
    if (i.killOld) {
      sink_.call(GAUR_SLOT(new_csc_kill_old), id);
    } else {
      Symbols types = all(i.types.first(i.immediate));
      sink_.call(GAUR_SLOT(new_csc_ret_with), id, types, count(types));
    }
    return id;
  }

  // --- Instructions; an opcode without a method does not compile -------------------------------------------
  void makeBinOp(I i) {
    Symbol exception = exc(i);
    Flag op = operation<ir::BinOperator>("MU_BINOP_", i);
    if (i.status == 0)
      return sink_.call(GAUR_SLOT(new_binop), of(i), result(i), op, type(i), operand(i, 0), operand(i, 1),
                        exception);
    Symbols flags = results(i, 1);
    sink_.call(GAUR_SLOT(new_binop_with_status), of(i), result(i), flags, count(flags), op, status(i),
               type(i), operand(i, 0), operand(i, 1), exception);
  }
  void makeCmp(I i) {
    sink_.call(GAUR_SLOT(new_cmp), of(i), result(i), operation<ir::CmpOperator>("MU_CMP_", i), type(i),
               operand(i, 0), operand(i, 1));
  }
  void makeConv(I i) {
    sink_.call(GAUR_SLOT(new_conv), of(i), result(i), operation<ir::ConvOperator>("MU_CONV_", i), type(i),
               type(i, 1), operand(i, 0));
  }
  void makeSelect(I i) {
    sink_.call(GAUR_SLOT(new_select), of(i), result(i), type(i), type(i, 1), operand(i, 0), operand(i, 1),
               operand(i, 2));
  }
  void makeBranch(I i) {
    Symbol target = dest(i, 0);
    sink_.call(GAUR_SLOT(new_branch), of(i), target);
  }
  void makeBranch2(I i) {
    Symbol ifTrue = dest(i, 0), ifFalse = dest(i, 1);
    sink_.call(GAUR_SLOT(new_branch2), of(i), operand(i, 0), ifTrue, ifFalse);
  }
  void makeSwitch(I i) {
    Symbols dests, cases = operandsFrom(i, 1);
    for (std::size_t n = 0; n < i.dests.size(); ++n) dests.push_back(dest(i, n));
    Symbol otherwise = dests.front();
    dests.erase(dests.begin());
    sink_.call(GAUR_SLOT(new_switch), of(i), type(i), operand(i, 0), otherwise, cases, dests, count(cases));
  }
  void makeCall(I i) {
    Symbol exception = exc(i), kept = keepalive(i);
    Symbols values = results(i), arguments = operandsFrom(i, 1);
    sink_.call(GAUR_SLOT(new_call), of(i), values, count(values), sig(i), operand(i, 0), arguments,
               count(arguments), exception, kept);
  }
  void makeTailCall(I i) {
    Symbols arguments = operandsFrom(i, 1);
    sink_.call(GAUR_SLOT(new_tailcall), of(i), sig(i), operand(i, 0), arguments, count(arguments));
  }
  void makeRet(I i) {
    Symbols values = operandsFrom(i, 0);
    sink_.call(GAUR_SLOT(new_ret), of(i), values, count(values));
  }
  void makeThrow(I i) { sink_.call(GAUR_SLOT(new_throw), of(i), operand(i, 0)); }
  void makeExtractValue(I i) {
    sink_.call(GAUR_SLOT(new_extractvalue), of(i), result(i), type(i), i.immediate, operand(i, 0));
  }
  void makeInsertValue(I i) {
    sink_.call(GAUR_SLOT(new_insertvalue), of(i), result(i), type(i), i.immediate, operand(i, 0),
               operand(i, 1));
  }
  void makeExtractElement(I i) {
    sink_.call(GAUR_SLOT(new_extractelement), of(i), result(i), type(i), type(i, 1), operand(i, 0),
               operand(i, 1));
  }
  void makeInsertElement(I i) {
    sink_.call(GAUR_SLOT(new_insertelement), of(i), result(i), type(i), type(i, 1), operand(i, 0),
               operand(i, 1), operand(i, 2));
  }
  void makeShuffleVector(I i) {
    sink_.call(GAUR_SLOT(new_shufflevector), of(i), result(i), type(i), type(i, 1), operand(i, 0),
               operand(i, 1), operand(i, 2));
  }
  void makeNew(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_new), of(i), result(i), type(i), exception);
  }
  void makeNewHybrid(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_newhybrid), of(i), result(i), type(i), type(i, 1), operand(i, 0), exception);
  }
  void makeAlloca(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_alloca), of(i), result(i), type(i), exception);
  }
  void makeAllocaHybrid(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_allocahybrid), of(i), result(i), type(i), type(i, 1), operand(i, 0), exception);
  }
  void makeGetIref(I i) { sink_.call(GAUR_SLOT(new_getiref), of(i), result(i), type(i), operand(i, 0)); }
  void makeGetFieldIref(I i) {
    sink_.call(GAUR_SLOT(new_getfieldiref), of(i), result(i), i.isPtr, type(i), i.immediate, operand(i, 0));
  }
  void makeGetElemIref(I i) {
    sink_.call(GAUR_SLOT(new_getelemiref), of(i), result(i), i.isPtr, type(i), type(i, 1), operand(i, 0),
               operand(i, 1));
  }
  void makeShiftIref(I i) {
    sink_.call(GAUR_SLOT(new_shiftiref), of(i), result(i), i.isPtr, type(i), type(i, 1), operand(i, 0),
               operand(i, 1));
  }
  void makeGetVarPartIref(I i) {
    sink_.call(GAUR_SLOT(new_getvarpartiref), of(i), result(i), i.isPtr, type(i), operand(i, 0));
  }
  void makeLoad(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_load), of(i), result(i), i.isPtr, flag(i.order), type(i), operand(i, 0),
               exception);
  }
  void makeStore(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_store), of(i), i.isPtr, flag(i.order), type(i), operand(i, 0), operand(i, 1),
               exception);
  }
  void makeCmpXchg(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_cmpxchg), of(i), result(i), result(i, 1), i.isPtr, i.isWeak, flag(i.order),
               flag(i.failureOrder), type(i), operand(i, 0), operand(i, 1), operand(i, 2), exception);
  }
  void makeAtomicRmw(I i) {
    Symbol exception = exc(i);
    sink_.call(GAUR_SLOT(new_atomicrmw), of(i), result(i), i.isPtr, flag(i.order),
               operation<ir::RmwOperator>("MU_ARMW_", i), type(i), operand(i, 0), operand(i, 1), exception);
  }
  void makeFence(I i) { sink_.call(GAUR_SLOT(new_fence), of(i), flag(i.order)); }
  void makeTrap(I i) {
    Symbol exception = exc(i), kept = keepalive(i);
    Symbols values = results(i);
    sink_.call(GAUR_SLOT(new_trap), of(i), values, all(i.types), count(values), exception, kept);
  }
  void makeWatchpoint(I i) {
    Symbol disabled = dest(i, 0), enabled = dest(i, 1);
    Symbol exceptional = i.hasExc ? dest(i, 2) : Symbol{}, kept = keepalive(i);
    Symbols values = results(i);
    sink_.call(GAUR_SLOT(new_watchpoint), of(i), i.immediate, values, all(i.types), count(values), disabled,
               enabled, exceptional, kept);
  }
  void makeWpBranch(I i) {
    Symbol disabled = dest(i, 0), enabled = dest(i, 1);
    sink_.call(GAUR_SLOT(new_wpbranch), of(i), i.immediate, disabled, enabled);
  }
  void makeCCall(I i) {
    Symbol exception = exc(i), kept = keepalive(i);
    Symbols values = results(i), arguments = operandsFrom(i, 1);
    sink_.call(GAUR_SLOT(new_ccall), of(i), values, count(values), flag(i.convention), type(i), sig(i),
               operand(i, 0), arguments, count(arguments), exception, kept);
  }
  void makeNewThread(I i) {
    std::size_t firstValue = i.hasThreadLocal ? 2 : 1;
    Symbol next = newStack(i, 0, firstValue), exception = exc(i);
    Symbol threadLocal = i.hasThreadLocal ? operand(i, 1) : Symbol{};
    sink_.call(GAUR_SLOT(new_newthread), of(i), result(i), operand(i, 0), threadLocal, next, exception);
  }
  void makeSwapStack(I i) {
    Symbol current = currentStack(i), next = newStack(i, i.immediate, 1), exception = exc(i),
           kept = keepalive(i);
    Symbols values = results(i);
    sink_.call(GAUR_SLOT(new_swapstack), of(i), values, count(values), operand(i, 0), current, next,
               exception, kept);
  }
  void makeCommInst(I i) {
    Symbol exception = exc(i), kept = keepalive(i);
    Flags flags;
    for (ir::CallConv one : i.flags) flags.push_back(flag(one));
    Symbols values = results(i), types = all(i.types), sigs = all(i.sigs), arguments = operandsFrom(i, 0);
    sink_.call(GAUR_SLOT(new_comminst), of(i), values, count(values), flag(i.common), flags, count(flags),
               types, count(types), sigs, count(sigs), arguments, count(arguments), exception, kept);
  }

  const ir::Bundle& bundle_;
  Sink& sink_;
  std::unordered_map<const ir::Entity*, Symbol> symbols_;
  std::unordered_set<std::string> names_;
  std::unordered_set<const ir::Entity*> defined_;
  std::vector<const ir::Entity*> foreign_;
  /// The local entities of the version that is being defined get no names.
  bool isNameless_ = false;
};
#undef GAUR_SLOT

}  // namespace gaur::tool
