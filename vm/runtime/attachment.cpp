#include "vm/runtime/attachment.h"

#include <memory>
#include <vector>

#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

namespace {

/// Innermost last; detached in reverse order when the thread ends.
struct Attachments {
  std::vector<std::unique_ptr<Thread>> threads;
  ~Attachments() {
    while (!threads.empty()) {
      // Native code below Mu code ends the process: what the thread holds ends with it.
      if (threads.back()->runsMuCode()) static_cast<void>(threads.back().release());
      threads.pop_back();
    }
  }
};
thread_local Attachments attachments;

}  // namespace

void attachForGood(MicroVm& vm) { attachments.threads.push_back(std::make_unique<Thread>(vm)); }

void detachFrom(MicroVm& vm) {
  auto& threads = attachments.threads;
  while (!threads.empty() && &threads.back()->vm() == &vm) threads.pop_back();
}

}  // namespace gaur::runtime
