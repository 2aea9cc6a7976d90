// A running VM as the subcommands use it: bundles and HAIL scripts from files, functions called with
// literals.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "api/mu/gaur.h"
#include "bootimage/start.h"
#include "tools/gaur/command.h"
#include "tools/gaur/literals.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::tool {

/// Memory for the arguments or the results of one call, each in a multiple of 16 bytes (jit/compiler.h,
/// HostCall).
class CallMemory {
 public:
  explicit CallMemory(std::span<const ir::Type* const> types);

  std::byte* at(std::size_t i) { return bytes() + offsets_[i]; }
  std::byte* bytes() { return reinterpret_cast<std::byte*>(words_.data()); }
  const ir::Type* type(std::size_t i) const { return types_[i]; }
  std::size_t count() const { return types_.size(); }

 private:
  struct alignas(16) Word {
    std::byte data[16];
  };
  std::span<const ir::Type* const> types_;
  std::vector<std::size_t> offsets_;
  std::vector<Word> words_;
};

class Machine {
 public:
  /// Throws Exit where the VM cannot be made.
  explicit Machine(const Options& options);
  /// What was left in a boot image. Throws Exit where it is refused.
  Machine(const std::string& image, const Options& options, const bootimage::LoadOptions& loading = {});
  /// One of the C interface: what load() reads in texts, a client's calls of MuIRBuilder make (replay.h).
  static Machine ofClient(const Options& options);
  /// That of an image which is part of the process; `options` as of gaur_new, `symbols` as of LoadOptions.
  /// Throws Exit where it cannot begin.
  static Machine ofLinked(GaurLinkedImage* image, const std::string& options,
                          const std::vector<std::pair<std::string, void*>>& symbols);

  /// Whether the file is meant as a boot image, be it a good one or not: by its name, or because it is no
  /// text.
  static bool isImage(const std::string& path);

  runtime::MicroVm& vm() { return *vm_; }
  /// Loads a bundle; the diagnostics are in `source`. Null where it is wrong. Throws Exit where a client's
  /// calls make another program of it.
  ir::Bundle* load(Source& source);
  /// Loads files in order and reports their diagnostics. Throws Exit at the first that is wrong.
  void loadAll(const std::vector<std::string>& files, const Invocation& invocation);
  /// Loads a bundle or a HAIL script, by the file's name; false where it is wrong.
  bool loadFile(Source& source);
  /// The function with this full name ("@" optional). Throws Exit where there is none.
  const ir::Function& function(std::string_view name);
  /// What the image begins with; nothing, where there was no image.
  const bootimage::Primordial& primordial() const { return primordial_; }

 private:
  struct Client;

  Machine() = default;
  ir::Bundle* build(Source& source);

  /// Of ofClient; null otherwise.
  std::shared_ptr<Client> client_;
  std::shared_ptr<runtime::MicroVm> vm_;
  bootimage::Primordial primordial_;
};

/// The function that a process begins with where nobody says otherwise.
inline constexpr const char* kMain = "@main";

/// Whether the function is a C-like main: (int<32>, uptr<...>) -> at most an int.
bool isMain(const ir::Signature* signature);

/// argc and argv for a main; lives as long as the call.
class ProgramArguments {
 public:
  ProgramArguments(const std::string& program, const std::vector<std::string>& arguments);
  void passTo(CallMemory& memory);
  int count() const { return static_cast<int>(texts_.size()); }
  char** values() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

}  // namespace gaur::tool
