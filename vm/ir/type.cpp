// The TypeTable: interning of types whose parts are canonical, and the questions that are asked about types.
// What makes the parts of recursive types canonical is the unifier.
#include "vm/ir/type.h"

#include <algorithm>

#include "vm/ir/type_node.h"
#include "vm/support/check.h"

namespace gaur::ir {

namespace {

enum TypeProperty : std::uint8_t {
  None = 0,
  Ssa = 1,
  Memory = 2,
  EqComparable = 4,
  UltComparable = 8,
  General = 16,
  Traced = 32
};

struct TypeInfo {
  std::string_view text;
  int properties;
};
constexpr TypeInfo kTypes[] = {
#define GAUR_TYPE(Kind, Text, Properties) {Text, Properties},
#include "vm/ir/types.def"
};

bool hasProperty(const Type* type, TypeProperty property) {
  return (kTypes[static_cast<std::size_t>(type->kind)].properties & property) != 0;
}

/// Properties of a type that depend on what it is composed of.
enum DeepProperty : std::uint8_t { Known = 1, DeepSsa = 2, DeepTraced = 4, DeepNative = 8 };

bool isComposite(TypeKind kind) {
  return kind == TypeKind::Struct || kind == TypeKind::Hybrid || kind == TypeKind::Array ||
         kind == TypeKind::Vector;
}

std::uint8_t ownProperties(const Type* type) {
  std::uint8_t deep = Known;
  if (hasProperty(type, Ssa)) deep |= DeepSsa;
  if (hasProperty(type, Traced)) deep |= DeepTraced;
  switch (type->kind) {
    case TypeKind::Void:
    case TypeKind::Int:
    case TypeKind::Float:
    case TypeKind::Double:
    case TypeKind::Uptr:
    case TypeKind::Ufuncptr:
    case TypeKind::Struct:
    case TypeKind::Array:
    case TypeKind::Vector:
    case TypeKind::Hybrid: deep |= DeepNative; break;
    default: break;
  }
  return deep;
}

/// Post-order over composition, with a stack of its own: nesting has no bound.
std::uint8_t deepProperties(const Type* root) {
  const auto* rootNode = static_cast<const TypeNode*>(root);
  if (std::uint8_t known = rootNode->deep.load(std::memory_order_relaxed)) return known;
  std::vector<std::pair<const TypeNode*, std::size_t>> stack{{rootNode, 0}};
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    const Type* type = node;
    if (isComposite(type->kind) && next < type->elements.size()) {
      const auto* element = static_cast<const TypeNode*>(type->elements[next++]);
      if (element->deep.load(std::memory_order_relaxed) == 0) stack.push_back({element, 0});
      continue;
    }
    std::uint8_t deep = ownProperties(type);
    if (isComposite(type->kind)) {
      for (const Type* element : type->elements) {
        std::uint8_t inner = static_cast<const TypeNode*>(element)->deep.load(std::memory_order_relaxed);
        if (!(inner & DeepSsa)) deep &= static_cast<std::uint8_t>(~DeepSsa);
        if (!(inner & DeepNative)) deep &= static_cast<std::uint8_t>(~DeepNative);
        deep |= inner & DeepTraced;
      }
    }
    node->deep.store(deep, std::memory_order_relaxed);
    stack.pop_back();
  }
  return rootNode->deep.load(std::memory_order_relaxed);
}

void append(std::string& out, const Signature* signature, unsigned depth);

void append(std::string& out, const Type* type, unsigned depth) {
  out += text(type->kind);
  bool counted = type->kind == TypeKind::Array || type->kind == TypeKind::Vector;
  if (type->kind == TypeKind::Int) {
    out += '<' + std::to_string(type->length) + '>';
    return;
  }
  if (type->elements.empty() && !type->signature) return;
  if (depth == 0) {
    out += "<...>";
    return;
  }
  out += '<';
  if (type->signature) append(out, type->signature, depth - 1);
  for (std::size_t i = 0; i < type->elements.size(); ++i) {
    if (i != 0) out += ' ';
    append(out, type->elements[i], depth - 1);
  }
  if (counted) out += ' ' + std::to_string(type->length);
  out += '>';
}

void append(std::string& out, const Signature* signature, unsigned depth) {
  auto list = [&](std::span<const Type* const> types) {
    out += '(';
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (i != 0) out += ' ';
      append(out, types[i], depth);
    }
    out += ')';
  };
  list(signature->parameters);
  out += "->";
  list(signature->results);
}

}  // namespace

std::string_view text(TypeKind kind) { return kTypes[static_cast<std::size_t>(kind)].text; }

bool isInt(const Type* type, std::uint64_t bits) {
  return type->kind == TypeKind::Int && type->length == bits;
}
bool isFloating(const Type* type) { return type->kind == TypeKind::Float || type->kind == TypeKind::Double; }
bool isSsa(const Type* type) { return (deepProperties(type) & DeepSsa) != 0; }
bool isMemory(const Type* type) { return hasProperty(type, Memory); }
bool isEqComparable(const Type* type) { return hasProperty(scalarOf(type), EqComparable); }
bool isUltComparable(const Type* type) { return hasProperty(scalarOf(type), UltComparable); }
bool isGeneralReference(const Type* type) { return hasProperty(type, General); }
bool isRawPointer(const Type* type) {
  return type->kind == TypeKind::Uptr || type->kind == TypeKind::Ufuncptr;
}
bool isTraced(const Type* type) { return (deepProperties(type) & DeepTraced) != 0; }
bool isNativeSafe(const Type* type) { return (deepProperties(type) & DeepNative) != 0; }

bool isNativeSafe(const Signature* signature) {
  auto safe = [](const Type* type) { return isNativeSafe(type); };
  return std::all_of(signature->parameters.begin(), signature->parameters.end(), safe) &&
         std::all_of(signature->results.begin(), signature->results.end(), safe);
}

bool accepts(const Type* expected, const Type* actual) {
  if (expected == actual) return true;
  if (expected->kind != actual->kind) return false;
  if (isRawPointer(expected)) return true;
  return expected->is(TypeKind::Funcref) && accepts(expected->signature, actual->signature);
}

bool accepts(const Signature* expected, const Signature* actual) {
  if (expected == actual) return true;
  auto same = [](std::span<const Type* const> a, std::span<const Type* const> b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i] != b[i] && !(a[i]->kind == b[i]->kind && isRawPointer(a[i]))) return false;
    return true;
  };
  return same(expected->parameters, actual->parameters) && same(expected->results, actual->results);
}

const Type* scalarOf(const Type* type) { return type->kind == TypeKind::Vector ? type->element() : type; }

std::string toString(const Type* type, unsigned depth) {
  std::string out;
  append(out, type, depth);
  return out;
}

std::string toString(const Signature* signature, unsigned depth) {
  std::string out;
  append(out, signature, depth);
  return out;
}

// --- Nodes -------------------------------------------------------------------------------------------------

std::uint64_t mixHash(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdu;
  return hash ^ (hash >> 32);
}

std::uint64_t hashLabel(const NodeLabel& label) {
  return mixHash(mixHash(mixHash(0, label.tag), label.split), label.length);
}

bool TypeTable::Impl::Equal::same(const NodeLabel& l, std::span<TypeGraphNode* const> c,
                                  const TypeGraphNode* node) {
  return l == node->label && std::ranges::equal(c, node->children);
}

std::uint64_t TypeTable::Impl::keyHash(const NodeLabel& label, std::span<TypeGraphNode* const> children) {
  std::uint64_t hash = hashLabel(label);
  for (TypeGraphNode* child : children) hash = mixHash(hash, reinterpret_cast<std::uintptr_t>(child));
  return hash;
}

TypeGraphNode* TypeTable::Impl::find(const NodeLabel& label, std::span<TypeGraphNode* const> children) {
  auto found = interned.find(Key{label, children, keyHash(label, children)});
  return found == interned.end() ? nullptr : *found;
}

TypeGraphNode* TypeTable::Impl::intern(const NodeLabel& label, std::span<TypeGraphNode* const> children) {
  if (TypeGraphNode* found = find(label, children)) return found;
  TypeGraphNode* node = allocate(label);
  node->rounds[0] = hashLabel(label);
  for (std::size_t r = 1; r < kHashRounds; ++r) {
    std::uint64_t hash = node->rounds[0];
    for (TypeGraphNode* child : children) hash = mixHash(hash, child->rounds[r - 1]);
    node->rounds[r] = hash;
  }
  complete(node, children);
  return node;
}

TypeGraphNode* TypeTable::Impl::allocate(const NodeLabel& label) {
  TypeGraphNode* node = nullptr;
  if (label.isSignature()) {
    auto* made = arena.make<SignatureNode>();
    made->index = signatureCount++;
    node = made;
  } else {
    auto* made = arena.make<TypeNode>();
    made->kind = static_cast<TypeKind>(label.tag);
    made->Type::length = label.length;
    made->index = static_cast<std::uint32_t>(types.size());
    GAUR_CHECK(made->index < kMostTypes, "no more types");
    types.push_back(made);
    node = made;
  }
  node->label = label;
  nodes.push_back(node);
  return node;
}

void TypeTable::Impl::complete(TypeGraphNode* node, std::span<TypeGraphNode* const> children) {
  node->children = arena.copy<TypeGraphNode*>(children);
  auto typesOf = [this](std::span<TypeGraphNode* const> nodes) {
    auto list = arena.makeArray<const Type*>(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) list[i] = typeOf(nodes[i]);
    return list;
  };
  if (node->label.isSignature()) {
    auto* signature = static_cast<SignatureNode*>(node);
    signature->parameters = typesOf(children.first(node->label.split));
    signature->results = typesOf(children.subspan(node->label.split));
  } else {
    auto* type = static_cast<TypeNode*>(node);
    if (!children.empty() && children.back()->label.isSignature()) {
      type->signature = signatureOf(children.back());
      children = children.first(children.size() - 1);
    }
    type->elements = typesOf(children);
  }
  node->key = keyHash(node->label, node->children);
  interned.insert(node);
}

// --- The table ---------------------------------------------------------------------------------------------

TypeTable& TypeTable::shared() {
  static TypeTable* table = new TypeTable;  // outlives static destruction, as the heap does
  return *table;
}

TypeTable::TypeTable(std::uint32_t mostDefined) : impl_(std::make_unique<Impl>()) {
  impl_->mostDefined = mostDefined;
}
TypeTable::~TypeTable() = default;

const Type* TypeTable::get(TypeKind kind, std::uint64_t length, std::span<const Type* const> elements,
                           const Signature* signature) {
  std::lock_guard lock(impl_->mutex);
  std::vector<TypeGraphNode*> children;
  children.reserve(elements.size() + 1);
  for (const Type* element : elements) children.push_back(Impl::nodeOf(element));
  if (signature) children.push_back(Impl::nodeOf(signature));
  return Impl::typeOf(impl_->intern({static_cast<std::uint32_t>(kind), 0, length}, children));
}

const Signature* TypeTable::signature(std::span<const Type* const> parameters,
                                      std::span<const Type* const> results) {
  std::lock_guard lock(impl_->mutex);
  std::vector<TypeGraphNode*> children;
  children.reserve(parameters.size() + results.size());
  for (const Type* type : parameters) children.push_back(Impl::nodeOf(type));
  for (const Type* type : results) children.push_back(Impl::nodeOf(type));
  return Impl::signatureOf(
      impl_->intern({NodeLabel::kSignature, static_cast<std::uint32_t>(parameters.size()), 0}, children));
}

const Type* TypeTable::intType(std::uint64_t bits) {
  if (bits >= impl_->ints.size()) return get(TypeKind::Int, bits, {});
  auto& slot = impl_->ints[bits];
  const Type* type = slot.load(std::memory_order_acquire);
  if (!type) {
    type = get(TypeKind::Int, bits, {});
    slot.store(type, std::memory_order_release);
  }
  return type;
}

const Type* TypeTable::pointerLike(TypeKind kind, const Type* referent) {
  const Type* const elements[] = {referent};
  std::size_t which = kind == TypeKind::Ref ? 0 : kind == TypeKind::Iref ? 1 : kind == TypeKind::Uptr ? 2 : 3;
  if (which == 3) return get(kind, 0, elements);
  auto& slot = static_cast<const TypeNode*>(referent)->pointers[which];
  const Type* type = slot.load(std::memory_order_acquire);
  if (!type) {
    type = get(kind, 0, elements);
    slot.store(type, std::memory_order_release);
  }
  return type;
}

const Type* TypeTable::vectorOf(const Type* t, std::uint64_t n) {
  const Type* const elements[] = {t};
  return get(TypeKind::Vector, n, elements);
}

const Type* TypeTable::strong(const Type* type) {
  return type->is(TypeKind::Weakref) ? ref(type->referent()) : type;
}

const Type* TypeTable::booleanLike(const Type* type) {
  const Type* boolean = intType(1);
  return type->is(TypeKind::Vector) ? vectorOf(boolean, type->length) : boolean;
}

const Type* TypeTable::byIndex(std::uint32_t index) const {
  std::lock_guard lock(impl_->mutex);
  return index < impl_->types.size() ? impl_->types[index] : nullptr;
}

std::uint32_t TypeTable::count() const {
  std::lock_guard lock(impl_->mutex);
  return static_cast<std::uint32_t>(impl_->types.size());
}

}  // namespace gaur::ir
