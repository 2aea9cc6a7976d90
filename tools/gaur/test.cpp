// `gaur test FILE...`: runs conformance cases. Every case runs in a process of its own for every mode, so
// that a crash is one failure and standard output can be compared; the process writes what went wrong to a
// pipe.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/gaur/machine.h"
#include "tools/gaur/test_case.h"

namespace gaur::tool {

namespace {

/// A way to run every case. `options` are set on top of what the command line says.
struct Mode {
  const char* name;
  std::vector<std::pair<const char*, const char*>> options;
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> list = {
      {"O0", {{"opt", "0"}}},
      {"O2", {{"opt", "2"}}},
      {"stress", {{"opt", "2"}, {"gc-stress", "1"}}},
      {kCheckMode, {}},
  };
  return list;
}

/// The case itself, in its own process. Collects what went wrong.
class CaseRun {
 public:
  CaseRun(const TestCase& test, const Options& options)
      : test_(test), machine_(options), errorLimit_(options.errorLimit) {}

  std::vector<std::string> run() {
    Source source(test_.path, std::max<std::size_t>(errorLimit_, 1000));
    bool loaded = machine_.load(source) != nullptr;
    compareDiagnostics(source);
    bool expectsErrors = std::any_of(test_.diagnostics.begin(), test_.diagnostics.end(),
                                     [](const auto& d) { return !d.isWarning; });
    if (!loaded || expectsErrors) return std::move(failures_);
    for (const Step& step : test_.steps) {
      try {
        runStep(step);
      } catch (const Exit& exit) {
        fail(step, exit.message);
      }
    }
    return std::move(failures_);
  }

 private:
  void fail(const Step& step, const std::string& what) {
    failures_.push_back("line " + std::to_string(step.line) + ": " + what);
  }

  void compareDiagnostics(const Source& source) {
    auto text = [](bool isWarning, std::string_view code, unsigned line, unsigned column) {
      return std::string(isWarning ? "warning " : "error ") + std::string(code) + " " + std::to_string(line) +
             ":" + std::to_string(column);
    };
    std::vector<std::string> expected, found;
    for (const auto& d : test_.diagnostics) expected.push_back(text(d.isWarning, d.code, d.line, d.column));
    for (const auto& d : source.diagnostics.list()) {
      LineColumn at = lineColumn(source.text, d.pos);
      bool isWarning = d.severity == Severity::Warning;
      std::string one = text(isWarning, errorInfo(d.id).code, at.line, at.column);
      // Warnings have to be expected only by the cases that are about them.
      bool wanted = std::find(expected.begin(), expected.end(), one) != expected.end();
      if (wanted || !isWarning) found.push_back(one);
      if (!wanted && !isWarning) failures_.push_back("unexpected " + render(d, source.view()));
    }
    for (const std::string& one : expected)
      if (std::find(found.begin(), found.end(), one) == found.end()) failures_.push_back("missing " + one);
  }

  void runStep(const Step& step) {
    if (step.kind == Step::Kind::Load) return load(step);
    const ir::Function& function = machine_.function(step.function);
    const ir::Signature* signature = function.signature->signature;
    CallMemory arguments(signature->parameters);
    CallMemory results(signature->results);
    ProgramArguments program(test_.path, test_.programArguments);
    if (step.arguments == "argv")
      program.passTo(arguments);
    else
      readArguments(step, arguments);
    auto outcome = machine_.vm().call(function, arguments.bytes(), results.bytes());
    std::fflush(stdout);
    compareOutcome(step, outcome, results);
  }

  void load(const Step& step) {
    auto path = std::filesystem::path(test_.path).parent_path() / step.expected;
    Source source(path.string(), errorLimit_);
    if (!machine_.load(source)) fail(step, render(source.diagnostics, source.view()));
  }

  static void readArguments(const Step& step, CallMemory& memory) {
    Cursor cursor{step.arguments};
    for (std::size_t i = 0; i < memory.count(); ++i) {
      if (i > 0) cursor.take(",");
      if (auto read = readLiteral(cursor, memory.type(i), memory.at(i)); !read)
        throw Exit{kUsage, read.error().message};
    }
    if (!cursor.atEnd()) throw Exit{kUsage, "too many arguments"};
  }

  void compareOutcome(const Step& step, const runtime::CallOutcome& outcome, CallMemory& results) {
    using Kind = runtime::CallOutcome::Kind;
    if (step.kind == Step::Kind::Throws) {
      if (outcome.kind != Kind::Threw)
        fail(step, "did not throw");
      else if (step.throwsNull && outcome.exception)
        fail(step, "threw an object, not NULL");
    } else if (step.kind == Step::Kind::Fails) {
      if (outcome.kind == Kind::Returned)
        fail(step, "returned");
      else if (outcome.report.find(step.expected) == std::string::npos)
        fail(step, "no '" + step.expected + "' in the report:\n" + outcome.report);
    } else if (outcome.kind == Kind::Threw || outcome.kind == Kind::Failed ||
               outcome.kind == Kind::NotStarted) {
      fail(step, "did not return:\n" + outcome.report);
    } else {
      compareResults(step, results);
    }
  }

  void compareResults(const Step& step, CallMemory& results) {
    Cursor cursor{step.expected};
    if (cursor.atEnd()) {
      if (results.count() != 0)
        fail(step, "returned " + std::to_string(results.count()) + " results, and none is expected");
      return;
    }
    bool list = cursor.take("(");
    bool equal = true;
    for (std::size_t i = 0; i < results.count(); ++i) {
      if (i > 0) cursor.take(",");
      auto same = matchLiteral(cursor, results.type(i), results.at(i));
      if (!same) return fail(step, same.error().message);
      equal = equal && *same;
    }
    if (list) cursor.take(")");
    if (!cursor.atEnd()) return fail(step, "unread expectation '" + std::string(cursor.rest) + "'");
    if (equal) return;
    std::string found;
    for (std::size_t i = 0; i < results.count(); ++i)
      found += (i ? ", " : "") + printLiteral(results.type(i), results.at(i));
    fail(step, step.function + "(" + step.arguments + ") is " + found + ", not " + step.expected);
  }

  const TestCase& test_;
  Machine machine_;
  std::size_t errorLimit_;
  std::vector<std::string> failures_;
};

struct Verdict {
  bool passed = false;
  std::string message;
  double seconds = 0;
};

/// Reads three pipes until all are closed; false after `seconds`.
bool drain(int (&pipes)[3], std::string (&texts)[3], double seconds) {
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int open = 3;
  pollfd polls[3];
  for (int i = 0; i < 3; ++i) polls[i] = {pipes[i], POLLIN, 0};
  while (open > 0) {
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    poll(polls, 3, static_cast<int>(left));
    for (int i = 0; i < 3; ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      char buffer[4096];
      ssize_t count = read(polls[i].fd, buffer, sizeof buffer);
      if (count > 0) {
        texts[i].append(buffer, static_cast<std::size_t>(count));
      } else {
        polls[i].fd = -1;
        --open;
      }
    }
  }
  return true;
}

[[noreturn]] void runChild(const TestCase& test, const Options& options, int verdictPipe) {
  std::string verdict;
  try {
    for (const std::string& failure : CaseRun(test, options).run()) verdict += failure + "\n";
  } catch (const Exit& exit) {
    verdict = exit.message + "\n";
  }
  std::fflush(stdout);
  verdict += "done\n";
  if (write(verdictPipe, verdict.data(), verdict.size()) < 0) _exit(1);
  _exit(0);
}

Verdict judge(const TestCase& test, int status, bool inTime, std::string (&texts)[3]) {
  Verdict verdict;
  std::string& message = verdict.message;
  constexpr std::string_view kDone = "done\n";
  bool done = texts[2].ends_with(kDone);
  if (done) texts[2].resize(texts[2].size() - kDone.size());
  message = texts[2];
  if (!inTime)
    message += "took too long\n";
  else if (WIFSIGNALED(status))
    message += std::string("killed by signal ") + strsignal(WTERMSIG(status)) + "\n";
  else if (!done)
    message += "ended early, status " + std::to_string(WEXITSTATUS(status)) + "\n";
  if (test.output && texts[0] != *test.output)
    message += "standard output is\n" + texts[0] + "and should be\n" + *test.output;
  verdict.passed = message.empty();
  if (!verdict.passed && !texts[1].empty()) message += "standard error:\n" + texts[1];
  return verdict;
}

Verdict runCase(const TestCase& test, const Options& options, double timeLimit) {
  int ends[3][2];
  for (auto& pair : ends)
    if (pipe(pair) != 0) throw Exit{kResources, std::strerror(errno)};
  auto start = std::chrono::steady_clock::now();
  std::fflush(nullptr);
  pid_t child = fork();
  if (child < 0) throw Exit{kResources, std::strerror(errno)};
  if (child == 0) {
    dup2(ends[0][1], STDOUT_FILENO);
    dup2(ends[1][1], STDERR_FILENO);
    runChild(test, options, ends[2][1]);
  }
  int pipes[3];
  std::string texts[3];
  for (int i = 0; i < 3; ++i) {
    close(ends[i][1]);
    pipes[i] = ends[i][0];
  }
  bool inTime = drain(pipes, texts, timeLimit);
  if (!inTime) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  for (int fd : pipes) close(fd);
  Verdict verdict = judge(test, status, inTime, texts);
  verdict.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return verdict;
}

/// Lines "path reason": cases that are known to fail. A path may stand for a mode alone: "path@mode".
std::map<std::string, std::string> readKnownFailures(const std::string& path) {
  std::map<std::string, std::string> known;
  if (path.empty()) return known;
  std::istringstream lines(readFile(path));
  for (std::string line; std::getline(lines, line);) {
    std::size_t blank = line.find(' ');
    if (line.empty() || line[0] == '#') continue;
    if (blank == std::string::npos) throw Exit{kUsage, path + ": '" + line + "' has no reason"};
    known[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return known;
}

struct TestArguments {
  std::vector<std::string> files;
  std::vector<std::string> modes;
  std::string knownFailures;
  double timeLimit = 60;
  bool verbose = false;
};

bool isKnown(const std::map<std::string, std::string>& known, const std::string& path,
             const std::string& mode) {
  std::string both = path + "@" + mode;
  return std::any_of(known.begin(), known.end(),
                     [&](const auto& row) { return path.ends_with(row.first) || both.ends_with(row.first); });
}

void checkModes(const TestCase& test) {
  for (const std::string& name : test.modes) {
    bool exists =
        std::any_of(modes().begin(), modes().end(), [&](const Mode& mode) { return mode.name == name; });
    if (!exists) throw Exit{kUsage, test.path + ": there is no mode '" + name + "'"};
  }
}

void runTests(const TestArguments& arguments, const Invocation& invocation) {
  auto known = readKnownFailures(arguments.knownFailures);
  nlohmann::json results = nlohmann::json::array();
  int passed = 0, failed = 0;
  for (const std::string& file : arguments.files) {
    auto test = readTestCase(file, readFile(file));
    if (!test) throw Exit{kUsage, test.error().message};
    checkModes(*test);
    for (const Mode& mode : modes()) {
      bool chosen = arguments.modes.empty() || std::find(arguments.modes.begin(), arguments.modes.end(),
                                                         mode.name) != arguments.modes.end();
      if (!chosen || !test->runsIn(mode.name)) continue;
      Options options = invocation.options;
      for (auto [name, value] : mode.options) (void)setOption(options, name, value);
      Verdict verdict = runCase(*test, options, arguments.timeLimit);
      if (isKnown(known, file, mode.name)) {
        verdict.message = verdict.passed ? "listed as a known failure, but it passes\n" : "";
        verdict.passed = !verdict.passed;
      }
      ++(verdict.passed ? passed : failed);
      if (invocation.json)
        results.push_back({{"case", file},
                           {"mode", mode.name},
                           {"passed", verdict.passed},
                           {"seconds", verdict.seconds},
                           {"message", verdict.message}});
      else if (!verdict.passed || arguments.verbose)
        std::printf("%s %s [%s]\n%s", verdict.passed ? "pass" : "FAIL", file.c_str(), mode.name,
                    verdict.message.c_str());
    }
  }
  if (invocation.json)
    printJson(results);
  else
    std::printf("%d passed, %d failed\n", passed, failed);
  if (failed > 0) throw Exit{kProgramFailed, ""};
}

}  // namespace

void addTest(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<TestArguments>();
  CLI::App* command =
      app.add_subcommand("test", "Run conformance cases (bundles with directives in comments)");
  command->add_option("FILE", arguments->files, "Cases (.uir)")->required();
  std::vector<std::string> names;
  for (const Mode& mode : modes()) names.emplace_back(mode.name);
  command->add_option("--mode", arguments->modes, "Modes to run in; all if not given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(names));
  command->add_option("--known-failures", arguments->knownFailures,
                      "List of cases that are expected to fail");
  command->add_option("--time-limit", arguments->timeLimit, "Seconds a case may take [60]");
  command->add_flag("--verbose", arguments->verbose, "Name the cases that pass too");
  command->add_flag("--json", invocation.json, "Results as JSON");
  addVmOptions(*command, invocation.options);
  command->callback([arguments, &invocation] { runTests(*arguments, invocation); });
}

}  // namespace gaur::tool
