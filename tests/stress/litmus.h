// Litmus tests as data, and their Mu code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::stress {

/// Runs of one test in a row, each on locations of its own; the arrays of kPrelude have that many places.
inline constexpr int kBatch = 1024;
/// Bytes from a place of a location to the next, so that no two share a cache line.
inline constexpr int kLineBytes = 64;
inline constexpr int kMostThreads = 4;
inline constexpr int kWidths[] = {8, 16, 32, 64};
inline constexpr std::string_view kLocations = "xyz";

struct LitmusStep {
  /// W, R, X, A, C, F or ?, as in litmus_tests.def.
  char kind;
  std::string_view order;
  char location = 0;
  int value = 0;
  int expected = 0;
  /// Number of the register that it reads into, or -1.
  int reg = -1;
};

struct LitmusTest {
  std::string family;
  std::string orders;
  bool isForbidden;
  std::vector<std::vector<LitmusStep>> threads;
  struct Term {
    /// 'r' with the number of a register, or a location.
    char what;
    int number;
    std::int64_t value;
  };
  std::vector<Term> outcome;
  int registers = 0;
};

/// All variants of litmus_tests.def.
std::vector<LitmusTest> litmusTests();

/// The bundle of what all tests share: types, constants, the locations @x.i8 ... and registers @r0.i8 ... of
/// every width.
std::string litmusPrelude();
/// Name of a function of a test: "@t7.f1".
std::string litmusFunction(int test, int thread);
/// The bundle of a test whose locations have `width` bits: for each thread a function that takes the number
/// of its first run (numbers only grow) and does a batch of them. Before each run the threads wait for each
/// other, though not for long.
std::string litmusBundle(int test, const LitmusTest& litmus, int width);

}  // namespace gaur::stress
