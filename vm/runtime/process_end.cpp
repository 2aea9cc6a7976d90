#include "vm/runtime/process_end.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "vm/runtime/micro_vm.h"

namespace gaur::runtime {

namespace {

std::atomic<MicroVm*> running{nullptr};

bool hasThreads(MicroVm& vm) {
  bool found = vm.threads().hasStarted();
  vm.threads().forEach([&](Thread&) { found = true; });
  return found;
}

void endOfExit(int status, void*) {
  MicroVm* vm = running.load();
  if (vm && hasThreads(*vm)) leaveProcess(status);
}

}  // namespace

ProcessEnd::ProcessEnd(MicroVm& vm) {
  static const int registered = on_exit(endOfExit, nullptr);
  (void)registered;
  running = &vm;
}

ProcessEnd::~ProcessEnd() { running = nullptr; }

void leaveProcess(int status) {
  fcloseall();
  std::_Exit(status);
}

}  // namespace gaur::runtime
