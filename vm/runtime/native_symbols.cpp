#include "vm/runtime/native_symbols.h"

#include <dlfcn.h>

#include <initializer_list>

#include "jit/code_slab.h"

namespace gaur::runtime {

namespace {

/// Libraries that a C program may count on, opened when they are first needed.
void* findInSystem(const char* name) {
  if (void* address = dlsym(RTLD_DEFAULT, name)) return address;
  for (const char* library : {"libc.so.6", "libm.so.6", "libutil.so.1", "librt.so.1", "libdl.so.2"}) {
    void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) continue;
    if (void* address = dlsym(handle, name)) return address;
  }
  return nullptr;
}

}  // namespace

Result<void> NativeSymbols::addLibrary(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* reason = dlerror();
    return makeError(ErrorId::FileUnreadable, {path, reason ? reason : "not a library"});
  }
  std::lock_guard lock(mutex_);
  libraries_.push_back(handle);
  return {};
}

void NativeSymbols::registerSymbol(std::string_view name, void* address) {
  std::lock_guard lock(mutex_);
  registered_.insert_or_assign(std::string(name), address);
  if (auto known = slots_.find(name); known != slots_.end()) *known->second = address;
}

Result<void**> NativeSymbols::slot(std::string_view name) {
  std::lock_guard lock(mutex_);
  if (auto known = slots_.find(name); known != slots_.end()) return known->second;
  std::string text(name);
  void* address = nullptr;
  if (auto own = registered_.find(name); own != registered_.end()) address = own->second;
  if (!address) address = findInSystem(text.c_str());
  for (std::size_t i = 0; i < libraries_.size() && !address; ++i) address = dlsym(libraries_[i], text.c_str());
  if (!address) return makeError(ErrorId::SymbolUnknown, {name});
  auto* slot = static_cast<void**>(slab_.allocateData(sizeof(void*), alignof(void*)));
  if (!slot) return makeError(ErrorId::OutOfMemory, {"data of the code slab"});
  *slot = address;
  slots_.emplace(std::move(text), slot);
  return slot;
}

}  // namespace gaur::runtime
