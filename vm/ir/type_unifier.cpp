// Tarjan's strongly connected components, then for each cycle: hashing by rounds to find candidates,
// comparison under the assumption that the compared pairs are equal, and partition refinement to merge equal
// members. All loops keep their own stacks, so that the depth of a type is bounded by memory alone.
#include "vm/ir/type_unifier.h"

#include <algorithm>

#include "vm/ir/partition.h"
#include "vm/ir/program.h"

namespace gaur::ir {

namespace {

bool contains(std::uint32_t tag) {
  auto kind = static_cast<TypeKind>(tag);
  return tag != NodeLabel::kSignature && (kind == TypeKind::Struct || kind == TypeKind::Array ||
                                          kind == TypeKind::Vector || kind == TypeKind::Hybrid);
}

struct KeyHash {
  std::size_t operator()(const std::vector<std::uint64_t>& key) const {
    std::uint64_t hash = key.size();
    for (std::uint64_t word : key) hash = mixHash(hash, word);
    return hash;
  }
};

}  // namespace

void TypeUnifier::run(Bundle& bundle) {
  if (!checkAliases(bundle)) return;
  addVertices(bundle);
  std::vector<Vertex> endless = selfContained();
  for (Vertex v : endless) {
    const Entity& type = *info_[v].definition;
    diagnostics_.report(ErrorId::TypeContainsItself, type.pos, {describe(type)}).subject = describe(type);
  }
  if (!endless.empty()) return;
  {
    std::lock_guard lock(table_.impl_->mutex);
    if (!checkRoom()) return;
    findComponents();
  }
  for (TypeDef* type : bundle.types)
    if (!type->isAlias) type->type = TypeTable::Impl::typeOf(info_[vertexOf_.at(type)].result);
  for (SignatureDef* signature : bundle.signatures)
    signature->signature = TypeTable::Impl::signatureOf(info_[vertexOf_.at(signature)].result);
  for (TypeDef* type : bundle.types)
    if (type->isAlias) type->type = behindAlias(type)->type;
}

std::string_view TypeUnifier::restore(const TypeGraph& graph, std::vector<TypeGraphNode*>& nodes) {
  addVertices(graph);
  if (!selfContained().empty()) return "a type contains itself";
  std::lock_guard lock(table_.impl_->mutex);
  if (table_.impl_->types.size() + info_.size() > TypeTable::kMostTypes) return "there are too many types";
  findComponents();
  nodes.reserve(info_.size());
  for (const VertexInfo& info : info_) nodes.push_back(info.result);
  return {};
}

// --- Aliases -----------------------------------------------------------------------------------------------

const TypeDef* TypeUnifier::behindAlias(const TypeDef* type) const {
  auto found = behind_.find(type);
  return found == behind_.end() ? type : found->second;
}

bool TypeUnifier::checkAliases(Bundle& bundle) {
  // Aliases of loaded bundles have their type already.
  auto isOpen = [this](const TypeDef* type) {
    return type->isAlias && !type->type && !behind_.contains(type);
  };
  bool good = true;
  for (const TypeDef* start : bundle.types) {
    std::vector<const TypeDef*> chain;
    const TypeDef* type = start;
    // Null marks what the chain has passed.
    for (; isOpen(type); type = type->elements[0].target) {
      chain.push_back(type);
      behind_[type] = nullptr;
    }
    const TypeDef* end = behindAlias(type);
    if (!end) {
      diagnostics_.report(ErrorId::AliasCycle, type->pos, {describe(*type)}).subject = describe(*type);
      good = false;
      end = start;
    }
    for (const TypeDef* passed : chain) behind_[passed] = end;
  }
  return good;
}

// --- The graph ---------------------------------------------------------------------------------------------

void TypeUnifier::addVertices(Bundle& bundle) {
  auto add = [this](const Entity* definition, NodeLabel label) {
    vertexOf_.emplace(definition, static_cast<Vertex>(info_.size()));
    VertexInfo& info = info_.emplace_back();
    info.label = label;
    info.definition = definition;
  };
  for (const TypeDef* type : bundle.types)
    if (!type->isAlias) add(type, {static_cast<std::uint32_t>(type->kind), 0, type->length});
  for (const SignatureDef* signature : bundle.signatures)
    add(signature, {NodeLabel::kSignature, static_cast<std::uint32_t>(signature->parameters.size()), 0});
  for (Vertex v = 0; v < info_.size(); ++v) {
    const Entity* definition = info_[v].definition;
    info_[v].firstEdge = static_cast<std::uint32_t>(edges_.size());
    if (definition->entityKind == EntityKind::Type) {
      const auto* type = static_cast<const TypeDef*>(definition);
      for (const TypeUse& element : type->elements) addEdge(element.target);
      if (type->signature.target) addEdge(type->signature.target);
    } else {
      const auto* signature = static_cast<const SignatureDef*>(definition);
      for (const TypeUse& parameter : signature->parameters) addEdge(parameter.target);
      for (const TypeUse& result : signature->results) addEdge(result.target);
    }
    info_[v].edgeCount = static_cast<std::uint32_t>(edges_.size()) - info_[v].firstEdge;
  }
}

void TypeUnifier::addVertices(const TypeGraph& graph) {
  info_.resize(graph.nodes.size());
  edges_.reserve(graph.children.size());
  for (std::uint32_t child : graph.children) edges_.push_back({child, nullptr});
  for (Vertex v = 0; v < info_.size(); ++v) {
    const TypeGraph::Node& node = graph.nodes[v];
    std::uint32_t tag = node.isSignature ? NodeLabel::kSignature : static_cast<std::uint32_t>(node.kind);
    info_[v].label = {tag, node.parameterCount, node.length};
    info_[v].firstEdge = node.firstChild;
    info_[v].edgeCount = node.childCount;
  }
}

void TypeUnifier::addEdge(const TypeDef* type) {
  type = behindAlias(type);
  if (type->type) {
    edges_.push_back({kOutside, TypeTable::Impl::nodeOf(type->type)});
  } else {
    edges_.push_back({vertexOf_.at(type), nullptr});
  }
}

void TypeUnifier::addEdge(const SignatureDef* signature) {
  if (signature->signature) {
    edges_.push_back({kOutside, TypeTable::Impl::nodeOf(signature->signature)});
  } else {
    edges_.push_back({vertexOf_.at(signature), nullptr});
  }
}

std::vector<TypeUnifier::Vertex> TypeUnifier::selfContained() const {
  enum : std::uint8_t { Unseen, Open, Done };
  std::vector<Vertex> found;
  std::vector<std::uint8_t> state(info_.size(), Unseen);
  std::vector<std::pair<Vertex, std::uint32_t>> path;
  for (Vertex root = 0; root < info_.size(); ++root) {
    if (state[root] != Unseen) continue;
    path.push_back({root, 0});
    state[root] = Open;
    while (!path.empty()) {
      auto& [v, next] = path.back();
      if (!contains(info_[v].label.tag) || next == info_[v].edgeCount) {
        state[v] = Done;
        path.pop_back();
        continue;
      }
      const Edge& edge = edges(v)[next++];
      if (edge.node || state[edge.vertex] == Done) continue;
      if (state[edge.vertex] == Open) {
        found.push_back(edge.vertex);
        continue;
      }
      state[edge.vertex] = Open;
      path.push_back({edge.vertex, 0});
    }
  }
  return found;
}

bool TypeUnifier::checkRoom() {
  const TypeTable::Impl& table = *table_.impl_;
  // Definitions of known types count as well: what matters is to stop long before the last index.
  if (table.types.size() + info_.size() <= table.mostDefined) return true;
  diagnostics_.report(ErrorId::TypesTooMany, {}, {std::to_string(table.mostDefined)});
  return false;
}

// --- Components --------------------------------------------------------------------------------------------

void TypeUnifier::findComponents() {
  for (Vertex v = 0; v < info_.size(); ++v)
    if (info_[v].order == 0) visitComponentsFrom(v);
}

void TypeUnifier::visitComponentsFrom(Vertex root) {
  std::vector<std::pair<Vertex, std::uint32_t>> path;
  auto enter = [&](Vertex v) {
    info_[v].order = info_[v].low = nextOrder_++;
    info_[v].onStack = true;
    stack_.push_back(v);
    path.push_back({v, 0});
  };
  enter(root);
  while (!path.empty()) {
    auto& [v, next] = path.back();
    if (next < info_[v].edgeCount) {
      const Edge& edge = edges(v)[next++];
      if (edge.node) continue;
      VertexInfo& to = info_[edge.vertex];
      if (to.order == 0) {
        enter(edge.vertex);
      } else if (to.onStack) {
        info_[v].low = std::min(info_[v].low, to.order);
      }
      continue;
    }
    Vertex done = v;
    path.pop_back();
    if (!path.empty()) {
      VertexInfo& parent = info_[path.back().first];
      parent.low = std::min(parent.low, info_[done].low);
    }
    if (info_[done].low == info_[done].order) finishComponent(done);
  }
}

void TypeUnifier::finishComponent(Vertex root) {
  auto start =
      static_cast<std::size_t>(std::find(stack_.rbegin(), stack_.rend(), root).base() - stack_.begin()) - 1;
  std::span<Vertex> members(stack_.data() + start, stack_.size() - start);
  // New types are made in the order of their definitions: restoring a table gives all the index they had.
  std::ranges::sort(members);
  for (Vertex v : members) info_[v].onStack = false;
  auto pointsToItself = [&](const Edge& edge) { return edge.vertex == root; };
  if (members.size() == 1 && std::ranges::none_of(edges(root), pointsToItself)) {
    std::vector<TypeGraphNode*> children;
    for (const Edge& edge : edges(root)) children.push_back(canonical(edge));
    info_[root].result = table_.impl_->intern(info_[root].label, children);
  } else {
    unifyCycle(members);
  }
  stack_.resize(start);
}

// --- Cycles ------------------------------------------------------------------------------------------------

void TypeUnifier::unifyCycle(std::span<const Vertex> members) {
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    info_[members[i]].inComponent = true;
    info_[members[i]].position = i;
  }
  auto rounds = hashRounds(members);
  // All members reach each other, so one that equals a known type shows what all the others equal. The one
  // with the rarest hash has the fewest candidates.
  std::unordered_map<std::uint64_t, std::uint32_t> hashCount;
  for (const HashRounds& r : rounds) ++hashCount[r.back()];
  auto rarest =
      std::ranges::min_element(rounds, {}, [&](const HashRounds& r) { return hashCount.at(r.back()); });
  Vertex chosen = members[static_cast<std::size_t>(rarest - rounds.begin())];
  bool known = false;
  auto [first, last] = table_.impl_->cyclic.equal_range(rarest->back());
  for (auto candidate = first; candidate != last && !known; ++candidate)
    known = matchKnown(members, chosen, candidate->second);
  if (!known) makeNew(members, rounds);
  for (Vertex v : members) info_[v].inComponent = false;
}

std::vector<HashRounds> TypeUnifier::hashRounds(std::span<const Vertex> members) const {
  std::vector<HashRounds> rounds(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) rounds[i][0] = hashLabel(info_[members[i]].label);
  for (std::size_t r = 1; r < kHashRounds; ++r) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      std::uint64_t hash = rounds[i][0];
      for (const Edge& edge : edges(members[i])) {
        bool inside = inComponent(edge);
        hash = mixHash(hash,
                       inside ? rounds[info_[edge.vertex].position][r - 1] : canonical(edge)->rounds[r - 1]);
      }
      rounds[i][r] = hash;
    }
  }
  return rounds;
}

bool TypeUnifier::matchKnown(std::span<const Vertex> members, Vertex chosen, TypeGraphNode* candidate) {
  std::vector<Vertex> open;
  auto assume = [&](Vertex v, TypeGraphNode* node) {
    TypeGraphNode*& assumed = info_[v].result;
    // Canonical types differ from each other, so no type equals two of them.
    if (assumed) return assumed == node;
    assumed = node;
    open.push_back(v);
    return true;
  };
  bool equal = assume(chosen, candidate);
  while (equal && !open.empty()) {
    Vertex v = open.back();
    open.pop_back();
    TypeGraphNode* node = info_[v].result;
    auto out = edges(v);
    equal = info_[v].label == node->label && out.size() == node->children.size();
    for (std::size_t i = 0; equal && i < out.size(); ++i) {
      equal = inComponent(out[i]) ? assume(out[i].vertex, node->children[i])
                                  : canonical(out[i]) == node->children[i];
    }
  }
  if (!equal)
    for (Vertex v : members) info_[v].result = nullptr;
  return equal;
}

/// Class of each member: two are in one class exactly if they are equal.
std::vector<std::uint32_t> TypeUnifier::partition(std::span<const Vertex> members,
                                                  const std::vector<HashRounds>& rounds) const {
  std::vector<std::uint32_t> classes;
  std::vector<PartitionEdge> inside;
  std::unordered_map<std::vector<std::uint64_t>, std::uint32_t, KeyHash> byKey;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    // What can be seen without following edges within the cycle; the hash sees further and saves splitting.
    const NodeLabel& label = info_[members[i]].label;
    std::vector<std::uint64_t> key{rounds[i].back(), label.tag, label.split, label.length};
    auto out = edges(members[i]);
    for (std::uint32_t number = 0; number < out.size(); ++number) {
      bool isInside = inComponent(out[number]);
      key.push_back(isInside ? 0 : reinterpret_cast<std::uintptr_t>(canonical(out[number])));
      if (isInside) inside.push_back({i, number, info_[out[number].vertex].position});
    }
    classes.push_back(byKey.emplace(std::move(key), static_cast<std::uint32_t>(byKey.size())).first->second);
  }
  return refinePartition(std::move(classes), inside);
}

void TypeUnifier::makeNew(std::span<const Vertex> members, const std::vector<HashRounds>& rounds) {
  TypeTable::Impl& table = *table_.impl_;
  auto classes = partition(members, rounds);
  std::vector<TypeGraphNode*> nodes(members.size(), nullptr);  // by class
  std::vector<Vertex> representatives;
  for (std::size_t i = 0; i < members.size(); ++i) {
    TypeGraphNode*& node = nodes[classes[i]];
    if (!node) {
      node = table.allocate(info_[members[i]].label);
      node->rounds = rounds[i];
      representatives.push_back(members[i]);
    }
    info_[members[i]].result = node;
  }
  for (Vertex v : representatives) {
    std::vector<TypeGraphNode*> children;
    for (const Edge& edge : edges(v)) children.push_back(canonical(edge));
    table.complete(info_[v].result, children);
    table.cyclic.emplace(info_[v].result->rounds.back(), info_[v].result);
  }
}

}  // namespace gaur::ir
