// A VM with a program of a stress test, whose functions native threads call with C++ values. What goes wrong
// ends the process.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "vm/runtime/micro_vm.h"

namespace gaur::stress {

inline std::string readSource(const std::string& name) {
  std::ifstream file(std::string(GAUR_SOURCE_DIR) + "/tests/stress/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Program {
 public:
  explicit Program(std::uint64_t optLevel) {
    Options options;
    options.optLevel = optLevel;
    auto made = runtime::MicroVm::create(options);
    if (!made) die(made.error().message);
    vm_ = std::move(*made);
  }

  runtime::MicroVm& vm() { return *vm_; }

  void load(const std::string& name, const std::string& text) {
    Diagnostics diagnostics;
    SourceText source{name, text};
    if (!vm_->load(source, diagnostics)) die(render(diagnostics, source));
  }

  const ir::Function& function(const std::string& name) {
    auto* found = vm_->program().entityOf<ir::Function>(vm_->program().idOf(name));
    if (!found) die("no function " + name);
    return *found;
  }

  /// Memory of a global cell of 64-bit words.
  std::int64_t* cell(const std::string& name) {
    auto* found = vm_->program().entityOf<ir::GlobalCell>(vm_->program().idOf(name));
    if (!found) die("no cell " + name);
    return static_cast<std::int64_t*>(vm_->entities().addressOf(*found));
  }

  /// Calls a function of 64-bit integers; the result is that of one that has one.
  template <class... Args>
  std::int64_t call(const ir::Function& function, Args... args) {
    struct alignas(16) Cell {
      std::int64_t value;
    } cells[sizeof...(args) + 1] = {Cell{args}...}, result = {};
    auto outcome = vm_->call(function, cells, &result);
    if (outcome.kind != runtime::CallOutcome::Kind::Returned) die(outcome.report);
    return result.value;
  }
  template <class... Args>
  std::int64_t call(const std::string& name, Args... args) {
    return call(function(name), args...);
  }

  [[noreturn]] static void die(const std::string& what) {
    std::fflush(stdout);
    std::fputs((what + "\n").c_str(), stderr);
    std::_Exit(1);
  }

 private:
  std::unique_ptr<runtime::MicroVm> vm_;
};

}  // namespace gaur::stress
