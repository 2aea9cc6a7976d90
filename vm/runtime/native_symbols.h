// Where EXTERN constants are looked up: symbols the client registered, the process, the C libraries, then the libraries that options name.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/result.h"

namespace gaur::jit {
class CodeSlab;
}

namespace gaur::runtime {

class NativeSymbols {
 public:
  explicit NativeSymbols(jit::CodeSlab& slab) : slab_(slab) {}
  NativeSymbols(const NativeSymbols&) = delete;
  NativeSymbols& operator=(const NativeSymbols&) = delete;

  /// Opens a library whose symbols count from now on; it stays open.
  Result<void> addLibrary(const std::string& path);
  /// From now on `name` is this address, whatever libraries say. Code that has been compiled sees the change too.
  void registerSymbol(std::string_view name, void* address);

  /// Slot with the address, in the data half of the slab. Thread-safe.
  Result<void**> slot(std::string_view name);

 private:
  jit::CodeSlab& slab_;
  std::mutex mutex_;
  std::vector<void*> libraries_;
  std::map<std::string, void*, std::less<>> registered_;
  std::map<std::string, void**, std::less<>> slots_;
};

}  // namespace gaur::runtime
