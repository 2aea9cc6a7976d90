// Levels are ours, so that a closed channel never gets as far as the logging library; lines are spdlog's.
#include "vm/support/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace gaur {

namespace {

struct ChannelInfo {
  std::string_view text;
  std::string_view help;
};
constexpr ChannelInfo kChannels[] = {
#define GAUR_LOG_CHANNEL(Name, Text, Help) {Text, Help},
#include "vm/support/channels.def"
};

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
constexpr spdlog::level::level_enum kSpdlogLevels[] = {spdlog::level::trace, spdlog::level::debug,
                                                       spdlog::level::info,  spdlog::level::warn,
                                                       spdlog::level::err,   spdlog::level::off};

/// The loggers of all channels, which share one sink.
class Loggers {
 public:
  static Loggers& instance() {
    // Never destroyed: threads may still log while the process ends.
    static auto* loggers = new Loggers(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    return *loggers;
  }

  void write(LogChannel channel, LogLevel level, std::string_view line) {
    std::shared_ptr<spdlog::logger> logger;
    {
      std::lock_guard lock(mutex_);
      logger = loggers_[static_cast<std::size_t>(channel)];
    }
    logger->log(kSpdlogLevels[static_cast<std::size_t>(level)],
                spdlog::string_view_t(line.data(), line.size()));
  }

  void setSink(const spdlog::sink_ptr& sink) {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < kLogChannelCount; ++i) {
      loggers_[i] = std::make_shared<spdlog::logger>(std::string(kChannels[i].text), sink);
      loggers_[i]->set_level(spdlog::level::trace);
      loggers_[i]->set_pattern("[%T.%e] [%n] [%l] %v");
      loggers_[i]->flush_on(spdlog::level::trace);
    }
  }

 private:
  explicit Loggers(const spdlog::sink_ptr& sink) { setSink(sink); }

  std::mutex mutex_;
  std::array<std::shared_ptr<spdlog::logger>, kLogChannelCount> loggers_;
};

template <class Table, class Text>
std::optional<std::size_t> indexOf(const Table& table, std::string_view wanted, Text&& text) {
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (text(table[i]) == wanted) return i;
  return std::nullopt;
}

std::string listOf(std::size_t count, std::string_view (*text)(std::size_t)) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + std::string(text(i));
  return out;
}

}  // namespace

namespace detail {

std::atomic<LogLevel> logLevels[kLogChannelCount] = {
#define GAUR_LOG_CHANNEL(...) LogLevel::Warn,
#include "vm/support/channels.def"
};

void writeLog(LogChannel channel, LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  Loggers::instance().write(channel, level, fmt::vformat(format, arguments));
}

}  // namespace detail

void setLogLevel(LogChannel channel, LogLevel level) {
  detail::logLevels[static_cast<std::size_t>(channel)].store(level, std::memory_order_relaxed);
}

Result<void> setLogLevels(std::string_view specification) {
  std::vector<std::pair<std::size_t, LogLevel>> changes;
  while (!specification.empty()) {
    std::size_t comma = std::min(specification.find(','), specification.size());
    std::string_view part = specification.substr(0, comma);
    specification.remove_prefix(std::min(comma + 1, specification.size()));
    if (part.empty()) continue;
    std::size_t equals = std::min(part.find('='), part.size());
    std::string_view name = part.substr(0, equals);
    std::string_view levelName = equals < part.size() ? part.substr(equals + 1) : "debug";
    auto level = indexOf(kLevels, levelName, [](std::string_view text) { return text; });
    if (!level) {
      auto known = listOf(std::size(kLevels), [](std::size_t i) { return kLevels[i]; });
      return makeError(ErrorId::LogLevelUnknown, {levelName, known});
    }
    auto channel = indexOf(kChannels, name, [](const ChannelInfo& info) { return info.text; });
    if (!channel && name != "all") {
      auto known = listOf(kLogChannelCount, [](std::size_t i) { return kChannels[i].text; });
      return makeError(ErrorId::LogChannelUnknown, {name, known});
    }
    for (std::size_t i = 0; i < kLogChannelCount; ++i)
      if (!channel || *channel == i) changes.push_back({i, static_cast<LogLevel>(*level)});
  }
  for (const auto& [channel, level] : changes) setLogLevel(static_cast<LogChannel>(channel), level);
  return {};
}

Result<void> setLogFile(const std::string& path) {
  try {
    Loggers::instance().setSink(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
  } catch (const spdlog::spdlog_ex& exception) {
    return makeError(ErrorId::FileUnreadable, {path, exception.what()});
  }
  return {};
}

std::string logChannelHelp() {
  std::string out;
  for (const ChannelInfo& channel : kChannels) out += fmt::format("  {:<6} {}\n", channel.text, channel.help);
  return out;
}

}  // namespace gaur
