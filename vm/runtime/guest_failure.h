// Reports of what ends a Mu program without its consent: failures that the guest has no handler for, and
// exceptions that nobody caught.
#pragma once

#include <cstdint>
#include <string>

#include "vm/abi/runtime_entries.h"
#include "vm/support/ids.h"

namespace gaur::runtime {

class Thread;

/// Exit status of a process that a guest failure ends.
inline constexpr int kGuestFailureExit = 6;

/// Accesses below this address are taken for accesses through NULL.
inline constexpr std::uintptr_t kNullBytes = std::uintptr_t{64} << 10;

/// "division by zero".
const char* describe(abi::GuestFailure failure);

/// Ends the innermost call from the host with a report of `what`, the instruction (kNoId: that of the
/// backtrace) and the backtrace from the caller on, which compiled code called.
[[noreturn]] void failHere(const std::string& what, Id instruction = kNoId);
/// The same with the backtrace from a place in compiled code.
[[noreturn]] void failAt(const std::string& what, std::uintptr_t pc, std::uintptr_t framePointer);

/// Whether the instruction that called a throwing entry (the assembly's THROWING_ENTRY) has a handler.
/// `frame`: of the function that does the work of the entry.
bool hasHandler(Thread& thread, const void* frame);

/// For an exception that reaches the host.
std::string uncaughtReport(Thread& thread, void* exception);

}  // namespace gaur::runtime
