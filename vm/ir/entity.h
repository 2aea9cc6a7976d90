// The entities of the IR: everything that has an ID. They live in the arena of their bundle, refer to each
// other by Use, and do not change after their bundle is linked, except Function::current.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "vm/ir/opcode.h"
#include "vm/ir/type.h"
#include "vm/support/ids.h"

namespace gaur::ir {

enum class EntityKind : std::uint8_t {
  Type,
  Signature,
  Constant,
  Global,
  Function,
  FunctionVersion,
  ExposedFunction,
  BasicBlock,
  Parameter,
  Result,
  Instruction,
  // Only the builder API names these:
  DestClause,
  ExcClause,
  KeepaliveClause,
  CurStackClause,
  NewStackClause,
};
/// "type", "function version", ... for messages.
std::string_view text(EntityKind kind);

struct Entity {
  EntityKind entityKind;
  /// The name is local: the full name is that of the owner (block, version or function), a dot, and this
  /// (map, NM-pfx).
  bool hasLocalName = false;
  Id id = kNoId;
  SourcePos pos = 0;
  std::uint32_t nameLength = 0;
  const char* nameText = nullptr;

  /// Own part of the name, without sigil; empty where there is none.
  std::string_view name() const { return {nameText, nameLength}; }
};

/// A reference from one entity to another. Made with the ID alone, since clients refer before they define;
/// linking sets the target.
template <class T>
struct Use {
  T* target = nullptr;
  Id id = kNoId;
  SourcePos pos = 0;

  T* operator->() const { return target; }
  operator T*() const { return target; }
};

struct TypeDef : Entity {
  static constexpr EntityKind kKind = EntityKind::Type;
  /// As defined; `elements` as in Type. An alias has `isAlias` and one element.
  TypeKind kind = TypeKind::Void;
  bool isAlias = false;
  std::uint64_t length = 0;
  std::span<Use<TypeDef>> elements;
  Use<struct SignatureDef> signature;
  /// Canonical type, set by linking.
  const Type* type = nullptr;
};

struct SignatureDef : Entity {
  static constexpr EntityKind kKind = EntityKind::Signature;
  std::span<Use<TypeDef>> parameters;
  std::span<Use<TypeDef>> results;
  const Signature* signature = nullptr;
};

using TypeUse = Use<TypeDef>;
using SigUse = Use<SignatureDef>;

/// What an operand can refer to.
struct Value : Entity {
  /// Canonical type of the value, set by linking.
  const Type* type = nullptr;

  bool isGlobalValue() const {
    return entityKind == EntityKind::Constant || entityKind == EntityKind::Global ||
           entityKind == EntityKind::Function || entityKind == EntityKind::ExposedFunction;
  }
};
using ValueUse = Use<Value>;

enum class ConstantKind : std::uint8_t { Int, Float, Double, Null, Sequence, Extern };

struct Constant : Value {
  static constexpr EntityKind kKind = EntityKind::Constant;
  ConstantKind kind = ConstantKind::Int;
  TypeUse declaredType;
  /// Int: little-endian words in two's complement, of which the last has the sign: where the type needs more,
  /// linking repeats the sign; where it needs fewer bits, linking clears the others. Float, Double: one word
  /// with the bits.
  std::span<std::uint64_t> words;
  std::span<ValueUse> elements;  // Sequence
  std::string_view symbol;       // Extern
};

/// A memory cell; the value has type iref<T>.
struct GlobalCell : Value {
  static constexpr EntityKind kKind = EntityKind::Global;
  TypeUse cellType;
};

struct FunctionVersion;

/// The value has type funcref<sig>.
struct Function : Value {
  static constexpr EntityKind kKind = EntityKind::Function;
  SigUse signature;
  /// Null while only declared. Read RELAXED by other threads (map, MM-sync).
  std::atomic<FunctionVersion*> current{nullptr};
};

/// The value has type ufuncptr<sig>.
struct ExposedFunction : Value {
  static constexpr EntityKind kKind = EntityKind::ExposedFunction;
  Use<Function> function;
  CallConv convention = CallConv::Default;
  Use<Constant> cookie;
};

struct BasicBlock;
struct Instruction;

struct FunctionVersion : Entity {
  static constexpr EntityKind kKind = EntityKind::FunctionVersion;
  Use<Function> function;
  /// As written after the name in text; not given by the builder API.
  SigUse signature;
  std::span<Use<BasicBlock>> blocks;
  /// Instructions in all blocks.
  std::uint32_t instructionCount = 0;
  class Bundle* bundle = nullptr;
  /// The version that this one replaced, set by publishing; where that has gone, the one before it.
  std::atomic<FunctionVersion*> previous{nullptr};

  BasicBlock* entry() const { return blocks.front().target; }
};

struct Parameter : Value {
  static constexpr EntityKind kKind = EntityKind::Parameter;
  TypeUse declaredType;
  BasicBlock* block = nullptr;
  std::uint32_t index = 0;
};

struct BasicBlock : Entity {
  static constexpr EntityKind kKind = EntityKind::BasicBlock;
  std::span<Parameter> parameters;
  /// Null where the block takes none.
  Parameter* exceptionParameter = nullptr;
  std::span<Use<Instruction>> instructions;
  FunctionVersion* version = nullptr;
  std::uint32_t index = 0;

  Instruction* terminator() const { return instructions.back().target; }
};

/// Calls `f` with every block of the version in order.
template <class F>
void forEachInstruction(const FunctionVersion& version, F&& f) {
  for (const auto& block : version.blocks)
    for (const auto& instruction : block->instructions) f(*instruction.target);
}

}  // namespace gaur::ir
