// The steps of a conformance case on one machine: what its lines ask, and whether it came so.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bootimage/image_output.h"
#include "tools/gaur/case_lifetime.h"
#include "tools/gaur/machine.h"
#include "tools/gaur/test_case.h"
#include "tools/gaur/trap_player.h"

namespace gaur::tool {

/// Told what goes wrong, with its line, as soon as it is known.
using FailureReport = std::function<void(const std::string&)>;

class CaseRun {
 public:
  /// `test` and `report` have to outlive it.
  CaseRun(const TestCase& test, Machine machine, const FailureReport& report)
      : test_(test), report_(report), machine_(std::move(machine)) {
    lifetime_.bindFirst(machine_.vm());
  }

  bool isFailed() const { return failed_; }
  /// Steps of the kind Image take effect, in this form: those that expect an error.
  void makesImages(bootimage::ImageFormat format) { imageFormat_ = format; }

  /// The case's bundles and its text. False where the steps are not to be run.
  bool load();
  /// Of the case's steps, those from `first` to before `end`. One that ends the process (Step::Kind::Ends) is
  /// begun only when all before it was right.
  void run(std::size_t first, std::size_t end);
  /// Of the machine as it is now.
  Result<void> buildImage(const Step& step, const bootimage::Output& output);
  /// In which the machine looks for symbols: names as of dlopen.
  std::vector<std::string> libraries() { return machine_.vm().nativeSymbols().libraries(); }

 private:
  void fail(const std::string& what);
  void fail(const Step& step, const std::string& what);

  /// Loads a file of the case's folder; returns what is wrong with it, if anything is.
  std::string loadBeside(const std::string& name);
  void compareDiagnostics(const Source& source);
  void runStep(const Step& step);
  void call(const Step& step);
  void expectNoImage(const Step& step);
  void compareOutcome(const Step& step, const runtime::CallOutcome& outcome, CallMemory& results);
  void compareResults(const Step& step, CallMemory& results);

  const TestCase& test_;
  const FailureReport& report_;
  /// Outlives the machine, which calls finalisers at its end.
  CaseLifetime lifetime_{test_};
  Machine machine_;
  /// They outlive the threads that their runs have started.
  std::vector<std::unique_ptr<TrapPlayer>> players_;
  bool failed_ = false;
  std::optional<bootimage::ImageFormat> imageFormat_;
};

}  // namespace gaur::tool
