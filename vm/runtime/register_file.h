// The registers that a callee saves, by their DWARF numbers: the form in which unwinding follows them from
// frame to frame. UnwindRegisters is the form in which they are kept.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/stack_object.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

#if defined(__x86_64__)
class RegisterFile {
 public:
  static constexpr unsigned kFramePointer = 6;

  explicit RegisterFile(const UnwindRegisters& from) {
    values_[3] = from.rbx;
    values_[6] = from.rbp;
    values_[12] = from.r12;
    values_[13] = from.r13;
    values_[14] = from.r14;
    values_[15] = from.r15;
  }
  void storeTo(UnwindRegisters& to) const {
    to.rbx = values_[3];
    to.rbp = values_[6];
    to.r12 = values_[12];
    to.r13 = values_[13];
    to.r14 = values_[14];
    to.r15 = values_[15];
  }
  /// All but the frame pointer.
  void loadFrom(const abi::ResumeFrame& frame) {
    values_[3] = frame.calleeSaved[0];
    for (unsigned i = 1; i < 5; ++i) values_[11 + i] = frame.calleeSaved[i];
  }
  void storeTo(abi::ResumeFrame& frame) const {
    frame.calleeSaved[0] = values_[3];
    for (unsigned i = 1; i < 5; ++i) frame.calleeSaved[i] = values_[11 + i];
  }
  std::uintptr_t& operator[](unsigned number) { return values_[number & 15]; }

 private:
  std::uintptr_t values_[16];
};
/// The return address lies below the frame's canonical address.
inline constexpr std::uintptr_t kReturnAddressBytes = 8;

/// The register with this DWARF number.
inline std::uintptr_t& calleeSaved(UnwindRegisters& registers, unsigned number) {
  constexpr unsigned char kPlaces[16] = {0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 3, 4, 5};
  static_assert(offsetof(UnwindRegisters, rbx) == 0 && offsetof(UnwindRegisters, r15) == 40);
  return reinterpret_cast<std::uintptr_t*>(&registers)[kPlaces[number & 15]];
}
inline std::uintptr_t& framePointerOf(UnwindRegisters& registers) { return registers.rbp; }
inline std::uintptr_t framePointerOf(const UnwindRegisters& registers) { return registers.rbp; }
#elif defined(__aarch64__)
class RegisterFile {
 public:
  static constexpr unsigned kFramePointer = 29;

  explicit RegisterFile(const UnwindRegisters& from) {
    for (unsigned i = 0; i < 12; ++i) values_[19 + i] = from.x19to30[i];
    for (unsigned i = 0; i < 8; ++i) values_[72 + i] = from.d8to15[i];
  }
  void storeTo(UnwindRegisters& to) const {
    for (unsigned i = 0; i < 12; ++i) to.x19to30[i] = values_[19 + i];
    for (unsigned i = 0; i < 8; ++i) to.d8to15[i] = values_[72 + i];
  }
  void loadFrom(const abi::ResumeFrame& frame) {
    for (unsigned i = 0; i < 10; ++i) values_[19 + i] = frame.calleeSaved[i];
    for (unsigned i = 0; i < 8; ++i) values_[72 + i] = frame.floatingPoint[i];
  }
  void storeTo(abi::ResumeFrame& frame) const {
    for (unsigned i = 0; i < 10; ++i) frame.calleeSaved[i] = values_[19 + i];
    for (unsigned i = 0; i < 8; ++i) frame.floatingPoint[i] = values_[72 + i];
  }
  std::uintptr_t& operator[](unsigned number) { return values_[number]; }

 private:
  std::uintptr_t values_[96];
};
inline constexpr std::uintptr_t kReturnAddressBytes = 0;

inline std::uintptr_t& calleeSaved(UnwindRegisters& registers, unsigned number) {
  return number < 72 ? registers.x19to30[number - 19] : registers.d8to15[number - 72];
}
inline std::uintptr_t& framePointerOf(UnwindRegisters& registers) { return registers.x19to30[10]; }
inline std::uintptr_t framePointerOf(const UnwindRegisters& registers) { return registers.x19to30[10]; }
#endif

inline std::uintptr_t wordAt(std::uintptr_t address) {
  return *reinterpret_cast<const std::uintptr_t*>(address);
}

inline std::uintptr_t moved(std::uintptr_t address, std::int64_t offset) {
  return address + static_cast<std::uintptr_t>(offset);
}

/// Where the return address of a frame lies, from its frame pointer and its canonical address.
inline std::uintptr_t returnPlace([[maybe_unused]] std::uintptr_t framePointer,
                                  [[maybe_unused]] std::uintptr_t canonicalAddress) {
#if defined(__x86_64__)
  return canonicalAddress - kReturnAddressBytes;
#else
  return framePointer + sizeof(std::uintptr_t);
#endif
}

}  // namespace gaur::runtime
