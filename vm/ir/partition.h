// Partition refinement: which vertices of a graph with numbered edges cannot be told apart. The unifier's
// core; knows no types.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gaur::ir {

struct PartitionEdge {
  std::uint32_t from;
  /// Each vertex has at most one edge of a number, and vertices of one class have edges of the same numbers.
  std::uint32_t number;
  std::uint32_t to;
};

/// The coarsest partition that is finer than `classes` (class of each vertex, counted from 0) and in which
/// edges of one number from vertices of one class lead to one class. Takes time O(E log E log V), by always
/// splitting with the smaller half (Hopcroft).
std::vector<std::uint32_t> refinePartition(std::vector<std::uint32_t> classes,
                                           std::span<const PartitionEdge> edges);

}  // namespace gaur::ir
