// Edit distance with a bound: most candidates differ so much in length or so early that they cost next to
// nothing.
#include "vm/support/near_name.h"

#include <algorithm>
#include <vector>

namespace gaur {

std::size_t editDistance(std::string_view a, std::string_view b, std::size_t limit) {
  std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return limit + 1;
  std::vector<std::size_t> beforeLast(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(beforeLast, last);
    std::swap(last, row);
    std::size_t smallest = row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      bool isSwap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (isSwap) row[j] = std::min(row[j], beforeLast[j - 2] + 1);
      smallest = std::min(smallest, row[j]);
    }
    // A swap can still come from one row up, at the cost of one.
    if (smallest > limit + 1) return limit + 1;
  }
  return std::min(row.back(), limit + 1);
}

NearName::NearName(std::string_view wanted)
    : wanted_(wanted), limit_(std::min<std::size_t>(3, (wanted.size() + 2) / 3)) {}

void NearName::offer(std::string_view candidate) {
  if (candidate.empty() || candidate == wanted_ || limit_ == 0) return;
  std::size_t distance = editDistance(wanted_, candidate, limit_);
  if (distance > limit_) return;
  best_ = candidate;
  limit_ = distance - 1;
}

}  // namespace gaur
