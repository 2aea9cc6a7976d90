#include "vm/runtime/trap.h"

#include <array>
#include <atomic>

#include "jit/code_map.h"
#include "vm/ir/instruction.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

void TrapHandlers::set(TrapFunction function, void* data) {
  std::lock_guard lock(mutex_);
  natives_.push_back(std::make_unique<Native>(Native{function, data}));
  native_.store(function ? natives_.back().get() : nullptr, std::memory_order_release);
}

void TrapHandlers::setMu(abi::FunctionRecord* function, void* userData) {
  std::lock_guard lock(mutex_);
  mus_.push_back(std::make_unique<Mu>(Mu{function, userData}));
  mu_.store(function ? mus_.back().get() : nullptr, std::memory_order_release);
}

void* TrapHandlers::userData() const {
  const Mu* mu = mu_.load(std::memory_order_acquire);
  return mu ? mu->userData : nullptr;
}

abi::FunctionRecord* TrapHandlers::muFunction() const {
  const Mu* mu = mu_.load(std::memory_order_acquire);
  return mu ? mu->function : nullptr;
}

bool TrapHandlers::handle(Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                          TrapAnswer& answer) const {
  if (const Mu* mu = mu_.load(std::memory_order_acquire)) {
    abi::StackObject* handler = newStack(thread, mu->function);
    if (!handler) failHere("no memory for the stack of the trap handler");
    const abi::StackObject* trapped = &stack;
    const std::array<const void*, 3> values{&trapped, &watchpoint, &mu->userData};
    setValues(abi::LayoutTable::shared(), *handler, mu->function->function->signature->signature->parameters,
              values, answer.image);
    answer.stack = handler;
    return true;
  }
  const Native* native = native_.load(std::memory_order_acquire);
  if (!native) return false;
  native->function(thread, stack, watchpoint, answer, native->data);
  return true;
}

}  // namespace gaur::runtime

using namespace gaur;
using namespace gaur::runtime;

/// Work of gaur_trap, on the native stack: decides how the thread goes on. Returns the stack to resume, and
/// in the image how.
extern "C" abi::StackObject* gaur_handleTrap(abi::StackObject* stack, abi::ResumeImage* image) {
  Thread& thread = *Thread::current();
  MicroVm& vm = thread.vm();
  const auto& saved = *static_cast<const abi::SavedFrame*>(stack->savedPointer);
  const jit::UnwindStep& step =
      thread.unwindCache.find(vm.codeMap(), reinterpret_cast<std::uintptr_t>(saved.pc));
  Id instruction = step.site.row ? step.site.row->instruction : kNoId;
  std::uint32_t watchpoint = 0;
  if (instruction != kNoId) {
    const auto* entity = vm.program().entityOfCode<ir::Instruction>(instruction);
    if (entity && entity->opcode == ir::Opcode::Watchpoint) watchpoint = entity->immediate;
  }
  TrapAnswer answer{stack, {}};
  stack->isShared = 1;
  if (!vm.trapHandlers().handle(thread, *stack, watchpoint, answer)) {
    thread.block().stack = stack;
    bindFromAfar(*stack);
    const bool isUndefined = step.site && step.site.function->kind == abi::CodeKind::Undefined;
    const std::string why =
        isUndefined ? "function " + ir::describe(*step.site.function->record->function) + " has no version"
                    : "a trap";
    failAt(why + ", and there is no trap handler", reinterpret_cast<std::uintptr_t>(saved.pc),
           reinterpret_cast<std::uintptr_t>(saved.framePointer));
  }
  if (!answer.stack) thread.exit();
  if (!isReady(*answer.stack)) failHere("the trap handler goes on with a stack that is not READY");
  *image = answer.image;
  return answer.stack;
}
