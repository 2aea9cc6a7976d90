// A builder that passes calls on to a real one, now and then with another ID, number or index than it was
// given. What slots take is read from their types.
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/mu/muapi.h"

namespace {

struct Mutator {
  MuIRBuilder table;
  MuIRBuilder* real = nullptr;
  std::uint64_t random = 1;
  unsigned rate = 1;
  std::vector<MuID> known;

  unsigned below(unsigned n) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return static_cast<unsigned>((random >> 11) % n);
  }
  bool strikes() { return below(rate) == 0; }

  // IDs of clients begin here; smaller numbers are operators, orders and the like.
  static constexpr MuID kFirstId = 65536;
  MuID mutated(MuID value) {
    if (!strikes()) return value;
    if (value < kFirstId && value != MU_NO_ID) return below(4) == 0 ? below(512) : value ^ 1u << below(6);
    if (known.empty() || below(16) == 0) return below(3) == 0 ? below(1000) : MU_NO_ID;
    return known[below(static_cast<unsigned>(known.size()))];
  }
};

Mutator mutator;

/// The first count behind the argument at `place`.
template <std::size_t place, class... C>
MuArraySize countAfter(const std::tuple<C...>& arguments) {
  if constexpr (std::is_same_v<std::tuple_element_t<place, std::tuple<C...>>, MuArraySize>) {
    return std::get<place>(arguments);
  } else {
    return countAfter<place + 1>(arguments);
  }
}

template <std::size_t place, class... C>
auto mutatedArgument(const std::tuple<C...>& arguments, std::vector<MuID>& copy) {
  using T = std::tuple_element_t<place, std::tuple<C...>>;
  const T& argument = std::get<place>(arguments);
  if constexpr (std::is_same_v<T, MuID>) {
    // Definitions under a wrong ID are found at once and teach little.
    return place == 0 && mutator.below(8) != 0 ? argument : mutator.mutated(argument);
  } else if constexpr (std::is_same_v<T, MuID*>) {
    if (!argument) return argument;
    const MuArraySize count = countAfter<place + 1>(arguments);
    for (MuArraySize i = 0; i < count; ++i) copy.push_back(mutator.mutated(argument[i]));
    return copy.data();
  } else if constexpr (std::is_same_v<T, int>) {
    return mutator.strikes() ? static_cast<int>(mutator.below(70)) - 2 : argument;
  } else if constexpr (std::is_same_v<T, MuArraySize>) {
    // Some calls come with fewer elements, or a length of another type.
    return argument != 0 && mutator.strikes() ? argument - 1 : argument;
  } else {
    return argument;
  }
}

template <auto slot>
struct Forward;
template <class R, class... C, R (*MuIRBuilder::*slot)(MuIRBuilder*, C...)>
struct Forward<slot> {
  static R call(MuIRBuilder*, C... arguments) {
    return pass(std::make_tuple(arguments...), std::index_sequence_for<C...>());
  }
  template <std::size_t... i>
  static R pass(const std::tuple<C...>& arguments, std::index_sequence<i...>) {
    [[maybe_unused]] std::vector<MuID> copies[sizeof...(C) + 1];
    if constexpr (std::is_same_v<R, MuID>) {
      const R made = (mutator.real->*slot)(mutator.real, mutatedArgument<i>(arguments, copies[i])...);
      mutator.known.push_back(made);
      return made;
    } else {
      (mutator.real->*slot)(mutator.real, mutatedArgument<i>(arguments, copies[i])...);
    }
  }
};

}  // namespace

extern "C" {

MuIRBuilder* wrapBuilder(MuIRBuilder* real);
void setMutation(std::uint64_t seed, unsigned rate);

void setMutation(std::uint64_t seed, unsigned rate) {
  mutator.random = seed * 0x9e3779b97f4a7c15u + 1;
  mutator.rate = rate;
}

MuIRBuilder* wrapBuilder(MuIRBuilder* real) {
  mutator.real = real;
  mutator.known.clear();
  mutator.table.load = Forward<&MuIRBuilder::load>::call;
  mutator.table.abort = Forward<&MuIRBuilder::abort>::call;
#define GAUR_BUILDER_CALL(slot, method) mutator.table.slot = Forward<&MuIRBuilder::slot>::call;
#include "vm/ir/builder_calls.def"
  return &mutator.table;
}

}  // extern "C"
