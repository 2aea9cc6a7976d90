#include "tools/gaur/process_end.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "vm/runtime/micro_vm.h"

namespace gaur::tool {

namespace {

std::atomic<runtime::MicroVm*> running{nullptr};

bool hasThreads(runtime::MicroVm& vm) {
  bool found = vm.threads().hasStarted();
  vm.threads().forEach([&](runtime::Thread&) { found = true; });
  return found;
}

void endOfExit(int status, void*) {
  runtime::MicroVm* vm = running.load();
  if (vm && hasThreads(*vm)) leaveProcess(status);
}

}  // namespace

ProcessEnd::ProcessEnd(runtime::MicroVm& vm) {
  static const int registered = on_exit(endOfExit, nullptr);
  (void)registered;
  running = &vm;
}

ProcessEnd::~ProcessEnd() { running = nullptr; }

void leaveProcess(int status) {
  fcloseall();
  std::_Exit(status);
}

}  // namespace gaur::tool
