// The system's compiler driver or linker, as a process: finding it, and making shared objects and programs of
// an object of ours.
#pragma once

#include <string>
#include <vector>

#include "vm/support/result.h"

namespace gaur::bootimage {

class SystemLinker {
 public:
  /// $CC, else cc, gcc or clang; else, unless C sources have to be compiled, ld. Errors: there is none.
  static Result<SystemLinker> find(bool hasSources);

  /// A bare linker brings no start files: the object of a program needs a `_start`.
  bool isBare() const { return isBare_; }

  struct Request {
    std::string object;
    /// C sources and other objects, compiled and linked along.
    std::vector<std::string> sources;
    /// Libraries in which the image looks for symbols: names as of dlopen.
    std::vector<std::string> libraries;
    std::string output;
    bool isProgram = false;
  };
  /// All or nothing: a file with the name of the output stays as it was where this fails. Errors: those of
  /// the linker, with its own words.
  Result<void> link(const Request& request) const;

 private:
  std::vector<std::string> commandLine(const Request& request, const std::string& output) const;
  void passToLinker(std::vector<std::string>& line, std::initializer_list<std::string> options) const;

  /// The program and options that come with it.
  std::vector<std::string> command_;
  bool isBare_ = false;
};

}  // namespace gaur::bootimage
