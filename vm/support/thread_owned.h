// What a thread owns until it ends. A thread_local object with a destructor would not do: key destructors of
// a host, and what exit() calls, come later than thread_local destructors and may need it again.
#pragma once

#include <pthread.h>

#include "vm/support/check.h"

namespace gaur {

/// One T for each thread that asks for it, made by the first `get` and deleted when the thread ends; a later
/// `get` makes another, which is deleted in turn. The main thread's stays when the process exits. Instances
/// are never destroyed: threads may outlive everything.
template <class T>
class ThreadOwned {
 public:
  ThreadOwned() {
    GAUR_CHECK(pthread_key_create(&key_, [](void* owned) { delete static_cast<T*>(owned); }) == 0,
               "no thread-specific key is free");
  }
  ThreadOwned(const ThreadOwned&) = delete;
  ThreadOwned& operator=(const ThreadOwned&) = delete;

  /// Null where this thread has none.
  T* find() const { return static_cast<T*>(pthread_getspecific(key_)); }
  T& get() {
    T* owned = find();
    if (!owned) {
      owned = new T;
      GAUR_CHECK(pthread_setspecific(key_, owned) == 0, "no memory for what a thread owns");
    }
    return *owned;
  }

 private:
  pthread_key_t key_;
};

}  // namespace gaur
