// Hand-written instructions for x86-64.
#if defined(__x86_64__)
#include <cstdint>
#include <cstring>

#include "jit/code_stubs.h"

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
#pragma pack(pop)
static_assert(sizeof(Trampoline) <= kTrampolineBytes);

constexpr int kInt3 = 0xcc;

}  // namespace

void writeTrampoline(void* writable, void* chain, void* const* target) {
  Trampoline code;
  code.chain = reinterpret_cast<std::uint64_t>(chain);
  code.target = reinterpret_cast<std::uint64_t>(target);
  std::memcpy(writable, &code, sizeof(code));
}

void fillWithTraps(void* writable, std::size_t bytes) { std::memset(writable, kInt3, bytes); }

// Instruction fetch is coherent with stores, also through another mapping of the page.
void flushCode(void*, void*, std::size_t) {}

}  // namespace gaur::jit
#endif
