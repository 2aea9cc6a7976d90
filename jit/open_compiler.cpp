// Finding and opening the compiler's library. It stays open: code that LLVM registered with the process must not go away.
#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "jit/compiler.h"
#include "jit/compiler_factory.h"

namespace gaur::jit {

namespace {

constexpr const char* kLibrary = "libgaur-llvm.so";
constexpr const char* kFactory = "gaur_createCompiler";

/// Path of the compiler beside the library or program that this function is in.
std::string findBesideThis() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&openCompiler), &info) || !info.dli_fname) return {};
  std::string path = info.dli_fname;
  auto slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  std::error_code error;
  auto folder = std::filesystem::absolute(path.substr(0, slash), error);
  return error ? std::string() : (folder / kLibrary).string();
}

/// Found while the library is being opened: its own path may be relative to a folder that the process leaves.
const std::string besideThis = findBesideThis();

}  // namespace

Result<std::unique_ptr<Compiler>> openCompiler(Environment& environment, CodeSlab& slab, CodeMap& map,
                                               const CompilerOptions& options) {
  void* library = nullptr;
  if (!besideThis.empty()) library = dlopen(besideThis.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string error;
  if (!library) {
    const char* reason = dlerror();
    error = reason ? reason : "";
    library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  }
  if (!library) return makeError(ErrorId::CompilerUnavailable, {error});
  auto* create = reinterpret_cast<decltype(&gaur_createCompiler)>(dlsym(library, kFactory));
  if (!create) return makeError(ErrorId::CompilerUnavailable, {std::string(kLibrary) + " has no " + kFactory});
  Result<std::unique_ptr<Compiler>> result = makeError(ErrorId::CompilerUnavailable, {"nothing was made"});
  create(environment, slab, map, options, result);
  return result;
}

}  // namespace gaur::jit
