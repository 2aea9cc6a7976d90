// What the C++ clients of the tests share: a check that tells where it failed.
#ifndef GAUR_TESTS_CLIENT_HPP
#define GAUR_TESTS_CLIENT_HPP

#include <cstdio>
#include <cstdlib>

#define CHECK(condition) check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

inline void check(bool holds, const char* what, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
  std::exit(1);
}

#endif
