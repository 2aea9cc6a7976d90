// Attaching native threads that are not attached yet: those that call an exposed function, until they end or the VM does; others for as long as they need it.
#pragma once

#include <memory>

namespace gaur::runtime {

class MicroVm;
class Thread;

/// The attachment of this thread to a VM for the time of a scope: the one it has, or, where it is attached to no VM or to another one, one that ends
/// with the scope.
class AttachedScope {
 public:
  explicit AttachedScope(MicroVm& vm);
  ~AttachedScope();
  AttachedScope(const AttachedScope&) = delete;
  AttachedScope& operator=(const AttachedScope&) = delete;

  /// False where the thread was attached before.
  bool isNew() const { return own_ != nullptr; }
  Thread& operator*() const { return *thread_; }
  Thread* operator->() const { return thread_; }

 private:
  Thread* thread_;
  std::unique_ptr<Thread> own_;
};

/// Attaches this thread to the VM until it ends.
void attachForGood(MicroVm& vm);
/// Detaches this thread, if attachForGood attached it to this VM.
void detachFrom(MicroVm& vm);

}  // namespace gaur::runtime
