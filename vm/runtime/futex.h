// Futexes (specification, chapters "Threads and stacks" and "Common instructions"): a waiting queue for every
// memory location of 1, 2, 4 or 8 bytes. The queues are our own, found by the address, since the system's
// futexes have 32 bits; a thread sleeps on a word of its own. Objects do not move and a waiter refers to its
// location from its stack, so that the location stays what it is while somebody waits there.
#pragma once

#include <cstdint>
#include <optional>

namespace gaur::runtime {

/// Numbers are results of @uvm.futex.wait. A wait always ends for a reason, so its -2, a spurious end, does
/// not occur.
enum class FutexWait : std::int32_t { Woken = 0, Differs = -1, TimedOut = -3 };

/// Sleeps until woken, if the location holds `expected`; nothing comes between the test and the place in the
/// queue. `bytes`: 1, 2, 4 or 8. `timeout`: nanoseconds from now. What was done before the wake that ended it
/// is visible after it. errno stays as it was, here and below.
FutexWait futexWait(const void* location, std::uint64_t expected, unsigned bytes,
                    std::optional<std::uint64_t> timeout = {});

/// Wakes at most `count` threads, those that have waited longest; returns how many.
std::uint32_t futexWake(const void* location, std::uint32_t count);

/// If `source` holds `expected`, wakes at most `count` threads that wait there, and lets the others wait at
/// `target`, behind those that do already. Returns how many were woken, or nothing where the value differs.
/// The threads that were moved do not count.
std::optional<std::uint32_t> futexRequeue(const void* source, const void* target, std::uint64_t expected,
                                          unsigned bytes, std::uint32_t count);

/// Over a fork of the process nobody comes or goes.
void lockFutexes();
void unlockFutexes();
/// In the child: those who waited are not there. Between the two above.
void forgetFutexWaiters();

}  // namespace gaur::runtime
