// The log: channels (channels.def) that are switched on one by one. A line that is off costs one relaxed load
// and a branch.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "vm/support/result.h"

namespace gaur {

enum class LogChannel : std::uint8_t {
#define GAUR_LOG_CHANNEL(Name, Text, Help) Name,
#include "vm/support/channels.def"
};
inline constexpr std::size_t kLogChannelCount = 0
#define GAUR_LOG_CHANNEL(...) +1
#include "vm/support/channels.def"
    ;

/// From chatty to silent; a channel at a level shows that level and those after it.
enum class LogLevel : std::uint8_t { Trace, Debug, Info, Warn, Error, Off };

namespace detail {
extern std::atomic<LogLevel> logLevels[kLogChannelCount];
void writeLog(LogChannel channel, LogLevel level, fmt::string_view format, fmt::format_args arguments);
}  // namespace detail

inline bool logEnabled(LogChannel channel, LogLevel level) {
  return level >= detail::logLevels[static_cast<std::size_t>(channel)].load(std::memory_order_relaxed);
}

/// Writes one line to stderr (or to the file of setLogFile) whatever the channel's level is; use GAUR_LOG.
/// Thread-safe.
template <class... Args>
void writeLog(LogChannel channel, LogLevel level, fmt::format_string<Args...> format, Args&&... arguments) {
  detail::writeLog(channel, level, format, fmt::make_format_args(arguments...));
}

void setLogLevel(LogChannel channel, LogLevel level);

/// "gc=debug,jit" : channels with levels; without a level: debug. "all" is every channel. Nothing changes if
/// a part is wrong.
Result<void> setLogLevels(std::string_view specification);

/// From now on lines go to the end of this file.
Result<void> setLogFile(const std::string& path);

/// "gc    collections, ...": a line for each channel, for --help.
std::string logChannelHelp();

}  // namespace gaur

/// GAUR_LOG(Gc, Info, "freed {} of {} bytes", freed, total): the arguments are evaluated only where the line
/// is shown.
#define GAUR_LOG(channel, level, ...)                                                                  \
  do {                                                                                                 \
    if (__builtin_expect(::gaur::logEnabled(::gaur::LogChannel::channel, ::gaur::LogLevel::level), 0)) \
      ::gaur::writeLog(::gaur::LogChannel::channel, ::gaur::LogLevel::level, __VA_ARGS__);             \
  } while (0)
