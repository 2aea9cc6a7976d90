#include "vm/runtime/attachment.h"

#include <memory>
#include <vector>

#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/support/thread_owned.h"

namespace gaur::runtime {

namespace {

/// Innermost last.
struct Attachments {
  std::vector<std::unique_ptr<Thread>> threads;

  /// Detaches in reverse order when the thread ends.
  ~Attachments() {
    while (!threads.empty()) {
      // Native code that Mu code called has ended the thread: what it holds there is gone.
      if (threads.back()->runsMuCode()) static_cast<void>(threads.back().release());
      threads.pop_back();
    }
  }
};

ThreadOwned<Attachments>& attachments() {
  static auto* owned = new ThreadOwned<Attachments>;
  return *owned;
}

}  // namespace

void attachForGood(MicroVm& vm) { attachments().get().threads.push_back(std::make_unique<Thread>(vm)); }

void detachFrom(MicroVm& vm) {
  Attachments* mine = attachments().find();
  while (mine && !mine->threads.empty() && &mine->threads.back()->vm() == &vm) mine->threads.pop_back();
}

}  // namespace gaur::runtime
