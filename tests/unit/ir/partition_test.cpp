// Partition refinement against the obvious algorithm.
#include "vm/ir/partition.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace gaur::ir {
namespace {

using Classes = std::vector<std::uint32_t>;

/// Splits by the classes of all targets until nothing changes.
Classes obviously(Classes classes, const std::vector<PartitionEdge>& edges) {
  for (std::size_t before = 0;;) {
    std::vector<std::map<std::uint32_t, std::uint32_t>> targets(classes.size());
    for (const PartitionEdge& edge : edges) targets[edge.from][edge.number] = classes[edge.to];
    std::map<std::pair<std::uint32_t, std::map<std::uint32_t, std::uint32_t>>, std::uint32_t> byKey;
    for (std::size_t v = 0; v < classes.size(); ++v)
      classes[v] = byKey.emplace(std::pair(classes[v], targets[v]), static_cast<std::uint32_t>(byKey.size()))
                       .first->second;
    if (byKey.size() == before) return classes;
    before = byKey.size();
  }
}

TEST(Partition, AgreesWithTheObviousAlgorithm) {
  for (unsigned seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    std::uint32_t count = 1 + random() % 30, degree = random() % 4;
    Classes classes(count);
    std::vector<PartitionEdge> edges;
    std::uint32_t classCount = std::min<std::uint32_t>(count, 1 + random() % 3);
    for (std::uint32_t v = 0; v < count; ++v) {
      classes[v] = v < classCount ? v : random() % classCount;
      for (std::uint32_t number = 0; number < degree; ++number)
        edges.push_back({v, number, static_cast<std::uint32_t>(random() % count)});
    }
    Classes expected = obviously(classes, edges), got = refinePartition(classes, edges);
    for (std::uint32_t v = 0; v < count; ++v)
      for (std::uint32_t w = 0; w < v; ++w)
        ASSERT_EQ(got[v] == got[w], expected[v] == expected[w])
            << "seed " << seed << ": " << v << " and " << w;
  }
}

TEST(Partition, NothingToSplit) {
  EXPECT_TRUE(refinePartition({}, {}).empty());
  EXPECT_EQ(refinePartition({0, 0, 1}, {}), (Classes{0, 0, 1}));
}

}  // namespace
}  // namespace gaur::ir
