// Lines of the log; see gc_log.h.
#include "gc/gc_log.h"

#include <cstdio>
#include <string_view>

#include "vm/support/log.h"

namespace gaur::gc {

void logCollection(std::uint64_t nanoseconds, std::uint64_t pauseNanoseconds) {
  if (!logEnabled(LogChannel::Gc, LogLevel::Debug)) return;
  GC_prof_stats_s stats;
  GC_get_prof_stats_unsafe(&stats, sizeof stats);
  GAUR_LOG(Gc, Debug, "collection {}: {:.2f} ms, threads stopped for {:.2f} ms, {} of {} KB in use",
           stats.gc_no, static_cast<double>(nanoseconds) / 1e6, static_cast<double>(pauseNanoseconds) / 1e6,
           (stats.heapsize_full - stats.free_bytes_full) >> 10, stats.heapsize_full >> 10);
}

void logWarning(char* format, GC_word argument) {
  char line[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(line, sizeof line, format, argument);
#pragma GCC diagnostic pop
  std::string_view text = line;
  while (text.ends_with('\n')) text.remove_suffix(1);
  GAUR_LOG(Gc, Info, "{}", text);
}

}  // namespace gaur::gc
