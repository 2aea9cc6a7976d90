// "did you mean ...?": finds, among many names, the one that a wrong name was probably meant to be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gaur {

class NearName {
 public:
  /// Names up to a third of `wanted` away count as near.
  explicit NearName(std::string_view wanted);

  void offer(std::string_view candidate);

  /// The nearest name offered, or empty.
  const std::string& best() const { return best_; }

 private:
  std::string_view wanted_;
  std::size_t limit_;
  std::string best_;
};

/// Number of single-character insertions, removals, replacements and swaps of neighbours from one to the
/// other; `limit` + 1 where it is above `limit`.
std::size_t editDistance(std::string_view a, std::string_view b, std::size_t limit);

}  // namespace gaur
