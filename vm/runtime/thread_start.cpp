// Threads that the program starts (NEWTHREAD), and the list of all threads of a VM.
#include <pthread.h>
#include <semaphore.h>

#include <utility>

#include "vm/runtime/allocation.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"
#include "vm/support/check.h"

namespace gaur::runtime {

/// What the thread that starts another hands over. Lies on its stack, so that the collector sees what is in
/// it, and it waits until it is taken.
struct Thread::StartPackage {
  MicroVm& vm;
  abi::StackObject& stack;
  void* threadLocal;
  const abi::ResumeImage& image;
  abi::ThreadObject* threadObject;
  sem_t taken;
};

abi::ThreadObject* Thread::start(MicroVm& vm, abi::StackObject& stack, void* threadLocal,
                                 const abi::ResumeImage& image) {
  auto* object = allocateRuntimeObject<abi::ThreadObject>(*current(), abi::kThreadObjectType);
  if (!object) return nullptr;
  StartPackage package{vm, stack, threadLocal, image, object, {}};
  sem_init(&package.taken, 0, 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  vm.threads().countStarted();
  // From here on: nobody else can take what the thread will find.
  bindFromAfar(stack);
  pthread_t handle;
  bool started = pthread_create(&handle, &attributes, main, &package) == 0;
  pthread_attr_destroy(&attributes);
  if (started) {
    while (sem_wait(&package.taken) != 0) {
    }
  } else {
    unbind(stack);
    vm.threads().countEnded();
  }
  sem_destroy(&package.taken);
  return started ? object : nullptr;
}

void* Thread::main(void* argument) {
  auto& package = *static_cast<StartPackage*>(argument);
  MicroVm& vm = package.vm;
  {
    Thread thread(vm);
    thread.isStarted_ = true;
    thread.block_.threadLocal = package.threadLocal;
    thread.block_.threadObject = package.threadObject;
    thread.block_.threadObject->thread = &thread;
    thread.block_.stack = &package.stack;
    abi::ResumeImage image = package.image;
    sem_post(&package.taken);
    thread.run(*thread.block_.stack, image);
  }
  vm.threads().countEnded();
  return nullptr;
}

void Thread::run(abi::StackObject& stack, const abi::ResumeImage& image) {
  setStackLimit(stack.limit);
  gaur_enterResumed(&stack, &block_.nativeStackPointer, &image);
  setStackLimit(0);
  if (block_.stack) buryStack(*block_.stack);
  block_.stack = nullptr;
}

void ThreadList::add(Thread& thread) {
  std::lock_guard lock(mutex_);
  thread.next_ = first_;
  if (first_) first_->previous_ = &thread;
  first_ = &thread;
}

void ThreadList::remove(Thread& thread) {
  std::lock_guard lock(mutex_);
  unlink(thread);
}

void ThreadList::unlink(Thread& thread) {
  if (thread.next_) thread.next_->previous_ = thread.previous_;
  (thread.previous_ ? thread.previous_->next_ : first_) = thread.next_;
}

void ThreadList::countStarted() {
  std::lock_guard lock(mutex_);
  ++started_;
}

void ThreadList::countEnded() {
  std::lock_guard lock(mutex_);
  if (--started_ == 0) ended_.notify_all();
}

bool ThreadList::hasStarted() {
  std::lock_guard lock(mutex_);
  return started_ != 0;
}

void ThreadList::waitForStarted() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return started_ == 0; });
}

}  // namespace gaur::runtime
