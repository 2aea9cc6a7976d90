// What a case's lines ask of a machine, and whether it came so.
#include "tools/gaur/case_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>

#include "bootimage/image_builder.h"
#include "tools/gaur/case_lifetime.h"
#include "tools/gaur/machine.h"
#include "tools/gaur/relocation.h"
#include "tools/gaur/trap_player.h"
#include "vm/runtime/thread.h"

namespace gaur::tool {

namespace {

/// Loads a file of the case's folder; returns what is wrong with it, if anything is.
std::string loadBeside(Machine& machine, const TestCase& test, const std::string& name,
                       std::size_t errorLimit) {
  auto path = std::filesystem::path(test.path).parent_path() / name;
  Source source(path.string(), errorLimit);
  return machine.loadFile(source) ? "" : render(source.diagnostics, source.view());
}

class CaseRun {
 public:
  CaseRun(const TestCase& test, Machine machine, const Options& options, const FailureReport& report)
      : test_(test), report_(report), machine_(std::move(machine)), errorLimit_(options.errorLimit) {
    lifetime_.bindFirst(machine_.vm());
  }

  bool isFailed() const { return failed_; }
  /// Steps of the kind Image take effect.
  void buildsImages() { buildsImages_ = true; }

  Result<bootimage::BuildReport> buildImage(const Step& step, const std::string& path) {
    bootimage::BuildRequest request;
    for (const std::string& root : step.roots)
      request.whitelist.push_back(machine_.vm().program().idOf(root));
    if (step.roots.empty()) request.whitelist = bootimage::everythingIn(machine_.vm().program());
    for (const std::string& text : step.relocations)
      request.relocations.push_back(readRelocation(machine_, text));
    auto pointers = unknownPointerWords().find(step.unknownPointers);
    if (pointers == unknownPointerWords().end())
      throw Exit{kUsage, "there is no uptr=" + step.unknownPointers};
    request.unknownPointers = pointers->second;
    request.level = static_cast<jit::OptLevel>(machine_.vm().options().optLevel);
    Result<bootimage::BuildReport> report = makeError(ErrorId::NotAvailable);
    runtime::Thread::attachedTo(machine_.vm(), [&](runtime::Thread&) {
      report = bootimage::buildImage(machine_.vm(), request, path);
    });
    return report;
  }

  /// False where the steps are not to be run.
  bool load() {
    for (const std::string& bundle : test_.bundles) {
      std::string mistakes = loadBeside(machine_, test_, bundle, errorLimit_);
      if (mistakes.empty()) continue;
      fail(mistakes);
      return false;
    }
    Source source(test_.path, std::max<std::size_t>(errorLimit_, 1000));
    bool loaded = machine_.loadFile(source);
    compareDiagnostics(source);
    bool expectsErrors = std::any_of(test_.diagnostics.begin(), test_.diagnostics.end(),
                                     [](const auto& d) { return !d.isWarning; });
    return loaded && !expectsErrors;
  }

  /// Of the case, those from `first` to before `end`.
  void run(std::size_t first, std::size_t end) {
    lifetime_.noteNames(machine_.vm());
    for (const Step& step : std::span(test_.steps).subspan(first, end - first)) {
      if (step.kind == Step::Kind::Ends && failed_) break;
      try {
        runStep(step);
      } catch (const Exit& exit) {
        fail(step, exit.message);
      }
    }
  }

 private:
  void fail(const std::string& what) {
    failed_ = true;
    report_(what);
  }
  void fail(const Step& step, const std::string& what) {
    fail("line " + std::to_string(step.line) + ": " + what);
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
      if (!wanted && !isWarning) fail("unexpected " + render(d, source.view()));
    }
    for (const std::string& one : expected)
      if (std::find(found.begin(), found.end(), one) == found.end()) fail("missing " + one);
  }

  void runStep(const Step& step) {
    if (step.kind == Step::Kind::Load) {
      std::string mistakes = loadBeside(machine_, test_, step.expected, errorLimit_);
      if (!mistakes.empty()) fail(step, mistakes);
      lifetime_.noteNames(machine_.vm());
      return;
    }
    if (step.isAboutLifetime()) {
      if (std::string failure = lifetime_.run(machine_.vm(), step); !failure.empty()) fail(step, failure);
      return;
    }
    if (step.kind == Step::Kind::Enable || step.kind == Step::Kind::Disable) {
      for (std::uint32_t id : step.watchpoints)
        machine_.vm().watchpoints().set(id, step.kind == Step::Kind::Enable);
      return;
    }
    if (step.kind == Step::Kind::Image) {
      if (buildsImages_) expectNoImage(step);
      return;
    }
    const ir::Function& function = machine_.function(step.function);
    const ir::Signature* signature = function.signature->signature;
    CallMemory arguments(signature->parameters);
    CallMemory results(signature->results);
    ProgramArguments program(test_.path, test_.programArguments);
    if (step.arguments == "argv")
      program.passTo(arguments);
    else
      readArguments(step, arguments);
    // Without traps to expect, one that comes is a failure of the run, or the affair of the case's own
    // handler.
    TrapPlayer* player =
        step.traps.empty() ? nullptr
                           : players_.emplace_back(std::make_unique<TrapPlayer>(machine_, test_, step)).get();
    auto outcome = machine_.vm().call(function, arguments.bytes(), results.bytes());
    std::fflush(stdout);
    if (player)
      for (const std::string& failure : player->stop()) fail(failure);
    compareOutcome(step, outcome, results);
  }

  void expectNoImage(const Step& step) {
    auto built = buildImage(step, "/dev/null/x");
    const std::string message = built ? "" : built.error().message;
    if (message.find(step.expected) == std::string::npos)
      fail(step, "no '" + step.expected + "' in the error of the image:\n" + message);
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
    static constexpr const char* kWords[] = {"returned", "threw", "failed", "ended its thread",
                                             "did not start"};
    auto ended = [&](Kind expected) {
      if (outcome.kind == expected) return true;
      std::string report = outcome.report.empty() ? "" : ":\n" + outcome.report;
      fail(step, step.function + " " + kWords[static_cast<int>(outcome.kind)] + report);
      return false;
    };
    switch (step.kind) {
      case Step::Kind::Returns:
        if (ended(Kind::Returned)) compareResults(step, results);
        break;
      case Step::Kind::Throws:
        if (ended(Kind::Threw) && step.throwsNull && outcome.exception)
          fail(step, "threw an object, not NULL");
        break;
      case Step::Kind::Fails:
        if (outcome.kind == Kind::Returned || outcome.kind == Kind::ThreadExited)
          ended(Kind::Failed);
        else if (outcome.report.find(step.expected) == std::string::npos)
          fail(step, "no '" + step.expected + "' in the report:\n" + outcome.report);
        break;
      case Step::Kind::Exits: ended(Kind::ThreadExited); break;
      case Step::Kind::Ends: fail(step, "the process did not end"); break;
      default: break;
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
  const FailureReport& report_;
  /// Outlives the machine, which calls finalisers at its end.
  CaseLifetime lifetime_{test_};
  Machine machine_;
  std::size_t errorLimit_;
  std::vector<std::unique_ptr<TrapPlayer>> players_;
  bool failed_ = false;
  bool buildsImages_ = false;
};

/// A case whose steps are divided by images: each part runs in a process of its own, which starts from the
/// image of the one before.
class ImageChain {
 public:
  ImageChain(const TestCase& test, const Options& options, CaseForm form, const FailureReport& report)
      : test_(test), options_(options), report_(report) {
    loading_.elsewhere = form == CaseForm::MovedImage;
    loading_.symbols = CaseLifetime::stands(test);
    if (!mkdtemp(folder_.data())) throw Exit{kResources, std::strerror(errno)};
  }
  ~ImageChain() { std::filesystem::remove_all(folder_); }
  ImageChain(const ImageChain&) = delete;
  ImageChain& operator=(const ImageChain&) = delete;

  void run() {
    std::size_t first = 0;
    for (std::size_t i = 0; i < test_.steps.size(); ++i) {
      if (test_.steps[i].kind != Step::Kind::Image || !test_.steps[i].expected.empty()) continue;
      if (!runApart(first, i, test_.steps[i])) return;
      first = i + 1;
    }
    // Without such a step, of the program as it was loaded.
    if (images_ == 0 && !runApart(0, 0, Step{})) return;
    runPart(first, test_.steps.size());
  }

 private:
  std::string path(unsigned number) const { return folder_ + "/" + std::to_string(number) + ".img"; }

  /// Steps and the image after them, in another process. False where they fail.
  bool runApart(std::size_t first, std::size_t end, const Step& image) {
    std::fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
      try {
        _exit(runPart(first, end, &image) ? kOk : kBadImage);
      } catch (const Exit& exit) {
        report_(exit.message + "\n");
        _exit(exit.code);
      }
    }
    int status = 1;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status))
      report_("the process that makes image " + std::to_string(images_) + " ended by a signal\n");
    ++images_;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  bool runPart(std::size_t first, std::size_t end, const Step* image = nullptr) {
    CaseRun run(test_, images_ == 0 ? Machine(options_) : Machine(path(images_ - 1), options_, loading_),
                options_, report_);
    run.buildsImages();
    if (images_ == 0 && !run.load()) return false;
    run.run(first, end);
    std::fflush(stdout);
    if (!image || run.isFailed()) return !run.isFailed();
    auto built = run.buildImage(*image, path(images_));
    if (!built) report_("line " + std::to_string(image->line) + ": " + built.error().message + "\n");
    return static_cast<bool>(built);
  }

  const TestCase& test_;
  const Options& options_;
  const FailureReport& report_;
  bootimage::LoadOptions loading_;
  std::string folder_ = (std::filesystem::temp_directory_path() / "gaur-case.XXXXXX").string();
  unsigned images_ = 0;
};

}  // namespace

void runCaseHere(const TestCase& test, const Options& options, CaseForm form, const FailureReport& report) {
  if (form == CaseForm::Image || form == CaseForm::MovedImage)
    return ImageChain(test, options, form, report).run();
  CaseRun run(test, form == CaseForm::Text ? Machine(options) : Machine::ofClient(options), options, report);
  if (run.load()) run.run(0, test.steps.size());
}

}  // namespace gaur::tool
