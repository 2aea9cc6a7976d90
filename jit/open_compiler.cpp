// Finding and opening the compiler's library. It stays open: code that LLVM registered with the process must
// not go away.
#include <dlfcn.h>

#include <string>

#include "jit/compiler.h"
#include "jit/compiler_factory.h"
#include "vm/support/platform.h"

namespace gaur::jit {

namespace {

constexpr const char* kLibrary = "libgaur-llvm.so";
constexpr const char* kFactory = "gaur_createCompiler";

/// Path of the compiler beside the library or program that this function is in.
std::string besideThis() {
  const std::string& path = platform::libraryPath();
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1) + kLibrary;
}

}  // namespace

Result<std::unique_ptr<Compiler>> openCompiler(Environment& environment, CodeSlab& slab, CodeMap& map,
                                               const CompilerOptions& options) {
  void* library = nullptr;
  if (const std::string path = besideThis(); !path.empty())
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string error;
  if (!library) {
    const char* reason = dlerror();
    error = reason ? reason : "";
    library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  }
  if (!library) return makeError(ErrorId::CompilerUnavailable, {error});
  auto* create = reinterpret_cast<decltype(&gaur_createCompiler)>(dlsym(library, kFactory));
  if (!create)
    return makeError(ErrorId::CompilerUnavailable, {std::string(kLibrary) + " has no " + kFactory});
  Result<std::unique_ptr<Compiler>> result = makeError(ErrorId::CompilerUnavailable, {"nothing was made"});
  create(environment, slab, map, options, result);
  return result;
}

}  // namespace gaur::jit
