// Canonical types and signatures. Two types are equal when their (possibly infinite) unfoldings are; the
// TypeTable keeps one object for each, so that equality is identity everywhere after a bundle is linked.
// Names are aliases and live with the entities.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "vm/support/arena.h"
#include "vm/support/result.h"

namespace gaur::ir {

enum class TypeKind : std::uint8_t {
#define GAUR_TYPE(Kind, Text, Properties) Kind,
#include "vm/ir/types.def"
};

struct Signature;

/// The longest int; the specification leaves it open.
inline constexpr std::uint64_t kMaxIntBits = 4096;

/// Immutable once published by the TypeTable, which owns it.
struct Type {
  TypeKind kind;
  /// Dense number of the type in its table: keys layouts and object headers.
  std::uint32_t index = 0;
  /// Bits of int, elements of array and vector, else 0.
  std::uint64_t length = 0;
  /// struct: fields. hybrid: fixed fields, then the variable part's element type. array, vector: the element
  /// type. ref, iref, weakref, uptr: the referent.
  std::span<const Type*> elements;
  /// funcref, ufuncptr.
  const Signature* signature = nullptr;

  bool is(TypeKind k) const { return kind == k; }
  const Type* element() const { return elements[0]; }
  const Type* referent() const { return elements[0]; }
  std::span<const Type* const> fixedFields() const { return elements.first(elements.size() - 1); }
  const Type* variablePart() const { return elements.back(); }
};

struct Signature {
  std::uint32_t index = 0;
  std::span<const Type*> parameters;
  std::span<const Type*> results;
};

std::string_view text(TypeKind kind);

// Classes of types (chapter "Type system", section 1.2 of the map).
bool isInt(const Type* type, std::uint64_t bits);
bool isFloating(const Type* type);
/// May be the type of an SSA value.
bool isSsa(const Type* type);
/// May be a field or an element.
bool isMemory(const Type* type);
bool isEqComparable(const Type* type);
bool isUltComparable(const Type* type);
/// Admits NULL.
bool isGeneralReference(const Type* type);
bool isRawPointer(const Type* type);
/// The collector must look into values of this type (deeply, for composites).
bool isTraced(const Type* type);
bool isNativeSafe(const Type* type);
bool isNativeSafe(const Signature* signature);
/// Whether a value of type `actual` may stand where `expected` is wanted: the same, or another pointer of the
/// kind, since clients are loose about what raw pointers point to (map, 14.14).
bool accepts(const Type* expected, const Type* actual);
bool accepts(const Signature* expected, const Signature* actual);
/// int or vector of int, float or vector of float etc.: the scalar a vector operation works on.
const Type* scalarOf(const Type* type);

/// Inline form of the later dialect, recursive types cut at `depth`: "struct<int<32> ref<...>>".
std::string toString(const Type* type, unsigned depth = 4);
std::string toString(const Signature* signature, unsigned depth = 4);

struct TypeGraph;
struct RestoredTypes;

class TypeTable {
 public:
  /// The one of this process. Types are never given up: they are few, since equal ones are one.
  static TypeTable& shared();

  /// Types have indexes below this, which an object header has room for.
  static constexpr std::uint32_t kMostTypes = (std::uint32_t{1} << 24) - 16;
  /// Bundles may define this many. Linking derives others from one that is defined, without a check:
  /// references to it, raw pointers, the booleans of a vector.
  static constexpr std::uint32_t kMostDefined = kMostTypes / 8;

  explicit TypeTable(std::uint32_t mostDefined = kMostDefined);
  ~TypeTable();
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;

  /// The canonical type with these parts; all parts are canonical. Thread-safe.
  const Type* get(TypeKind kind, std::uint64_t length, std::span<const Type* const> elements,
                  const Signature* signature = nullptr);
  const Type* get(TypeKind kind) { return get(kind, 0, {}); }
  const Signature* signature(std::span<const Type* const> parameters, std::span<const Type* const> results);

  const Type* intType(std::uint64_t bits);
  const Type* pointerLike(TypeKind kind, const Type* referent);
  const Type* ref(const Type* t) { return pointerLike(TypeKind::Ref, t); }
  const Type* iref(const Type* t) { return pointerLike(TypeKind::Iref, t); }
  const Type* uptr(const Type* t) { return pointerLike(TypeKind::Uptr, t); }
  const Type* funcref(const Signature* s) { return get(TypeKind::Funcref, 0, {}, s); }
  const Type* ufuncptr(const Signature* s) { return get(TypeKind::Ufuncptr, 0, {}, s); }
  const Type* vectorOf(const Type* t, std::uint64_t n);
  const Type* voidType() { return get(TypeKind::Void); }
  /// What a load from a location of this type gives: weakref<T> -> ref<T>, else itself (map, TY-strong).
  const Type* strong(const Type* type);
  /// int<1>, or a vector of them as long as `type` is.
  const Type* booleanLike(const Type* type);

  const Type* byIndex(std::uint32_t index) const;
  std::uint32_t count() const;

  /// All types and signatures there are (type_graph.h). Thread-safe.
  TypeGraph graph() const;
  /// The types of a graph that graph() gave, here or in another process: found or made. Where one of the two
  /// tables begins with the other, all get the index they had. Any graph may be given: an ImageIrDamaged
  /// error where there can be no such types. Takes time in proportion to the graph. Thread-safe.
  gaur::Result<RestoredTypes> restore(const TypeGraph& graph);

 private:
  friend class TypeUnifier;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::ir
