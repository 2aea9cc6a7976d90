// Things outside the heap that collections look at, each from its construction to its destruction. Such a
// list changes only with the collector's lock held, so that marking goes through it as it is.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gc/collector_lock.h"

namespace gaur::gc {

/// A range of addresses that tells what is not to be looked at more closely: most words that marking meets.
struct AddressSpan {
  std::uintptr_t begin = 0;
  std::uintptr_t bytes = 0;

  bool contains(std::uintptr_t address) const { return address - begin < bytes; }
  bool isEmpty() const { return bytes == 0; }
  /// Makes it hold [from, to) too.
  void extend(std::uintptr_t from, std::uintptr_t to) {
    const std::uintptr_t lowest = isEmpty() ? from : std::min(begin, from);
    const std::uintptr_t highest = isEmpty() ? to : std::max(begin + bytes, to);
    *this = {lowest, highest - lowest};
  }
};

/// Base of a T that is in the one list of all Ts. T enters it when it is complete, and leaves it before
/// anything of it goes; `changed()` runs with the lock held, after the list has changed.
template <class T>
class Listed {
 public:
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

  template <class F>
  static void forEach(F&& f) {
    for (T* one = first_; one; one = one->next_) f(*one);
  }

 protected:
  Listed() = default;
  ~Listed() = default;

  template <class F>
  void enter(F&& changed) {
    withCollectorLock([&] {
      next_ = first_;
      first_ = static_cast<T*>(this);
      changed();
    });
  }
  template <class F>
  void leave(F&& changed) {
    withCollectorLock([&] {
      T** link = &first_;
      while (*link != this) link = &(*link)->next_;
      *link = next_;
      changed();
    });
  }

 private:
  static inline T* first_ = nullptr;
  T* next_ = nullptr;
};

}  // namespace gaur::gc
