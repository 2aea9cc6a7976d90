// The verifier's state and its rules as methods, shared by verifier.cpp (order of checking, blocks, scopes,
// clauses), verify_types.cpp (types, constants and what else stands outside functions) and
// verify_instructions*.cpp (one method an opcode). Private to them.
#pragma once

#include <initializer_list>
#include <vector>

#include "vm/ir/memory_rules.h"
#include "vm/ir/verifier.h"

namespace gaur::ir {

/// Limits that the specification leaves to the implementation.
inline constexpr std::uint64_t kMaxVectorLength = 4096;
/// Scalars in an SSA value.
inline constexpr std::uint64_t kMaxValueParts = 16384;
inline constexpr std::uint32_t kMaxTypeDepth = 256;
/// Warnings about accesses that disagree with their location; a program that has the habit has it everywhere.
inline constexpr std::size_t kMostDisagreements = 20;

/// The instructions of one block that have been passed already. Emptied in constant time, so that a block
/// costs no allocation.
class PassedInstructions {
 public:
  /// Forgets everything; room for `count`.
  void restart(std::size_t count);
  void insert(const Instruction* instruction);
  bool contains(const Instruction* instruction) const;

 private:
  struct Slot {
    const Instruction* instruction = nullptr;
    std::uint32_t round = 0;
  };
  std::size_t slotOf(const Instruction* instruction) const;

  std::vector<Slot> slots_;
  std::uint32_t round_ = 0;
};

class Verifier {
 public:
  Verifier(const Bundle& bundle, Program& program, Diagnostics& diagnostics);
  void runTopLevel();
  void runBodies();

 private:
  /// What the uniform record of an instruction must hold for its opcode.
  struct Shape {
    std::size_t types = 0;
    std::size_t signatures = 0;
    std::size_t operands = 0;
    std::size_t dests = 0;
  };
  static constexpr std::size_t kAny = static_cast<std::size_t>(-1);

  enum class DestRole : std::uint8_t {
    Plain,   // taken by the instruction itself; it has no results then
    Normal,  // after the instruction has given its results
    Exceptional,
    Disabled,  // of WATCHPOINT
  };

  using Arguments = std::initializer_list<std::string_view>;

  // --- Outside functions (verify_types.cpp) ------------------------------------------------------
  void checkType(const TypeDef& def);
  void checkStruct(const TypeDef& def);
  void checkArray(const TypeDef& def);
  void checkVector(const TypeDef& def);
  void checkHybrid(const TypeDef& def);
  void checkSignature(const SignatureDef& def);
  void checkConstant(const Constant& constant);
  void checkSequence(const Constant& constant);
  void checkExtern(const Constant& constant);
  void checkGlobal(const GlobalCell& global);
  void checkExposed(const ExposedFunction& exposed);

  // --- Functions (verifier.cpp) ------------------------------------------------------------------
  void checkVersion(const FunctionVersion& version);
  void checkEntry(const FunctionVersion& version);
  void checkBlock(const BasicBlock& block);
  void checkParameters(const BasicBlock& block);
  void checkInstruction(const Instruction& inst);
  void checkClauses(const Instruction& inst);
  void checkOperandScope(const ValueUse& use);
  void checkKeepalives(const Instruction& inst);
  void checkDests(const Instruction& inst);
  void checkDest(const Instruction& inst, const Use<Dest>& use, DestRole role);
  void checkArgumentScope(const Instruction& inst, const ValueUse& use, DestRole role);
  void checkLocal(const Value& value, SourcePos pos);
  void dispatch(const Instruction& inst);

  // --- One an opcode (verify_instructions*.cpp): a row of opcodes.def without its method does not link
#define GAUR_OPCODE(Name, Text, Flags) void check##Name(const Instruction& inst);
#include "vm/ir/opcodes.def"

  // --- Rules that several opcodes share ----------------------------------------------------------
  bool hasShape(const Instruction& inst, const Shape& shape);
  void checkStatus(const Instruction& inst);
  void checkConvTypes(const Instruction& inst, const Type* from, const Type* to);
  void checkArguments(const Instruction& inst);
  bool checkStructAccess(const Instruction& inst);
  bool checkElementAccess(const Instruction& inst);
  void checkIndex(const Instruction& inst);
  /// The operand of GETFIELDIREF and its like.
  void checkLocation(const Instruction& inst);
  /// That of LOAD and its like, where programs are known to disagree with themselves.
  void checkAccess(const Instruction& inst);
  bool checkLocationKind(const Instruction& inst);
  void checkPassedValues(const Instruction& inst, std::span<const TypeUse> types,
                         std::span<const ValueUse> values);
  void checkOrder(const Instruction& inst, MemoryOrder order, const OrderSet& legal, ErrorId error);
  void checkWatchpointId(const Instruction& inst);
  void checkResultTypes(const Instruction& inst, std::span<const TypeUse> types, ErrorId error);
  void checkCommonTypes(const Instruction& inst, const CommonInstInfo& row);

  // --- Questions ---------------------------------------------------------------------------------
  /// Scalars in a value of this type, saturating, how deep it nests, and whether it holds a weakref.
  struct Extent {
    std::uint64_t parts = 0;
    std::uint32_t depth = 0;
    bool isWeak = false;
  };
  Extent extentOf(const Type* type);
  void checkValueExtent(const Type* type, SourcePos pos);
  /// Void, hybrid, weakref or something with a weakref in it. Types that are wrong in themselves have been
  /// reported and may pass.
  bool isNoValue(const Type* type) {
    return !isSsa(type) && (!isComposite(type) || type->is(TypeKind::Hybrid) || extentOf(type).isWeak);
  }
  static bool isComposite(const Type* type) {
    return type->is(TypeKind::Struct) || type->is(TypeKind::Array) || type->is(TypeKind::Vector) ||
           type->is(TypeKind::Hybrid);
  }

  // --- Reporting ---------------------------------------------------------------------------------
  /// At `pos`, or where that is unknown, at the innermost entity under check.
  Diagnostic& error(ErrorId id, SourcePos pos, Arguments arguments = {});
  void complete(Diagnostic& diagnostic, SourcePos pos) const;
  /// Reports {expected, operand, its type} behind `first`.
  void operandError(ErrorId id, const ValueUse& use, const Type* expected);
  void operandError(ErrorId id, std::string_view first, const ValueUse& use, const Type* expected);
  static std::string nameOf(const Instruction& inst);

  const Bundle& bundle_;
  Program& program_;
  TypeTable& types_;
  Diagnostics& diagnostics_;

  const Entity* subject_ = nullptr;
  const FunctionVersion* version_ = nullptr;
  const BasicBlock* block_ = nullptr;
  const Instruction* current_ = nullptr;
  const Type* boolean_;
  const Type* cookieType_;

  PassedInstructions passed_;
  std::size_t disagreements_ = 0;
  std::vector<Extent> extents_;  // by Type::index; parts 0 = not known yet
  std::vector<std::pair<std::span<const std::uint64_t>, std::size_t>> caseValues_;
};

}  // namespace gaur::ir
