// Inside of the TypeTable, shared by type.cpp and the unifier: canonical types and signatures as vertices of
// one graph, so that both are hashed, compared and interned by the same code.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vm/ir/type.h"

namespace gaur::ir {

/// How often hashing looks one level deeper. Types that differ only further down share a hash and are told
/// apart by comparison.
inline constexpr std::size_t kHashRounds = 8;
/// rounds[r] depends on the unfolding down to depth r alone, so that equal types have equal rounds however
/// they are written.
using HashRounds = std::array<std::uint64_t, kHashRounds>;

/// What a vertex is apart from its children.
struct NodeLabel {
  /// kSignature, or the TypeKind.
  std::uint32_t tag = 0;
  /// Signature: children before this are parameters, the others results.
  std::uint32_t split = 0;
  std::uint64_t length = 0;

  static constexpr std::uint32_t kSignature = 0x100;
  bool isSignature() const { return tag == kSignature; }
  bool operator==(const NodeLabel&) const = default;
};

/// Children of a type: its elements, then its signature if it has one.
struct TypeGraphNode {
  NodeLabel label;
  std::uint64_t key = 0;  // hash of label and children, for interning
  HashRounds rounds{};
  std::span<TypeGraphNode*> children;
};

struct TypeNode : Type, TypeGraphNode {
  /// ref, iref and uptr to this type, as soon as someone asked: linking does so for every memory instruction.
  mutable std::array<std::atomic<const Type*>, 3> pointers;
  /// DeepProperty bits, computed at the first question; 0 = not yet.
  mutable std::atomic<std::uint8_t> deep;
};
struct SignatureNode : Signature, TypeGraphNode {};

std::uint64_t mixHash(std::uint64_t hash, std::uint64_t value);
std::uint64_t hashLabel(const NodeLabel& label);

struct TypeTable::Impl {
  struct Key {
    NodeLabel label;
    std::span<TypeGraphNode* const> children;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const TypeGraphNode* node) const { return node->key; }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    static bool same(const NodeLabel& l, std::span<TypeGraphNode* const> c, const TypeGraphNode* node);
    bool operator()(const TypeGraphNode* a, const TypeGraphNode* b) const { return a == b; }
    bool operator()(const Key& a, const TypeGraphNode* b) const { return same(a.label, a.children, b); }
    bool operator()(const TypeGraphNode* a, const Key& b) const { return same(b.label, b.children, a); }
  };

  mutable std::mutex mutex;
  Arena arena;
  /// By label and canonical children.
  std::unordered_set<TypeGraphNode*, Hash, Equal> interned;
  /// Members of cycles by their last round.
  std::unordered_multimap<std::uint64_t, TypeGraphNode*> cyclic;
  /// Types and signatures in the order in which they were made.
  std::vector<TypeGraphNode*> nodes;
  std::vector<TypeNode*> types;
  std::uint32_t signatureCount = 0;
  std::uint32_t mostDefined = 0;
  std::array<std::atomic<const Type*>, 129> ints{};

  static TypeGraphNode* nodeOf(const Type* type) {
    return const_cast<TypeNode*>(static_cast<const TypeNode*>(type));
  }
  static TypeGraphNode* nodeOf(const Signature* signature) {
    return const_cast<SignatureNode*>(static_cast<const SignatureNode*>(signature));
  }
  static const Type* typeOf(const TypeGraphNode* node) { return static_cast<const TypeNode*>(node); }
  static const Signature* signatureOf(const TypeGraphNode* node) {
    return static_cast<const SignatureNode*>(node);
  }
  static std::uint64_t keyHash(const NodeLabel& label, std::span<TypeGraphNode* const> children);

  // All require the mutex.
  /// The canonical node with these canonical children; made where it is new.
  TypeGraphNode* intern(const NodeLabel& label, std::span<TypeGraphNode* const> children);
  TypeGraphNode* find(const NodeLabel& label, std::span<TypeGraphNode* const> children);
  /// A node that is not complete: its children are set by `complete`, which also enters it for interning.
  TypeGraphNode* allocate(const NodeLabel& label);
  void complete(TypeGraphNode* node, std::span<TypeGraphNode* const> children);
};

}  // namespace gaur::ir
