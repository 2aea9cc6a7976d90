// The one thing the collector reads of an interrupted thread that depends on the processor.
#pragma once

#include <ucontext.h>

#include <cstdint>

namespace gaur::gc {

/// Stack pointer of the code that a signal interrupted. `context` is the third argument of the signal
/// handler.
inline std::uintptr_t interruptedStackPointer(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return machine.sp;
#else
#error "No stack pointer known for this processor"
#endif
}

}  // namespace gaur::gc
