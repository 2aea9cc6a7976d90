// Changes of what collections walk through: none can go on meanwhile.
#pragma once

namespace gaur::gc {

void callWithCollectorLock(void (*f)(void* data), void* data);

/// Calls f() with Boehm's allocation lock held. It must not allocate from the heap.
template <class F>
void withCollectorLock(F f) {
  callWithCollectorLock([](void* function) { (*static_cast<F*>(function))(); }, &f);
}

}  // namespace gaur::gc
