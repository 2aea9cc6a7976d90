// The classes are ranges of one permutation of the vertices, so that a class is split by moving its marked
// members to the front.
#include "vm/ir/partition.h"

#include <algorithm>
#include <utility>

namespace gaur::ir {

namespace {

using Index = std::uint32_t;

class Refinement {
 public:
  Refinement(std::vector<Index> classes, std::span<const PartitionEdge> edges)
      : classOf_(std::move(classes)),
        members_(classOf_.size()),
        placeOf_(classOf_.size()),
        incoming_(edges.begin(), edges.end()) {
    sortMembers();
    std::ranges::sort(incoming_, {}, &PartitionEdge::to);
    firstIncoming_.assign(classOf_.size() + 1, 0);
    for (const PartitionEdge& edge : incoming_) ++firstIncoming_[edge.to + 1];
    for (std::size_t i = 1; i < firstIncoming_.size(); ++i) firstIncoming_[i] += firstIncoming_[i - 1];
  }

  std::vector<Index> run() {
    for (Index c = 0; c < ranges_.size(); ++c) enqueue(c);
    while (!queue_.empty()) {
      Index splitter = queue_.back();
      queue_.pop_back();
      ranges_[splitter].isQueued = false;
      splitBy(splitter);
    }
    return std::move(classOf_);
  }

 private:
  struct Range {
    Index begin = 0;
    Index end = 0;
    Index marked = 0;
    bool isQueued = false;
    Index size() const { return end - begin; }
  };

  void sortMembers() {
    Index count = 0;
    for (Index c : classOf_) count = std::max(count, c + 1);
    ranges_.resize(count);
    for (Index c : classOf_) ++ranges_[c].end;
    Index start = 0;
    for (Range& range : ranges_) {
      range.begin = start;
      start += range.end;
      range.end = range.begin;
    }
    for (Index v = 0; v < classOf_.size(); ++v) place(v, ranges_[classOf_[v]].end++);
  }

  void place(Index vertex, Index at) {
    members_[at] = vertex;
    placeOf_[vertex] = at;
  }

  void enqueue(Index c) {
    ranges_[c].isQueued = true;
    queue_.push_back(c);
  }

  void splitBy(Index splitter) {
    // The splitter may be split itself, so what leads into it is collected first.
    into_.clear();
    for (Index i = ranges_[splitter].begin; i < ranges_[splitter].end; ++i) {
      Index vertex = members_[i];
      for (Index e = firstIncoming_[vertex]; e < firstIncoming_[vertex + 1]; ++e)
        into_.push_back({incoming_[e].number, incoming_[e].from});
    }
    std::ranges::sort(into_);
    for (std::size_t i = 0; i < into_.size();) {
      touched_.clear();
      Index number = into_[i].first;
      for (; i < into_.size() && into_[i].first == number; ++i) mark(into_[i].second);
      for (Index c : touched_) splitOffMarked(c);
    }
  }

  void mark(Index vertex) {
    Index c = classOf_[vertex];
    Range& range = ranges_[c];
    if (range.marked == 0) touched_.push_back(c);
    Index front = range.begin + range.marked++;
    Index at = placeOf_[vertex];
    place(members_[front], at);
    place(vertex, front);
  }

  void splitOffMarked(Index c) {
    Index marked = std::exchange(ranges_[c].marked, 0);
    if (marked == ranges_[c].size()) return;
    auto made = static_cast<Index>(ranges_.size());
    ranges_.push_back({ranges_[c].begin, ranges_[c].begin + marked, 0, false});
    ranges_[c].begin += marked;
    for (Index i = ranges_[made].begin; i < ranges_[made].end; ++i) classOf_[members_[i]] = made;
    bool takeNew = ranges_[c].isQueued || ranges_[made].size() <= ranges_[c].size();
    enqueue(takeNew ? made : c);
  }

  std::vector<Index> classOf_;
  std::vector<Index> members_;  // by class
  std::vector<Index> placeOf_;  // in members_
  std::vector<Range> ranges_;
  std::vector<PartitionEdge> incoming_;  // by target
  std::vector<Index> firstIncoming_;
  std::vector<Index> queue_;
  std::vector<std::pair<Index, Index>> into_;  // number and source
  std::vector<Index> touched_;
};

}  // namespace

std::vector<std::uint32_t> refinePartition(std::vector<std::uint32_t> classes,
                                           std::span<const PartitionEdge> edges) {
  return Refinement(std::move(classes), edges).run();
}

}  // namespace gaur::ir
