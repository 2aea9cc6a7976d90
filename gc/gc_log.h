// What the collector tells on the log channel "gc".
#pragma once

#include <gc/gc.h>

#include <cstdint>

namespace gaur::gc {

/// One line for the collection that just ended. Called with the allocation lock held, the world running.
void logCollection(std::uint64_t nanoseconds, std::uint64_t pauseNanoseconds);
/// Boehm's warnings, which by default go to stderr.
void logWarning(char* format, GC_word argument);

}  // namespace gaur::gc
