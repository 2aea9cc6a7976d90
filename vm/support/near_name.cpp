// Edit distance with a bound: most candidates differ so much in length or so early that they cost next to
// nothing.
#include "vm/support/near_name.h"

#include <algorithm>
#include <vector>

namespace gaur {

std::size_t editDistance(std::string_view a, std::string_view b, std::size_t limit) {
  std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return limit + 1;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    std::size_t smallest = row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      smallest = std::min(smallest, row[j]);
    }
    if (smallest > limit) return limit + 1;
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
