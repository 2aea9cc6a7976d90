#include "vm/runtime/guest_failure.h"

#include <fmt/format.h>
#include <unistd.h>

#include "jit/code_map.h"
#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/runtime/backtrace.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

/// Empty on the first thread of the process, which needs no telling.
std::string threadLine(Thread& thread) {
  return thread.nativeId() == getpid() ? "" : "  on thread " + std::to_string(thread.nativeId()) + "\n";
}

std::string makeReport(Thread& thread, const std::string& what, std::vector<BacktraceFrame> frames,
                       Id instruction) {
  MicroVm& vm = thread.vm();
  if (!frames.empty() && frames[0].instruction == kNoId) frames[0].instruction = instruction;
  std::string report = "gaur: " + what + "\n" + threadLine(thread);
  if (frames.empty())
    return instruction == kNoId ? report : report + "  at " + describeSite(vm, kNoId, instruction) + "\n";
  report += "  at " + describeSite(vm, frames[0].version, frames[0].instruction) + "\n";
  if (frames.size() > 1) report += "  backtrace\n" + formatBacktrace(vm, frames);
  return report;
}

[[noreturn]] void fail(const std::string& what, const std::vector<BacktraceFrame>& frames, Id instruction) {
  Thread* thread = Thread::current();
  thread->fail(makeReport(*thread, what, frames, instruction));
}

}  // namespace

const char* describe(abi::GuestFailure failure) {
  switch (failure) {
    case abi::GuestFailure::DivisionByZero: return "division by zero";
    case abi::GuestFailure::AllocationFailed: return "out of memory";
    case abi::GuestFailure::StackExhausted: return "stack overflow";
    case abi::GuestFailure::NullAccess: return "memory access through NULL";
    case abi::GuestFailure::NullCallee: return "call of a NULL function";
    case abi::GuestFailure::ThreadNotStarted: return "no thread can be started";
    case abi::GuestFailure::Unreachable: return "control came to an end that cannot be reached";
  }
  GAUR_UNREACHABLE("no such guest failure");
}

bool hasHandler(Thread& thread, const void* frame) {
  const auto* entry = *static_cast<const std::uintptr_t* const*>(frame);
  return thread.vm().codeMap().findReturn(entry[1]).landingPad() != 0;
}

void failHere(const std::string& what, Id instruction) {
  fail(what, collectBacktrace(Thread::current()->vm()), instruction);
}

void failAt(const std::string& what, std::uintptr_t pc, std::uintptr_t framePointer) {
  fail(what, collectBacktrace(Thread::current()->vm(), pc, framePointer), kNoId);
}

std::string uncaughtReport(Thread& thread, void* exception) {
  std::string report = "gaur: uncaught exception ";
  if (!exception) {
    report += thread.overflow ? "NULL: stack overflow" : "NULL";
  } else {
    auto header = abi::ObjectHeader::of(exception);
    report += "of type " + abi::LayoutTable::shared().byIndex(header.typeIndex()).name() +
              fmt::format(" at {}", exception);
  }
  report += "\n" + threadLine(thread);
  const auto& trace = thread.throwTrace;
  if (!trace.empty() && trace[0].version != kNoId)
    report += "  thrown at " + describeSite(thread.vm(), trace[0].version, trace[0].instruction) + "\n";
  if (trace.size() > 1) report += "  backtrace\n" + formatBacktrace(thread.vm(), trace);
  return report;
}

}  // namespace gaur::runtime
