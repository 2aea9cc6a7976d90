// What a case says of lifetimes: bundles that are loaded to be unloaded, what keeps code and cells, and host
// functions that stand behind EXTERN names, with how many of them have ended.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/gaur/test_case.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::tool {

class CaseLifetime {
 public:
  explicit CaseLifetime(const TestCase& test);
  ~CaseLifetime();
  CaseLifetime(const CaseLifetime&) = delete;
  CaseLifetime& operator=(const CaseLifetime&) = delete;

  /// The case's host names with a function each, so that an image that wants them starts.
  static std::vector<std::pair<std::string, void*>> stands(const TestCase& test);

  /// The first host function of each name, of a machine that begins.
  void bindFirst(runtime::MicroVm& vm);
  /// Remembers the entities there are, to ask for them by name when they are gone.
  void noteNames(runtime::MicroVm& vm);
  /// A step with isAboutLifetime(), on a thread that is not attached. What is wrong, if anything is.
  std::string run(runtime::MicroVm& vm, const Step& step);

 private:
  struct Environment;

  std::string load(runtime::MicroVm& vm, const std::string& file);
  Id idOf(runtime::MicroVm& vm, const std::string& name) const;
  std::string keptOrGone(runtime::MicroVm& vm, const Step& step);
  std::string makeHost(runtime::MicroVm& vm, const Step& step);
  std::string dispose(runtime::MicroVm& vm, const std::string& name);
  static std::int64_t callHost(std::int64_t x, void* environment);
  static void finalise(void* environment);

  const TestCase& test_;
  std::map<std::string, Id> ids_;
  /// By name: the pointer of the latest one, as its complement, which keeps nothing.
  std::map<std::string, std::uintptr_t> hosts_;
  /// Never freed: late calls would tell.
  std::vector<std::unique_ptr<Environment>> environments_;
  /// The first `host:` line of each name.
  std::map<std::string, const Step*> first_;
};

}  // namespace gaur::tool
