// The TypeTable as a graph of numbers, and back. The way back is that of any bundle's types, through the
// unifier, so that it does not matter what the table has already.
#include <algorithm>
#include <optional>

#include "vm/ir/type_graph.h"
#include "vm/ir/type_unifier.h"

namespace gaur::ir {

namespace {

/// How many elements a type of the kind has; nullopt: any number.
std::optional<std::uint32_t> elementCount(TypeKind kind) {
  switch (kind) {
    case TypeKind::Struct:
    case TypeKind::Hybrid: return std::nullopt;
    case TypeKind::Uptr:
    case TypeKind::Array:
    case TypeKind::Vector:
    case TypeKind::Ref:
    case TypeKind::Iref:
    case TypeKind::Weakref: return 1;
    default: return 0;
  }
}

bool hasSignature(TypeKind kind) { return kind == TypeKind::Funcref || kind == TypeKind::Ufuncptr; }

bool isWellFormed(const TypeGraph& graph, const TypeGraph::Node& node) {
  if (node.firstChild > graph.children.size() || node.childCount > graph.children.size() - node.firstChild)
    return false;
  auto isSignature = [&](std::uint32_t child) {
    return graph.children[child] < graph.nodes.size() && graph.nodes[graph.children[child]].isSignature;
  };
  std::uint32_t types = node.childCount;
  if (!node.isSignature && hasSignature(node.kind)) {
    if (types == 0 || !isSignature(node.firstChild + --types)) return false;
  }
  for (std::uint32_t i = node.firstChild; i < node.firstChild + types; ++i)
    if (graph.children[i] >= graph.nodes.size() || isSignature(i)) return false;
  if (node.isSignature) return node.parameterCount <= types;
  if (node.kind == TypeKind::Hybrid) return types >= 1;
  return elementCount(node.kind).value_or(types) == types;
}

}  // namespace

bool isWellFormed(const TypeGraph& graph) {
  return std::ranges::all_of(graph.nodes,
                             [&](const TypeGraph::Node& node) { return isWellFormed(graph, node); });
}

TypeGraph TypeTable::graph() const {
  std::lock_guard lock(impl_->mutex);
  TypeGraph graph;
  graph.nodes.reserve(impl_->nodes.size());
  std::vector<std::uint32_t> numberOfType(impl_->types.size()), numberOfSignature(impl_->signatureCount);
  for (std::uint32_t number = 0; number < impl_->nodes.size(); ++number) {
    const TypeGraphNode* node = impl_->nodes[number];
    if (node->label.isSignature()) {
      numberOfSignature[Impl::signatureOf(node)->index] = number;
    } else {
      numberOfType[Impl::typeOf(node)->index] = number;
    }
  }
  for (const TypeGraphNode* node : impl_->nodes) {
    TypeGraph::Node& out = graph.nodes.emplace_back();
    out.isSignature = node->label.isSignature();
    if (!out.isSignature) out.kind = static_cast<TypeKind>(node->label.tag);
    out.parameterCount = node->label.split;
    out.length = node->label.length;
    out.firstChild = static_cast<std::uint32_t>(graph.children.size());
    out.childCount = static_cast<std::uint32_t>(node->children.size());
    for (const TypeGraphNode* child : node->children)
      graph.children.push_back(child->label.isSignature() ? numberOfSignature[Impl::signatureOf(child)->index]
                                                          : numberOfType[Impl::typeOf(child)->index]);
  }
  return graph;
}

gaur::Result<RestoredTypes> TypeTable::restore(const TypeGraph& graph) {
  if (!isWellFormed(graph))
    return makeError(ErrorId::ImageIrDamaged, {"a type has parts that it cannot have"});
  Diagnostics diagnostics;
  std::vector<TypeGraphNode*> nodes;
  if (auto failure = TypeUnifier(*this, diagnostics).restore(graph, nodes); !failure.empty())
    return makeError(ErrorId::ImageIrDamaged, {failure});
  RestoredTypes restored;
  restored.isIdentical = true;
  for (const TypeGraphNode* node : nodes) {
    if (node->label.isSignature()) {
      const Signature* signature = Impl::signatureOf(node);
      restored.isIdentical &= signature->index == restored.signatures.size();
      restored.signatures.push_back(signature);
    } else {
      const Type* type = Impl::typeOf(node);
      restored.isIdentical &= type->index == restored.types.size();
      restored.types.push_back(type);
    }
  }
  return restored;
}

}  // namespace gaur::ir
