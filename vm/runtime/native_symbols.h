// Where EXTERN constants are looked up: symbols the client registered, the process, the C libraries, then the libraries that options name.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/result.h"

namespace gaur {
class NearName;
}
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
  /// The address, or null where nothing has the symbol. `library`, if not empty, is looked in before all but the symbols that the client registered. Thread-safe.
  void* find(std::string_view name, std::string_view library = {});
  /// Takes over a slot that code of a boot image refers to; null where the symbol is missing, and then it is not taken.
  void* adopt(std::string_view name, void** slot);
  /// Offers the names of everything that can be found, for hints. Takes milliseconds.
  void offerNames(NearName& finder);
  /// Paths of the libraries that were added, in order.
  std::vector<std::string> libraries();

 private:
  struct Library {
    std::string path;
    void* handle;
  };

  void* findLocked(const std::string& name, std::string_view library);

  jit::CodeSlab& slab_;
  std::mutex mutex_;
  std::vector<Library> libraries_;
  std::map<std::string, void*, std::less<>> registered_;
  std::map<std::string, void**, std::less<>> slots_;
};

}  // namespace gaur::runtime
