// What a case's lines ask of a machine, and whether it came so.
#include "tools/gaur/case_run.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <span>

#include "tools/gaur/relocation.h"
#include "vm/runtime/thread.h"

namespace gaur::tool {

namespace {

void readArguments(const Step& step, CallMemory& memory) {
  Cursor cursor{step.arguments};
  for (std::size_t i = 0; i < memory.count(); ++i) {
    if (i > 0) cursor.take(",");
    if (auto read = readLiteral(cursor, memory.type(i), memory.at(i)); !read)
      throw Exit{kUsage, read.error().message};
  }
  if (!cursor.atEnd()) throw Exit{kUsage, "too many arguments"};
}

}  // namespace

std::string CaseRun::loadBeside(const std::string& name) {
  auto path = std::filesystem::path(test_.path).parent_path() / name;
  Source source(path.string(), machine_.vm().options().errorLimit);
  return machine_.loadFile(source) ? "" : render(source.diagnostics, source.view());
}

bool CaseRun::load() {
  for (const std::string& bundle : test_.bundles) {
    std::string mistakes = loadBeside(bundle);
    if (mistakes.empty()) continue;
    fail(mistakes);
    return false;
  }
  Source source(test_.path, std::max<std::size_t>(machine_.vm().options().errorLimit, 1000));
  bool loaded = machine_.loadFile(source);
  compareDiagnostics(source);
  bool expectsErrors = std::any_of(test_.diagnostics.begin(), test_.diagnostics.end(),
                                   [](const auto& d) { return !d.isWarning; });
  return loaded && !expectsErrors;
}

void CaseRun::run(std::size_t first, std::size_t end) {
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

Result<void> CaseRun::buildImage(const Step& step, const bootimage::Output& output) {
  bootimage::BuildRequest request;
  for (const std::string& root : step.roots) request.whitelist.push_back(machine_.vm().program().idOf(root));
  if (step.roots.empty()) request.whitelist = bootimage::everythingIn(machine_.vm().program());
  for (const std::string& text : step.relocations)
    request.relocations.push_back(readRelocation(machine_, text));
  auto pointers = unknownPointerWords().find(step.unknownPointers);
  if (pointers == unknownPointerWords().end()) throw Exit{kUsage, "there is no uptr=" + step.unknownPointers};
  request.unknownPointers = pointers->second;
  request.level = static_cast<jit::OptLevel>(machine_.vm().options().optLevel);
  Result<void> outcome;
  runtime::Thread::attachedTo(machine_.vm(), [&](runtime::Thread&) {
    auto report = bootimage::buildOutput(machine_.vm(), request, output);
    if (!report) outcome = std::move(report).takeError();
  });
  return outcome;
}

void CaseRun::fail(const std::string& what) {
  failed_ = true;
  report_(what);
}

void CaseRun::fail(const Step& step, const std::string& what) {
  fail("line " + std::to_string(step.line) + ": " + what);
}

void CaseRun::compareDiagnostics(const Source& source) {
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

void CaseRun::runStep(const Step& step) {
  if (step.isAboutLifetime()) {
    if (std::string failure = lifetime_.run(machine_.vm(), step); !failure.empty()) fail(step, failure);
    return;
  }
  switch (step.kind) {
    case Step::Kind::Load: {
      std::string mistakes = loadBeside(step.expected);
      if (!mistakes.empty()) fail(step, mistakes);
      lifetime_.noteNames(machine_.vm());
      return;
    }
    case Step::Kind::Enable:
    case Step::Kind::Disable:
      for (std::uint32_t id : step.watchpoints)
        machine_.vm().watchpoints().set(id, step.kind == Step::Kind::Enable);
      return;
    case Step::Kind::Image:
      if (imageFormat_) expectNoImage(step);
      return;
    default: return call(step);
  }
}

void CaseRun::call(const Step& step) {
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
  TrapPlayer* player = step.traps.empty()
                           ? nullptr
                           : players_.emplace_back(std::make_unique<TrapPlayer>(machine_, test_, step)).get();
  auto outcome = machine_.vm().call(function, arguments.bytes(), results.bytes());
  std::fflush(stdout);
  if (player)
    for (const std::string& failure : player->stop()) fail(failure);
  compareOutcome(step, outcome, results);
}

void CaseRun::expectNoImage(const Step& step) {
  auto built = buildImage(step, {"/dev/null/x", *imageFormat_});
  const std::string message = built ? "" : built.error().message;
  if (message.find(step.expected) == std::string::npos)
    fail(step, "no '" + step.expected + "' in the error of the image:\n" + message);
}

void CaseRun::compareOutcome(const Step& step, const runtime::CallOutcome& outcome, CallMemory& results) {
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
      if (ended(Kind::Threw) && step.throwsNull && outcome.exception) fail(step, "threw an object, not NULL");
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

void CaseRun::compareResults(const Step& step, CallMemory& results) {
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

}  // namespace gaur::tool
