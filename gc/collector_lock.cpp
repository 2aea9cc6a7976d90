#include "gc/collector_lock.h"

#include <gc/gc.h>

namespace gaur::gc {

void callWithCollectorLock(void (*f)(void* data), void* data) {
  struct Call {
    void (*f)(void* data);
    void* data;
  } call{f, data};
  GC_call_with_alloc_lock(
      [](void* made) -> void* {
        auto* call = static_cast<Call*>(made);
        call->f(call->data);
        return nullptr;
      },
      &call);
}

}  // namespace gaur::gc
