#include "tools/gaur/run_program.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "tools/gaur/machine.h"
#include "tools/gaur/run_watch.h"
#include "vm/runtime/process_end.h"
#include "vm/runtime/why_alive.h"

namespace gaur::tool {

namespace {

bool isFile(const std::string& word) { return word.ends_with(".uir") || word.ends_with(".hail"); }

/// Where the time of a run goes, for --time.
class Stopwatch {
 public:
  /// Seconds of process time since the last call.
  double lap() {
    auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

struct Times {
  double load = 0;
  double run = 0;
};

long residentKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void printTimes(const Times& times, const runtime::VmStatistics& statistics, bool json) {
  double running = times.run - statistics.compileSeconds - statistics.gcSeconds;
  nlohmann::ordered_json report{{"parse", statistics.parseSeconds},
                                {"link", statistics.linkSeconds},
                                {"load", times.load},
                                {"compile", statistics.compileSeconds},
                                {"compiled", statistics.compiledFunctions},
                                {"run", running},
                                {"gc", statistics.gcSeconds},
                                {"collections", statistics.collections},
                                {"residentKB", residentKilobytes()}};
  if (json) {
    std::fprintf(stderr, "%s\n", report.dump().c_str());
    return;
  }
  for (const auto& [name, value] : report.items()) {
    if (value.is_number_float())
      std::fprintf(stderr, "%-12s %10.3f ms\n", name.c_str(), value.get<double>() * 1e3);
    else
      std::fprintf(stderr, "%-12s %10lld\n", name.c_str(), value.get<long long>());
  }
}

/// Exit status of a main, or kOk after printing the results of any other entry.
int passOnResults(const ir::Signature* signature, CallMemory& results) {
  if (isMain(signature)) {
    if (results.count() == 0) return kOk;
    std::int32_t status = 0;
    std::memcpy(&status, results.at(0),
                std::min<std::size_t>(sizeof status, abi::LayoutTable::shared().of(results.type(0)).size));
    return status & 0xff;
  }
  for (std::size_t i = 0; i < results.count(); ++i)
    std::printf("%s\n", printLiteral(results.type(i), results.at(i)).c_str());
  return kOk;
}

void readArguments(const ir::Function& function, const std::vector<std::string>& words, CallMemory& memory) {
  std::string name = ir::describe(function);
  if (words.size() != memory.count())
    throw Exit{kUsage, makeError(ErrorId::EntryArguments,
                                 {name, std::to_string(memory.count()), std::to_string(words.size())})
                           .message};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const ir::Type* type = memory.type(i);
    if (!hasLiteral(type)) throw Exit{kUsage, adviceFor(ErrorId::EntryType, {name, ir::toString(type)})};
    Cursor cursor{words[i]};
    auto read = readLiteral(cursor, type, memory.at(i));
    if (!read || !cursor.atEnd())
      throw Exit{kUsage, makeError(ErrorId::EntryArgumentValue,
                                   {std::to_string(i + 1), name, words[i], ir::toString(type)})
                             .message};
  }
}

/// What keeps each of the entities and host functions, whose names or IDs these are, to standard error.
void printKeepPaths(runtime::MicroVm& vm, const std::vector<std::string>& entities, bool json) {
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const std::string& entity : entities) {
    const bool isNumber = entity.find_first_not_of("0123456789") == std::string::npos;
    const Id id =
        isNumber ? static_cast<Id>(std::strtoul(entity.c_str(), nullptr, 10)) : vm.program().idOf(entity);
    auto path = isNumber ? runtime::whyAlive(vm, id) : runtime::whyAlive(vm, entity);
    if (json) {
      nlohmann::ordered_json& row = report.emplace_back(
          nlohmann::ordered_json{{"entity", entity}, {"id", id}, {"known", static_cast<bool>(path)}});
      if (path) row.update(nlohmann::ordered_json::parse(path->json()));
    } else {
      std::fprintf(stderr, "%s: %s", entity.c_str(),
                   path ? path->text().c_str() : "there is nothing of that name\n");
    }
  }
  if (json) std::fprintf(stderr, "%s\n", report.dump().c_str());
}

/// As in C, the end of the entry is the end of the process: threads that still run are not waited for. They
/// are the program's, and those of native code that has called in. What exit() does may call in, too, so the
/// VM stays.
[[noreturn]] void leave(int status, const Times& times, Machine& machine, const RunArguments& arguments,
                        bool json) {
  if (!arguments.why.empty()) {
    std::fflush(stdout);
    printKeepPaths(machine.vm(), arguments.why, json);
  }
  if (arguments.time) {
    std::fflush(stdout);
    printTimes(times, machine.vm().statistics(), json);
  }
  std::exit(status);
}

/// A primordial stack: the process ends with its last thread.
[[noreturn]] void runStack(Machine& machine, const bootimage::Primordial& primordial, const std::string& name,
                           const std::vector<std::string>& words, Stopwatch& watch, Times& times,
                           const RunArguments& arguments, bool json) {
  ProgramArguments program(name, words);
  runtime::ProcessEnd end(machine.vm());
  auto outcome = bootimage::runPrimordial(machine.vm(), *primordial.stack, primordial.threadLocal,
                                          program.count(), program.values());
  if (!outcome) throw Exit{kResources, withHint(outcome.error())};
  times.run = watch.lap();
  leave(kOk, times, machine, arguments, json);
}

}  // namespace

void runProgram(const RunArguments& arguments, Invocation& invocation) {
  // The first word is a file whatever its name; more of them are known by their names, unless they come
  // after "--".
  auto rest = std::find_if_not(arguments.words.begin() + 1, arguments.words.end(), isFile);
  std::vector<std::string> files(arguments.words.begin(), rest);
  std::vector<std::string> words(rest, arguments.words.end());
  words.insert(words.end(), invocation.afterDashes.begin(), invocation.afterDashes.end());

  Stopwatch watch;
  Times times;
  const bool isImage = Machine::isImage(files.front());
  Machine machine = isImage ? Machine(files.front(), invocation.options, {{}, arguments.elsewhere})
                            : Machine(invocation.options);
  std::function<void()> report;
  if (!arguments.why.empty()) report = [&] { printKeepPaths(machine.vm(), arguments.why, invocation.json); };
  RunWatch runWatch(machine.vm(), arguments.timeout, report);
  machine.loadAll({files.begin() + (isImage ? 1 : 0), files.end()}, invocation);
  times.load = watch.lap();

  const bootimage::Primordial& primordial = machine.primordial();
  if (arguments.entry.empty() && primordial.stack)
    runStack(machine, primordial, files.front(), words, watch, times, arguments, invocation.json);
  const bool isPrimordial = arguments.entry.empty() && primordial.function;
  const ir::Function& function = isPrimordial
                                     ? *primordial.function
                                     : machine.function(arguments.entry.empty() ? kMain : arguments.entry);
  const ir::Signature* signature = function.signature->signature;
  CallMemory parameters(signature->parameters);
  CallMemory results(signature->results);
  ProgramArguments program(files.front(), words);
  if (isMain(signature))
    program.passTo(parameters);
  else
    readArguments(function, words, parameters);
  for (const ir::Type* type : signature->results)
    if (!hasLiteral(type))
      throw Exit{kUsage, adviceFor(ErrorId::EntryType, {ir::describe(function), ir::toString(type)})};

  // Opens the compiler, if the call needs it; an error is told by the call.
  (void)machine.vm().code().hostCall(signature);
  runtime::ProcessEnd end(machine.vm());
  runtime::CallOutcome outcome;
  bootimage::withThreadLocal(machine.vm(), primordial.threadLocal, [&] {
    outcome = machine.vm().call(function, parameters.bytes(), results.bytes());
  });
  times.run = watch.lap();
  switch (outcome.kind) {
    case runtime::CallOutcome::Kind::Returned:
      leave(passOnResults(signature, results), times, machine, arguments, invocation.json);
    case runtime::CallOutcome::Kind::ThreadExited:
      machine.vm().threads().waitForStarted();
      times.run += watch.lap();
      leave(kOk, times, machine, arguments, invocation.json);
    case runtime::CallOutcome::Kind::Threw:
    case runtime::CallOutcome::Kind::Failed:
    case runtime::CallOutcome::Kind::NotStarted: break;
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s", outcome.report.c_str());
  leave(outcome.kind == runtime::CallOutcome::Kind::NotStarted ? kResources : kGuestFailure, times, machine,
        arguments, invocation.json);
}

}  // namespace gaur::tool
