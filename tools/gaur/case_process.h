// A conformance case in its processes: the forms in which its machine begins, and the images between its
// parts, each of which a process of its own starts from.
#pragma once

#include <functional>

#include "tools/gaur/case_run.h"

namespace gaur::tool {

/// What the machine gets the case's program from.
enum class CaseForm : std::uint8_t {
  Text,
  /// A boot image that another process makes of the text.
  Image,
  /// The same, mapped where it does not want to be.
  MovedImage,
  /// An image in a shared object, opened by the process.
  SharedObject,
  /// An image in an object, linked by plain cc with a program of a user.
  Object,
  /// An image in a program, with a source in C that has its main.
  Program,
  /// The calls of MuIRBuilder that a client would make for the text.
  Builder,
};

/// The last line of the verdict of a process that came to the end of its case.
inline constexpr std::string_view kDone = "done\n";

/// Runs the case in this process, which ends with it, and in others. What goes wrong is written to the file
/// descriptor `verdict`, a line each, and at the end kDone.
[[noreturn]] void runCaseToTheEnd(const TestCase& test, const Options& options, CaseForm form, int verdict);

}  // namespace gaur::tool
