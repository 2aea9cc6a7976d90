// From definitions as written to canonical types. Types outside cycles are interned bottom-up; the members of
// a cycle are compared as a whole, with each other and with the cycles that are known, since they are equal
// only together.
#pragma once

#include <unordered_map>
#include <vector>

#include "vm/ir/bundle.h"
#include "vm/ir/type_graph.h"
#include "vm/ir/type_node.h"
#include "vm/support/source.h"

namespace gaur::ir {

class TypeUnifier {
 public:
  TypeUnifier(TypeTable& table, Diagnostics& diagnostics) : table_(table), diagnostics_(diagnostics) {}

  /// Sets TypeDef::type and SignatureDef::signature of every definition in `bundle`, whose uses are resolved.
  /// Reports aliases that mean themselves and types that contain themselves, and then sets nothing. Holds the
  /// table's lock.
  void run(Bundle& bundle);
  /// Canonical nodes of a well-formed graph in `nodes`, by their number; new ones are made in the order of
  /// the graph. Returns why there can be no such types, else empty. Holds the table's lock.
  std::string_view restore(const TypeGraph& graph, std::vector<TypeGraphNode*>& nodes);

 private:
  using Vertex = std::uint32_t;
  static constexpr Vertex kOutside = ~Vertex{0};

  /// To a vertex, or to a type or signature that is canonical already (then `vertex` is kOutside).
  struct Edge {
    Vertex vertex;
    TypeGraphNode* node;
  };
  struct VertexInfo {
    NodeLabel label;
    std::uint32_t firstEdge = 0;
    std::uint32_t edgeCount = 0;
    const Entity* definition = nullptr;
    // Tarjan's algorithm.
    std::uint32_t order = 0;  // 0: not visited
    std::uint32_t low = 0;
    bool onStack = false;
    // Position in the component at work, valid while `inComponent`.
    bool inComponent = false;
    std::uint32_t position = 0;
    TypeGraphNode* result = nullptr;
  };

  bool checkAliases(Bundle& bundle);
  /// The definition that is no alias of this bundle.
  const TypeDef* behindAlias(const TypeDef* type) const;
  void addVertices(Bundle& bundle);
  void addEdge(const TypeDef* type);
  void addEdge(const SignatureDef* signature);
  std::span<const Edge> edges(Vertex v) const {
    return {edges_.data() + info_[v].firstEdge, info_[v].edgeCount};
  }
  void addVertices(const TypeGraph& graph);
  /// Types that contain themselves, one of each cycle.
  std::vector<Vertex> selfContained() const;
  bool checkRoom();
  void findComponents();
  void visitComponentsFrom(Vertex root);
  void finishComponent(Vertex root);
  TypeGraphNode* canonical(const Edge& edge) const {
    return edge.node ? edge.node : info_[edge.vertex].result;
  }
  bool inComponent(const Edge& edge) const { return !edge.node && info_[edge.vertex].inComponent; }

  void unifyCycle(std::span<const Vertex> members);
  std::vector<HashRounds> hashRounds(std::span<const Vertex> members) const;
  std::vector<std::uint32_t> partition(std::span<const Vertex> members,
                                       const std::vector<HashRounds>& rounds) const;
  bool matchKnown(std::span<const Vertex> members, Vertex chosen, TypeGraphNode* candidate);
  void makeNew(std::span<const Vertex> members, const std::vector<HashRounds>& rounds);

  TypeTable& table_;
  Diagnostics& diagnostics_;
  std::vector<VertexInfo> info_;
  std::vector<Edge> edges_;
  std::unordered_map<const Entity*, Vertex> vertexOf_;
  std::unordered_map<const TypeDef*, const TypeDef*> behind_;
  std::vector<Vertex> stack_;
  std::uint32_t nextOrder_ = 1;
};

}  // namespace gaur::ir
