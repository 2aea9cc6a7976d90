// The words by which a thread finds its block: a thread-local variable for C++ and the assembly, and one at a
// place that compiled code can rely on.
#include "vm/abi/thread_block.h"

thread_local constinit gaur::abi::ThreadBlock* gaur_currentThread = nullptr;

namespace gaur::abi {

#if defined(__x86_64__)

namespace {

/// The last of four words that glibc reserves for transactional memory (tcbhead_t::__private_tm); libitm,
/// their only user, takes the first two.
constexpr std::intptr_t kReservedWord = GAUR_CURRENT_THREAD_WORD;

}  // namespace

void setCurrentThread(ThreadBlock* block) {
  gaur_currentThread = block;
  asm volatile("movq %0, %%fs:%c1" : : "r"(block), "i"(kReservedWord) : "memory");
}

std::intptr_t currentThreadOffset() { return kReservedWord; }

#else

void setCurrentThread(ThreadBlock* block) { gaur_currentThread = block; }

std::intptr_t currentThreadOffset() {
  return reinterpret_cast<std::intptr_t>(&gaur_currentThread) -
         reinterpret_cast<std::intptr_t>(__builtin_thread_pointer());
}

#endif

}  // namespace gaur::abi
