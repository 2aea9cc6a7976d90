// The calls of an IR builder, as clients make them: through the slots of MuIRBuilder (api) or by
// @uvm.irbuilder.* (vm/runtime). Both have them from here, so both mean the same. What is wrong in a call by
// itself is found at once; everything else by Builder::finish.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vm/ir/builder.h"
#include "vm/support/result.h"

namespace gaur::ir {

// Parameters of calls, besides numbers. Which parameters a call has can be read from its method's type.

/// A number of the interface: an operator, a memory order, a common instruction, ...
using Number = std::uint32_t;
using IdList = std::span<const Id>;
/// Two lists of one length.
struct PairedIds {
  IdList first;
  IdList second;
};
using WordList = std::span<const std::uint64_t>;
/// Nothing stands for NULL.
using Text = std::optional<std::string_view>;

/// One builder of a client. Every call that defines something has the ID of it first. A wrong one is told by
/// end(), and told again by loading, which fails then. Used by one thread at a time.
class BuilderSession {
 public:
  BuilderSession(Program& program, std::string name, std::size_t errorLimit)
      : builder_(program, std::move(name)), diagnostics_(errorLimit) {
    builder_.useFullNames();
  }

  Builder& builder() { return builder_; }
  /// With what was wrong in calls.
  Diagnostics& diagnostics() { return diagnostics_; }

  /// Begins a call that defines `id`.
  void begin(Id id);
  /// The same for one that defines nothing.
  void begin() {
    problem_.reset();
    subject_ = kNoId;
  }
  /// What was wrong first in the call, if anything.
  std::optional<Error> end() { return std::exchange(problem_, std::nullopt); }
  /// Something is wrong in the call.
  void refuse(ErrorId id, std::initializer_list<std::string_view> arguments);

  /// A list that a client gives; empty, and refused, where it is none.
  template <class T>
  std::span<const T> list(const T* elements, std::uint64_t count) {
    if (count == 0) return {};
    if (isList(elements, count)) return {elements, static_cast<std::size_t>(count)};
    return {};
  }

  // --- Symbols (builder_session.cpp). All calls: builder_calls.def -----------------------------------
  /// A fresh ID, or the one that the name has already, in the program or here. An empty name is none.
  Id genSym(Text name);

  // --- Types and constants (builder_session.cpp) -----------------------------------------------------
  void newTypeInt(Id id, int bits);
  template <TypeKind kind>
  void newType(Id id) {
    builder_.newType(id, kind);
  }
  template <TypeKind kind>
  void newPointerType(Id id, Id referent) {
    newComposite(id, kind, {{referent}});
  }
  template <TypeKind kind>
  void newFunctionType(Id id, Id signature) {
    builder_.newType(id, kind)->signature.id = signature;
  }
  template <TypeKind kind>
  void newSequenceType(Id id, Id element, std::uint64_t length) {
    newComposite(id, kind, {{element}}, length);
  }
  void newTypeStruct(Id id, IdList fields) { newComposite(id, TypeKind::Struct, fields); }
  void newTypeHybrid(Id id, IdList fixed, Id variable);
  void newSignature(Id id, IdList parameters, IdList results);
  /// Bits above 64 are zero.
  void newConstInt(Id id, Id type, std::uint64_t value);
  void newConstIntWords(Id id, Id type, WordList words);
  void newConstFloat(Id id, Id type, float value);
  void newConstDouble(Id id, Id type, double value);
  void newConstNull(Id id, Id type) { builder_.newConstant(id, ConstantKind::Null, type); }
  void newConstSequence(Id id, Id type, IdList elements);
  void newConstExtern(Id id, Id type, Text symbol);

  // --- Cells, functions, clauses (builder_session.cpp) -----------------------------------------------
  void newGlobalCell(Id id, Id type) { builder_.newGlobal(id, type); }
  void newFunction(Id id, Id signature) { builder_.newFunction(id, signature); }
  void newExposed(Id id, Id function, Number convention, Id cookie);
  void newVersion(Id id, Id function, IdList blocks);
  /// Parameters: IDs and types. The exception parameter may be kNoId.
  void newBlock(Id id, PairedIds parameters, Id exceptionParameter, IdList instructions);
  void newDest(Id id, Id block, IdList arguments);
  void newExcClause(Id id, Id normal, Id exceptional);
  void newKeepaliveClause(Id id, IdList values);
  void newRetWith(Id id, IdList types);
  void newKillOld(Id id) { builder_.newCurStackClause(id)->killOld = true; }
  void newPassValues(Id id, PairedIds typesAndValues);
  void newThrowExc(Id id, Id exception);

  // --- Instructions (builder_session_instructions.cpp). A result of kNoId gets an ID of its own; clauses of
  // kNoId are none. -----------------------------------------------------------------------------------
  void newBinOp(Id id, Id result, Number op, Id type, Id lhs, Id rhs, Id exc);
  /// The results for flags in the order N, Z, C, V.
  void newBinOpWithStatus(Id id, Id result, IdList statusResults, Number op, Number flags, Id type, Id lhs,
                          Id rhs, Id exc);
  void newCmp(Id id, Id result, Number op, Id type, Id lhs, Id rhs);
  void newConv(Id id, Id result, Number op, Id from, Id to, Id value);
  void newSelect(Id id, Id result, Id conditionType, Id type, Id condition, Id ifTrue, Id ifFalse);
  void newBranch(Id id, Id dest);
  void newBranch2(Id id, Id condition, Id ifTrue, Id ifFalse);
  void newSwitch(Id id, Id type, Id value, Id defaultDest, PairedIds casesAndDests);
  void newCall(Id id, IdList results, Id signature, Id callee, IdList arguments, Id exc, Id keepalive);
  void newTailCall(Id id, Id signature, Id callee, IdList arguments);
  void newRet(Id id, IdList values);
  void newThrow(Id id, Id exception);
  void newExtractValue(Id id, Id result, Id type, int index, Id value);
  void newInsertValue(Id id, Id result, Id type, int index, Id value, Id field);
  void newExtractElement(Id id, Id result, Id type, Id indexType, Id value, Id index);
  void newInsertElement(Id id, Id result, Id type, Id indexType, Id value, Id index, Id element);
  void newShuffleVector(Id id, Id result, Id type, Id maskType, Id first, Id second, Id mask);
  template <Opcode opcode>
  void newAllocation(Id id, Id result, Id type, Id exc) {
    make(id, opcode, {.results = {{result}}, .types = {{type}}, .exc = exc});
  }
  template <Opcode opcode>
  void newHybridAllocation(Id id, Id result, Id type, Id lengthType, Id length, Id exc) {
    make(id, opcode,
         {.results = {{result}}, .types = {{type, lengthType}}, .operands = {{length}}, .exc = exc});
  }
  void newGetIref(Id id, Id result, Id type, Id ref);
  void newGetFieldIref(Id id, Id result, int isPtr, Id type, int index, Id location);
  template <Opcode opcode>
  void newIndexedIref(Id id, Id result, int isPtr, Id type, Id indexType, Id location, Id index) {
    make(id, opcode,
         {.results = {{result}},
          .types = {{type, indexType}},
          .operands = {{location, index}},
          .isPtr = isPtr});
  }
  void newGetVarPartIref(Id id, Id result, int isPtr, Id type, Id location);
  void newLoad(Id id, Id result, int isPtr, Number order, Id type, Id location, Id exc);
  void newStore(Id id, int isPtr, Number order, Id type, Id location, Id value, Id exc);
  void newCmpXchg(Id id, Id valueResult, Id successResult, int isPtr, int isWeak, Number successOrder,
                  Number failureOrder, Id type, Id location, Id expected, Id desired, Id exc);
  void newAtomicRmw(Id id, Id result, int isPtr, Number order, Number op, Id type, Id location, Id value,
                    Id exc);
  void newFence(Id id, Number order);
  void newTrap(Id id, PairedIds resultsAndTypes, Id exc, Id keepalive);
  void newWatchpoint(Id id, Number watchpoint, PairedIds resultsAndTypes, Id disabled, Id enabled,
                     Id exceptional, Id keepalive);
  void newWpBranch(Id id, Number watchpoint, Id disabled, Id enabled);
  void newCCall(Id id, IdList results, Number convention, Id calleeType, Id signature, Id callee,
                IdList arguments, Id exc, Id keepalive);
  void newNewThread(Id id, Id result, Id stack, Id threadLocal, Id newStack, Id exc);
  void newSwapStack(Id id, IdList results, Id stack, Id curStack, Id newStack, Id exc, Id keepalive);
  void newCommInst(Id id, IdList results, Number opcode, IdList flags, IdList types, IdList signatures,
                   IdList arguments, Id exc, Id keepalive);

 private:
  /// A list of IDs that is an argument of a call, or written in place: {{a, b}}. The latter lasts as long as
  /// the expression.
  struct Listed : IdList {
    Listed() = default;
    Listed(IdList list) : IdList(list) {}
    Listed(std::initializer_list<Id> list) : IdList(list.begin(), list.size()) {}
  };
  /// What most instructions consist of.
  struct Parts {
    Listed results = {};
    Listed types = {};
    Listed signatures = {};
    Listed operands = {};
    Listed dests = {};
    Id exc = kNoId;
    Id keepalive = kNoId;
    int isPtr = 0;
  };

  bool isList(const void* elements, std::uint64_t count);
  void newComposite(Id id, TypeKind kind, Listed elements, std::uint64_t length = 0);
  Instruction& make(Id id, Opcode opcode, const Parts& parts);
  /// `first`, then `rest`, until the next use of the same buffer.
  static IdList joined(std::vector<Id>& buffer, Id first, IdList rest);
  /// The operator and its like with this number. Where there is none it is refused, and what is made is never
  /// looked at, since loading fails before.
  template <class T>
  T numbered(std::optional<T> found, std::string_view what, Number number) {
    if (found) return *found;
    refuse(ErrorId::ApiOperation, {what, std::to_string(number)});
    return T{};
  }
  /// Only IDs of genSym can be defined.
  void checkId(Id id);
  MemoryOrder orderOf(Number number);
  CallConv conventionOf(Number number);
  std::uint32_t indexOf(int index);

  Builder builder_;
  Diagnostics diagnostics_;
  std::optional<Error> problem_;
  /// What the call defines.
  Id subject_ = kNoId;
  std::vector<Id> joinedOperands_, joinedOthers_;
};

}  // namespace gaur::ir
