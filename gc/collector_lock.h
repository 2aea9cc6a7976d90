// Changes of what collections walk through: none can go on meanwhile.
#pragma once

#include <gc/gc.h>

namespace gaur::gc {

/// Calls f() with Boehm's allocation lock held. It must not allocate from the heap.
template <class F>
void withCollectorLock(F f) {
  GC_call_with_alloc_lock(
      [](void* function) -> void* {
        (*static_cast<F*>(function))();
        return nullptr;
      },
      &f);
}

}  // namespace gaur::gc
