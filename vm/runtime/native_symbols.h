// Where EXTERN constants are looked up: symbols the client registered, the process, the C libraries, then the
// libraries that options name.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vm/abi/native_target.h"
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
  /// From now on `name` is this address, whatever libraries say. Code that has been compiled sees the change
  /// too, but for functions of the C library that the compiler put its own instructions in place of.
  void registerSymbol(std::string_view name, void* address) { bind(name, address, nullptr); }
  /// The same for a host function with its pointer. Returns the one that the name stood for before, or null.
  /// Calls of that by name which have begun keep it until they are over; it has to stay for good, and null is
  /// returned, only where the slab had no room for the code that keeps it (gaur_hostOfPlainCall).
  abi::HostRecord* bind(std::string_view name, void* address, abi::HostRecord* host);
  /// The name stands again for what libraries say; where they have no such symbol, calls by code that has
  /// been compiled fail. Returns as bind.
  abi::HostRecord* unbind(std::string_view name);
  /// The host function that the name stands for, or null.
  abi::HostRecord* hostOf(std::string_view name);
  /// The name that stands for this host function, or empty.
  std::string nameOf(const abi::HostRecord& host);

  /// From now on `name` is an address that whoever uses it gets a report with the name for (symbol_guards.h);
  /// null where there is no room for that.
  void* registerMissing(std::string_view name);

  /// Slot of the symbol, in the data half of the slab. Thread-safe.
  Result<abi::NativeSlot*> slot(std::string_view name);
  /// The address, or null where nothing has the symbol. `library`, if not empty, is looked in before all but
  /// the symbols that the client registered. Thread-safe.
  void* find(std::string_view name, std::string_view library = {});
  /// Takes over a slot that code of a boot image refers to; null where the symbol is missing, and then it is
  /// not taken.
  void* adopt(std::string_view name, abi::NativeSlot* slot);
  /// The symbols that slots were made for, with the addresses they were found at. Thread-safe.
  std::vector<std::pair<std::string, void*>> known();
  /// Offers the names of everything that can be found, for hints. Takes milliseconds.
  void offerNames(NearName& finder);
  /// Paths of the libraries that were added, in order.
  std::vector<std::string> libraries();

 private:
  struct Library {
    std::string path;
    void* handle;
  };
  struct Binding {
    void* address;
    /// Null: a plain function.
    abi::HostRecord* host;
  };

  Binding findLocked(const std::string& name, std::string_view library);
  static void fill(abi::NativeSlot& slot, const Binding& binding);
  abi::HostRecord* replace(std::string_view name, abi::HostRecord* before, const Binding& binding);

  jit::CodeSlab& slab_;
  std::mutex mutex_;
  std::vector<Library> libraries_;
  std::map<std::string, Binding, std::less<>> registered_;
  std::map<std::string, abi::NativeSlot*, std::less<>> slots_;
};

}  // namespace gaur::runtime
