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
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/gaur/case_process.h"
#include "tools/gaur/subcommands.h"
#include "tools/gaur/test_case.h"

namespace gaur::tool {

namespace {

/// A way to run every case. `options` are set on top of what the command line says.
struct Mode {
  const char* name;
  std::vector<std::pair<const char*, const char*>> options;
  CaseForm form = CaseForm::Text;

  /// Such a mode needs a C compiler, and runs only where it is asked for.
  bool isLinked() const {
    return form == CaseForm::SharedObject || form == CaseForm::Object || form == CaseForm::Program;
  }
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> list = {
      {"O0", {{"opt", "0"}}},
      {"O2", {{"opt", "2"}}},
      {"stress", {{"opt", "2"}, {"gc-stress", "1"}}},
      {"image", {{"opt", "2"}}, CaseForm::Image},
      {"moved", {{"opt", "0"}}, CaseForm::MovedImage},
      {"sharedlib", {{"opt", "0"}}, CaseForm::SharedObject},
      {"object", {{"opt", "2"}}, CaseForm::Object},
      {"program", {{"opt", "2"}}, CaseForm::Program},
      {kBuilderMode, {{"opt", "0"}}, CaseForm::Builder},
      {kCheckMode, {}},
  };
  return list;
}

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

/// Whether the process ended where and how the case's last run says.
bool endsAsExpected(const TestCase& test, int status, const std::string& standardError) {
  if (test.steps.empty() || test.steps.back().kind != Step::Kind::Ends) return false;
  const Step& step = test.steps.back();
  return WEXITSTATUS(status) == step.status && standardError.find(step.expected) != std::string::npos;
}

Verdict judge(const TestCase& test, int status, bool inTime, std::string (&texts)[3]) {
  Verdict verdict;
  std::string& message = verdict.message;
  bool done = texts[2].ends_with(kDone);
  if (done) texts[2].resize(texts[2].size() - kDone.size());
  message = texts[2];
  if (!inTime)
    message += "took too long\n";
  else if (WIFSIGNALED(status))
    message += std::string("killed by signal ") + strsignal(WTERMSIG(status)) + "\n";
  else if (!done && !endsAsExpected(test, status, texts[1]))
    message += "ended early, status " + std::to_string(WEXITSTATUS(status)) + "\n";
  if (test.output && texts[0] != *test.output)
    message += "standard output is\n" + texts[0] + "and should be\n" + *test.output;
  verdict.passed = message.empty();
  if (!verdict.passed && !texts[1].empty()) message += "standard error:\n" + texts[1];
  return verdict;
}

Verdict runCase(const TestCase& test, const Options& options, CaseForm form, double timeLimit) {
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
    runCaseToTheEnd(test, options, form, ends[2][1]);
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
      bool chosen = arguments.modes.empty() ? !mode.isLinked()
                                            : std::find(arguments.modes.begin(), arguments.modes.end(),
                                                        mode.name) != arguments.modes.end();
      if (!chosen || !test->runsIn(mode.name)) continue;
      if (mode.form != CaseForm::Text && !test->hasRuns()) continue;
      Options options = invocation.options;
      for (const auto& [name, value] : test->options) (void)setOption(options, name, value);
      for (auto [name, value] : mode.options) (void)setOption(options, name, value);
      Verdict verdict = runCase(*test, options, mode.form, arguments.timeLimit);
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
  CLI::App* command = app.add_subcommand(
      "test", "Run conformance cases (bundles and HAIL scripts with directives in comments)");
  command->add_option("FILE", arguments->files, "Cases (.uir, .hail)")->required();
  std::vector<std::string> names;
  for (const Mode& mode : modes()) names.emplace_back(mode.name);
  command
      ->add_option("--mode", arguments->modes, "Modes to run in; if not given, all that need no C compiler")
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
