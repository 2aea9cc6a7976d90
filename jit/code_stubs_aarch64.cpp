// Hand-written instructions for AArch64.
#if defined(__aarch64__)
#include <cstdint>
#include <cstring>

#include "jit/code_stubs.h"
#include "vm/abi/asm_offsets.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

struct Trampoline {
  std::uint32_t loadChain = 0x58000092;   // ldr x18, chain
  std::uint32_t loadTarget = 0x580000b0;  // ldr x16, target
  std::uint32_t loadEntry = 0xf9400210;   // ldr x16, [x16]
  std::uint32_t jump = 0xd61f0200;        // br x16
  std::uint64_t chain;
  std::uint64_t target;
};
static_assert(sizeof(Trampoline) == kTrampolineBytes);

struct HostTrampoline {
  std::uint32_t loadRecord = 0x58000092;  // ldr x18, record
  std::uint32_t loadEnvironment;          // ldr register, [x18, GAUR_HOST_ENVIRONMENT]
  std::uint32_t loadCode = 0xf9400250;    // ldr x16, [x18]
  std::uint32_t jump = 0xd61f0200;        // br x16
  std::uint64_t record;
};
struct StackTrampoline {
  std::uint32_t loadRecord = 0x58000092;  // ldr x18, record
  std::uint32_t loadTarget = 0x580000b0;  // ldr x16, target
  std::uint32_t jump = 0xd61f0200;        // br x16
  std::uint32_t padding = 0xd503201f;     // nop
  std::uint64_t record;
  std::uint64_t target;
};
static_assert(sizeof(HostTrampoline) <= kTrampolineBytes && sizeof(StackTrampoline) <= kTrampolineBytes);
static_assert(GAUR_HOST_CODE == 0);

constexpr std::uint32_t kLoadFromChain = 0xf9400240;  // ldr register, [x18, offset in words in bits 10 to 21]

constexpr std::uint32_t kBreak = 0xd4200000;  // brk #0

// The instructions at a watchpoint. The architecture allows these two to be replaced while they are executed.
constexpr std::uint32_t kNop = 0xd503201f;
constexpr std::uint32_t kJumpOpcode = 0x14000000;  // b, with the distance in words in the other bits
constexpr std::uint32_t kDistanceMask = 0x03ffffff;

}  // namespace

void writeTrampoline(void* writable, void* chain, void* const* target) {
  Trampoline code;
  code.chain = reinterpret_cast<std::uint64_t>(chain);
  code.target = reinterpret_cast<std::uint64_t>(target);
  std::memcpy(writable, &code, sizeof(code));
}

void writeHostTrampoline(void* writable, void* record, unsigned integerRegister, const void* onStack) {
  if (onStack) {
    StackTrampoline code;
    code.record = reinterpret_cast<std::uint64_t>(record);
    code.target = reinterpret_cast<std::uint64_t>(onStack);
    std::memcpy(writable, &code, sizeof(code));
    return;
  }
  constexpr std::uint32_t kEnvironmentWord = GAUR_HOST_ENVIRONMENT / sizeof(std::uint64_t);
  HostTrampoline code{.loadEnvironment = kLoadFromChain | kEnvironmentWord << 10 | integerRegister,
                      .record = reinterpret_cast<std::uint64_t>(record)};
  std::memcpy(writable, &code, sizeof(code));
}

void fillWithTraps(void* writable, std::size_t bytes) {
  auto* word = static_cast<std::uint32_t*>(writable);
  for (std::size_t i = 0; i < bytes / sizeof(kBreak); ++i) word[i] = kBreak;
}

void flushCode(void* code, void* writable, std::size_t bytes) {
  auto flush = [bytes](void* begin) {
    __builtin___clear_cache(static_cast<char*>(begin), static_cast<char*>(begin) + bytes);
  };
  flush(writable);
  flush(code);
}

bool isPatchable(std::uintptr_t address) { return address % sizeof(kNop) == 0; }

void patchWatchpoint(void* code, void* writable, const void* target) {
  std::uint32_t instruction = kNop;
  if (target) {
    auto words = (static_cast<const char*>(target) - static_cast<char*>(code)) / std::ptrdiff_t{sizeof(kNop)};
    instruction = kJumpOpcode | (static_cast<std::uint32_t>(words) & kDistanceMask);
  }
  auto* word = static_cast<std::uint32_t*>(writable);
  const std::uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
  GAUR_CHECK(old == kNop || (old & ~kDistanceMask) == kJumpOpcode, "there is no watchpoint to patch");
  __atomic_store_n(word, instruction, __ATOMIC_RELEASE);
  flushCode(code, writable, sizeof(instruction));
}

}  // namespace gaur::jit
#endif
