// Runs one conformance case in this process, on a machine of its own.
#pragma once

#include <functional>
#include <string>

#include "tools/gaur/command.h"
#include "tools/gaur/test_case.h"

namespace gaur::tool {

/// Told what goes wrong, with its line, as soon as it is known.
using FailureReport = std::function<void(const std::string&)>;

/// What the machine gets the case's bundle from.
enum class CaseForm : std::uint8_t {
  Text,
  /// A boot image that another process makes of the text.
  Image,
  /// The same, mapped where it does not want to be.
  MovedImage,
  /// The calls of MuIRBuilder that a client would make for the text.
  Builder,
};

/// Throws Exit where the case cannot be run at all. A run that ends the process (Step::Kind::Ends) is begun
/// only when all before it was right.
void runCaseHere(const TestCase& test, const Options& options, CaseForm form, const FailureReport& report);

}  // namespace gaur::tool
