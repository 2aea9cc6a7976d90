// Hand-written instructions for x86-64.
#if defined(__x86_64__)
#include <cstdint>
#include <cstring>

#include "jit/code_stubs.h"
#include "vm/abi/asm_offsets.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

#pragma pack(push, 1)
struct Trampoline {
  std::uint8_t moveChain[2] = {0x49, 0xba};  // mov r10, chain
  std::uint64_t chain;
  std::uint8_t moveTarget[2] = {0x49, 0xbb};  // mov r11, target
  std::uint64_t target;
  std::uint8_t jump[3] = {0x41, 0xff, 0x23};  // jmp [r11]
};
struct HostTrampoline {
  std::uint8_t moveRecord[2] = {0x49, 0xba};  // mov r10, record
  std::uint64_t record;
  std::uint8_t loadEnvironment[4];            // mov register, [r10 + GAUR_HOST_ENVIRONMENT]
  std::uint8_t jump[3] = {0x41, 0xff, 0x22};  // jmp [r10]
};
struct StackTrampoline {
  std::uint8_t moveRecord[2] = {0x49, 0xba};  // mov r10, record
  std::uint64_t record;
  std::uint8_t moveTarget[2] = {0x49, 0xbb};  // mov r11, onStack
  std::uint64_t target;
  std::uint8_t jump[3] = {0x41, 0xff, 0xe3};  // jmp r11
};
#pragma pack(pop)
static_assert(sizeof(Trampoline) <= kTrampolineBytes);
static_assert(sizeof(HostTrampoline) <= kTrampolineBytes && sizeof(StackTrampoline) <= kTrampolineBytes);
static_assert(GAUR_HOST_CODE == 0);

/// Numbers of the integer argument registers: rdi, rsi, rdx, rcx, r8, r9.
constexpr std::uint8_t kArgumentRegisters[] = {7, 6, 2, 1, 8, 9};

constexpr int kInt3 = 0xcc;

// The instructions at a watchpoint, as little-endian numbers. Both are five bytes.
constexpr unsigned kPatchBytes = 5;
constexpr std::uint64_t kPatchMask = (std::uint64_t{1} << kPatchBytes * 8) - 1;
constexpr std::uint64_t kNop = 0x0000441f0f;  // nopl 0(rax, rax)
constexpr std::uint64_t kJumpOpcode = 0xe9;   // jmp, with the distance from its end in the other bytes
constexpr std::uintptr_t kWord = sizeof(std::uint64_t);

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
  const std::uint8_t number = kArgumentRegisters[integerRegister];
  const std::uint8_t rex = number < 8 ? 0x49 : 0x4d;
  const auto operands = static_cast<std::uint8_t>(0x42 | (number & 7) << 3);
  HostTrampoline code{.record = reinterpret_cast<std::uint64_t>(record),
                      .loadEnvironment = {rex, 0x8b, operands, GAUR_HOST_ENVIRONMENT}};
  std::memcpy(writable, &code, sizeof(code));
}

void fillWithTraps(void* writable, std::size_t bytes) { std::memset(writable, kInt3, bytes); }

// Instruction fetch is coherent with stores, also through another mapping of the page.
void flushCode(void*, void*, std::size_t) {}

// Processors fetch an aligned word as a whole.
bool isPatchable(std::uintptr_t address) { return address % kWord + kPatchBytes <= kWord; }

void patchWatchpoint(void* code, void* writable, const void* target) {
  std::uint64_t instruction = kNop;
  if (target) {
    auto distance = static_cast<const char*>(target) - static_cast<char*>(code) - std::ptrdiff_t{kPatchBytes};
    instruction = kJumpOpcode | static_cast<std::uint64_t>(static_cast<std::uint32_t>(distance)) << 8;
  }
  auto address = reinterpret_cast<std::uintptr_t>(writable);
  auto* word = reinterpret_cast<std::uint64_t*>(address / kWord * kWord);
  const auto shift = static_cast<unsigned>(address % kWord) * 8;
  const std::uint64_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
  const std::uint64_t old = before >> shift & kPatchMask;
  GAUR_CHECK(isPatchable(address) && (old == kNop || (old & 0xff) == kJumpOpcode),
             "there is no watchpoint to patch");
  __atomic_store_n(word, (before & ~(kPatchMask << shift)) | instruction << shift, __ATOMIC_RELEASE);
}

}  // namespace gaur::jit
#endif
