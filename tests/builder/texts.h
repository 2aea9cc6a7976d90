// What the tests of this folder have in common: the bundles of the repository, and how they are compared.
#pragma once

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "vm/ir/canonical.h"
#include "vm/ir/parser.h"

namespace gaur::test {

namespace fs = std::filesystem;

struct Text {
  fs::path path;
  std::string text;
  /// The bundle that it is a second part of, or null.
  const Text* before = nullptr;
  std::unique_ptr<ir::Program> program;
  ir::Bundle* bundle = nullptr;
};

/// Every bundle of the repository that can be loaded, with `text.program` holding it, in the order of paths.
std::vector<std::unique_ptr<Text>> loadedTexts();

/// Empty where both are the same program and locals have the same names, else how they differ.
std::string difference(const ir::Bundle& original, const ir::Bundle& built);

/// Runs f(0), ..., f(count - 1) on two threads.
template <class F>
void inParallel(unsigned count, F f) {
  std::atomic<unsigned> next{0};
  auto work = [&] {
    for (unsigned i = next++; i < count; i = next++) f(i);
  };
  std::thread other(work);
  work();
  other.join();
}

struct Failures {
  std::atomic<int> count{0};
  void add(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    ++count;
  }
};

}  // namespace gaur::test
