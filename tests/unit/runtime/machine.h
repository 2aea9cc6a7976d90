// A VM with a bundle of one test, and calls of its functions with C++ values.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <type_traits>

#include "vm/runtime/micro_vm.h"

namespace gaur::runtime {

class TestMachine {
 public:
  explicit TestMachine(const Options& options = {}) {
    auto made = MicroVm::create(options);
    if (!made) ADD_FAILURE() << made.error().message;
    vm_ = std::move(*made);
  }

  MicroVm& vm() { return *vm_; }

  /// Loads text after `.typedef`s that all tests use.
  ir::Bundle* load(const std::string& text) {
    Diagnostics diagnostics;
    SourceText source{"test", text};
    ir::Bundle* bundle = vm_->load(source, diagnostics);
    if (!bundle) errors = render(diagnostics, source);
    return bundle;
  }
  void mustLoad(const std::string& text) { ASSERT_TRUE(load(text)) << errors; }

  const ir::Function& function(const std::string& name) {
    auto* found = vm_->program().entityOf<ir::Function>(vm_->program().idOf(name));
    if (!found) throw std::runtime_error("no function " + name);
    return *found;
  }

  template <class... Args>
  CallOutcome run(const std::string& name, void* results, Args... args) {
    struct alignas(16) Cell {
      unsigned char bytes[16];
    } cells[sizeof...(args) + 1] = {};
    std::size_t i = 0;
    ((std::memcpy(cells[i++].bytes, &args, sizeof args)), ...);
    return vm_->call(function(name), cells, results);
  }

  /// The result of a function that has to return one.
  template <class R = std::int64_t, class... Args>
  R call(const std::string& name, Args... args) {
    struct alignas(16) {
      R value;
      unsigned char rest[32];
    } result = {};
    CallOutcome outcome = run(name, &result, args...);
    EXPECT_EQ(outcome.kind, CallOutcome::Kind::Returned) << outcome.report;
    return result.value;
  }

  std::string errors;

 private:
  std::unique_ptr<MicroVm> vm_;
};

inline Options optionsAt(std::uint64_t optLevel) {
  Options options;
  options.optLevel = optLevel;
  return options;
}

/// Tests that run at every level of optimisation.
class RunTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  TestMachine machine{optionsAt(GetParam())};
};

}  // namespace gaur::runtime
