#include "bootimage/relocation.h"

#include <bit>

namespace gaur::bootimage {

void displace(std::span<std::uint64_t> words, std::span<const std::uint64_t> bits,
              const Displacement& displacement) {
  for (std::size_t i = 0; i < bits.size(); ++i)
    for (std::uint64_t rest = bits[i]; rest != 0; rest &= rest - 1) {
      std::uint64_t& word = words[i * 64 + static_cast<std::size_t>(std::countr_zero(rest))];
      word = displacement(word);
    }
}

}  // namespace gaur::bootimage
