#include "vm/runtime/forks.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <new>
#include <ranges>
#include <vector>

#include "vm/runtime/futex.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::runtime {

namespace {

struct Forks {
  std::mutex mutex;
  std::vector<MicroVm*> vms;
  /// The system's number of the thread that forks, as the parent knows it.
  int forker = 0;
};

Forks& forks() {
  static auto* all = new Forks;  // as long as the process lives
  return *all;
}

/// Nobody else is in the middle of a change when the memory is copied.
void prepare() {
  Forks& all = forks();
  all.mutex.lock();
  all.forker = gettid();
  for (MicroVm* vm : all.vms) vm->beforeFork();
  lockFutexes();
}

void resumeParent() {
  Forks& all = forks();
  unlockFutexes();
  for (MicroVm* vm : all.vms | std::views::reverse) vm->afterForkInParent();
  all.mutex.unlock();
}

void resumeChild() {
  Forks& all = forks();
  forgetFutexWaiters();
  unlockFutexes();
  for (MicroVm* vm : all.vms | std::views::reverse) vm->afterForkInChild(all.forker);
  all.mutex.unlock();
}

}  // namespace

void enterForks(MicroVm& vm) {
  // After the collector's, which a VM starts: it is the last to be locked and the first to be free.
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(prepare, resumeParent, resumeChild); });
  std::lock_guard lock(forks().mutex);
  forks().vms.push_back(&vm);
}

void leaveForks(MicroVm& vm) {
  std::lock_guard lock(forks().mutex);
  std::erase(forks().vms, &vm);
}

std::array<std::mutex*, 6> MicroVm::forkLocks() {
  // In the order in which they are taken where several are.
  return {&program_.loadMutex(), &code_.forkLock(),   &watchpoints_.forkLock(),
          &threads_.forkLock(),  &stacks_.forkLock(), &pins().forkLock()};
}

void MicroVm::beforeFork() {
  for (std::mutex* mutex : forkLocks()) mutex->lock();
  slab_.beforeFork();
}

void MicroVm::afterForkInParent() {
  slab_.afterFork(false);
  for (std::mutex* mutex : forkLocks() | std::views::reverse) mutex->unlock();
}

void MicroVm::afterForkInChild(int forker) {
  slab_.afterFork(true);
  threads_.keepOnly(forker);
  for (std::mutex* mutex : forkLocks() | std::views::reverse) mutex->unlock();
}

void ThreadList::keepOnly(int forker) {
  started_ = 0;
  Thread* next = nullptr;
  for (Thread* thread = first_; thread; thread = next) {
    next = thread->next_;
    if (thread->nativeId_ == forker) {
      thread->nativeId_ = gettid();
      if (thread->isStarted_) ++started_;
      continue;
    }
    // Its memory, a native stack as a rule, is still there.
    if (thread->block_.threadObject) thread->block_.threadObject->thread = nullptr;
    unlink(*thread);
  }
  // Whoever waited is gone, and would be waited for.
  new (&ended_) std::condition_variable;
}

}  // namespace gaur::runtime
