// Traps (specification, chapter "Threads and stacks"): what a handler is told and what it answers. The
// trapped stack is READY while the handler runs on the native stack of the thread, which is bound to no stack
// meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "vm/abi/function_record.h"
#include "vm/abi/stack_object.h"

namespace gaur::runtime {

class MicroVm;
class Thread;

struct TrapAnswer {
  /// The thread goes on with this READY stack; null: the Mu thread ends, and the trapped stack stays READY.
  /// Begins as the trapped stack.
  abi::StackObject* stack;
  /// What the stack is resumed with (resumption.h). Begins as no values.
  abi::ResumeImage image;
};

/// Decides how a thread that trapped goes on. Called on the trapping thread, on several at once; may call
/// into the VM in any way. `watchpoint` is 0 for TRAP and for functions without a version.
using TrapFunction = void (*)(Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                              TrapAnswer& answer, void* data);

/// The handler of a VM. A Mu function, where one is set, takes precedence (@uvm.meta.set_trap_handler).
class TrapHandlers {
 public:
  /// Replaces the native handler; null: none. Thread-safe, as everything here.
  void set(TrapFunction function, void* data);
  /// `function`: (stackref int<32> ref<void>) -> (), run on a new stack of the trapping thread; it must not
  /// return. Null: none.
  void setMu(abi::FunctionRecord* function, void* userData);

  /// False where nobody handles traps.
  bool handle(Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint, TrapAnswer& answer) const;
  /// The user data of the Mu handler: a root.
  void* userData() const;
  /// The Mu handler, or null: keeps its code.
  abi::FunctionRecord* muFunction() const;

 private:
  struct Native {
    TrapFunction function;
    void* data;
  };
  struct Mu {
    abi::FunctionRecord* function;
    void* userData;
  };
  std::atomic<const Native*> native_{nullptr};
  std::atomic<const Mu*> mu_{nullptr};
  // Handlers are replaced seldom, and a thread may be about to call an old one: all are kept.
  std::mutex mutex_;
  std::vector<std::unique_ptr<Native>> natives_;
  std::vector<std::unique_ptr<Mu>> mus_;
};

}  // namespace gaur::runtime
