// All types and signatures of a TypeTable as one graph of numbers: what an image keeps of the table, since
// object headers and compiled code name types by their number.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/ir/type.h"

namespace gaur::ir {

/// Nodes are in the order in which the table made them: parts come before what is composed of them, and the
/// members of a cycle stand together. So the n-th type among the nodes has index n, and the n-th signature.
struct TypeGraph {
  struct Node {
    bool isSignature = false;
    /// Of a type.
    TypeKind kind = TypeKind::Void;
    /// Of a signature: how many of the children are parameters; the others are results.
    std::uint32_t parameterCount = 0;
    std::uint64_t length = 0;
    std::uint32_t firstChild = 0;
    std::uint32_t childCount = 0;
  };
  std::vector<Node> nodes;
  /// Numbers of nodes. Of a type: its elements, then its signature if it has one.
  std::vector<std::uint32_t> children;
};

/// Whether the kinds of all nodes have the children they must have. Recursive containment is not looked for.
bool isWellFormed(const TypeGraph& graph);

/// What became of the types of a TypeGraph in this process.
struct RestoredTypes {
  /// By the index they had.
  std::vector<const Type*> types;
  std::vector<const Signature*> signatures;
  /// Every one has the index that it had.
  bool isIdentical = false;
};

}  // namespace gaur::ir
