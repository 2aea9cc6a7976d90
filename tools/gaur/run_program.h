// What `gaur run` and `gaur heap` do: starts a boot image, or loads bundles and HAIL scripts, and calls the
// entry. A C-like main gets argc and argv and returns the exit status; other entries get their parameters
// from the words, and their results are printed, one a line. The program ends as in C when its entry returns,
// whatever its other threads do.
#pragma once

#include <string>
#include <vector>

#include "tools/gaur/command.h"

namespace gaur::tool {

struct RunArguments {
  /// Files, the first whatever its name, then the program's words.
  std::vector<std::string> words;
  /// Empty: that of the image, else @main.
  std::string entry;
  bool elsewhere = false;
  bool time = false;
  /// Seconds; 0 for no limit.
  double timeout = 0;
  /// Functions, versions, cells and host functions of which is told what keeps them.
  std::vector<std::string> why;
};

/// Ends the process, or throws Exit.
[[noreturn]] void runProgram(const RunArguments& arguments, Invocation& invocation);

}  // namespace gaur::tool
