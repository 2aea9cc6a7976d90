#include "vm/runtime/attachment.h"

#include <memory>
#include <utility>
#include <vector>

#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

namespace {

using Attachments = std::vector<std::unique_ptr<Thread>>;

/// Innermost last. No object with a destructor: what exit() does may attach the thread again when its destructors have run.
thread_local constinit Attachments* attachments = nullptr;

/// Detaches in reverse order when the thread ends.
struct Detacher {
  void use() {}
  ~Detacher() {
    if (!attachments) return;
    while (!attachments->empty()) {
      // Native code below Mu code ends the process: what the thread holds ends with it.
      if (attachments->back()->runsMuCode()) static_cast<void>(attachments->back().release());
      attachments->pop_back();
    }
    delete std::exchange(attachments, nullptr);
  }
};
thread_local Detacher detacher;

}  // namespace

AttachedScope::AttachedScope(MicroVm& vm) : thread_(Thread::current()) {
  if (thread_ && &thread_->vm() == &vm) return;
  own_ = std::make_unique<Thread>(vm);
  thread_ = own_.get();
}

AttachedScope::~AttachedScope() = default;

void attachForGood(MicroVm& vm) {
  detacher.use();
  if (!attachments) attachments = new Attachments;
  attachments->push_back(std::make_unique<Thread>(vm));
}

void detachFrom(MicroVm& vm) {
  while (attachments && !attachments->empty() && &attachments->back()->vm() == &vm) attachments->pop_back();
}

}  // namespace gaur::runtime
