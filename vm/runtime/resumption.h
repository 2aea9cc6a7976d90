// New stacks, and resuming READY ones from C++: what they wait for, and how values get to them.
// vm/abi/README.md tells how a READY stack looks.
#pragma once

#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "vm/abi/function_record.h"
#include "vm/abi/layout.h"
#include "vm/abi/stack_object.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;
class Thread;

/// A stack READY with the parameters of the function, which may have no version. Null where there is no
/// memory or the compiler is not to be had. Runs on any stack of the thread.
abi::StackObject* newStack(Thread& thread, abi::FunctionRecord* function);

/// Whether the stack is READY: neither dead nor bound to a thread.
inline bool isReady(const abi::StackObject& stack) { return stack.savedPointer != nullptr; }

/// Binds a READY stack to a thread that does not stand on it: that works on its native stack, or has not come
/// yet. The collector finds it all the while.
inline void bindFromAfar(abi::StackObject& stack) {
  stack.leftPointer = stack.savedPointer;
  std::atomic_signal_fence(std::memory_order_release);
  stack.savedPointer = nullptr;
}
/// Makes it READY again.
inline void unbind(abi::StackObject& stack) {
  stack.savedPointer = stack.leftPointer;
  std::atomic_signal_fence(std::memory_order_release);
  stack.leftPointer = nullptr;
}

/// Types, few as a rule, so that the list needs no memory of its own then.
class TypeList {
 public:
  TypeList() = default;
  explicit TypeList(std::span<const ir::Type* const> types) {
    for (const ir::Type* type : types) push_back(type);
  }

  void push_back(const ir::Type* type) {
    if (size_ < few_.size()) {
      few_[size_] = type;
    } else {
      if (size_ == few_.size()) many_.assign(few_.begin(), few_.end());
      many_.push_back(type);
    }
    ++size_;
  }
  std::size_t size() const { return size_; }
  const ir::Type* const* begin() const { return size_ <= few_.size() ? few_.data() : many_.data(); }
  const ir::Type* const* end() const { return begin() + size_; }
  const ir::Type* operator[](std::size_t i) const { return begin()[i]; }
  operator std::span<const ir::Type* const>() const { return {begin(), size_}; }

 private:
  std::array<const ir::Type*, 4> few_;
  std::size_t size_ = 0;
  std::vector<const ir::Type*> many_;
};

/// Types of the values that a READY stack waits for. Called on an attached thread. An error where it is not
/// READY, or waits in a place that cannot be told.
Result<TypeList> expectedTypes(MicroVm& vm, const abi::StackObject& stack);

/// Prepares the resumption of a READY stack with values, each in memory in the layout of its type. Requires:
/// `types` are what the stack waits for.
void setValues(abi::LayoutTable& layouts, const abi::StackObject& stack,
               std::span<const ir::Type* const> types, std::span<const void* const> values,
               abi::ResumeImage& image);
/// Prepares the resumption of a READY stack with an exception, which may be NULL.
inline void setException(void* exception, abi::ResumeImage& image) {
  image.exception = exception;
  image.throws = 1;
}

/// Memory that a StartFrame needs for the values of a function, in and out, where they do not travel in
/// registers.
std::uint64_t startMemoryBytes(abi::LayoutTable& layouts, const ir::Signature* signature);

}  // namespace gaur::runtime
