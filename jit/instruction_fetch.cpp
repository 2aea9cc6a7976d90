#include "jit/instruction_fetch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gaur::jit {

namespace {

bool callMembarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

/// This thread alone.
void serialise() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  __cpuid(0, a, b, c, d);
#else
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace

void synchroniseInstructionFetch() {
  static const bool isRegistered = callMembarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
  // Without the system's help the other processors fetch the new code soon, by coherence of their caches.
  if (!isRegistered || !callMembarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE)) serialise();
}

}  // namespace gaur::jit
