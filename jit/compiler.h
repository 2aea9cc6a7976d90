// The compiler as a function: IR in, machine code and rows out. Implemented by jit/llvm, which is a shared
// object of its own, opened at the first compilation; what the compiler needs to know of the running VM comes
// through Environment.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "vm/abi/code_map.h"
#include "vm/abi/function_record.h"
#include "vm/abi/layout.h"
#include "vm/abi/link_table.h"
#include "vm/abi/native_target.h"
#include "vm/ir/program.h"
#include "vm/support/result.h"

namespace gaur::jit {

class CodeSlab;
class CodeMap;

/// 0: fast compilation; 1: light; 2: the full pipeline.
enum class OptLevel : std::uint8_t { O0, O1, O2 };

/// Addresses that compiled code refers to. All lie in the data half of the slab. Thread-safe.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual ir::Program& program() = 0;
  virtual abi::LayoutTable& layouts() = 0;
  virtual abi::FunctionRecord* recordOf(const ir::Function& function) = 0;
  virtual void* addressOf(const ir::GlobalCell& cell) = 0;
  /// Slot of a native symbol.
  virtual Result<abi::NativeSlot*> externSlot(std::string_view symbol) = 0;
  /// Slot that holds the native address of an exposed function.
  virtual void** exposedSlot(const ir::ExposedFunction& exposed) = 0;
  virtual abi::LinkTable* linkTable() = 0;
  /// Slot that holds what gaur_nativeCall wants for the signature.
  virtual Result<void**> nativeCallSlot(const ir::Signature* signature) = 0;
};

/// A function whose code was copied into a caller: when it is redefined the caller must be compiled again
/// before it is next entered.
struct Inlining {
  Id callerVersion;
  Id function;
};

/// A word of linked code or data that holds an absolute address, which must change where the code goes to
/// another place: a boot image.
struct AbsoluteWord {
  std::uintptr_t place;
  /// In the slab; or, where `symbol` is not empty, of a function outside that code generation calls on its
  /// own (library_calls.def, __morestack).
  std::uintptr_t target;
  std::string symbol;
};

/// Linked code and its rows. Destroying it frees the code: nothing may be running in it or able to reach it.
class CodeUnit {
 public:
  virtual ~CodeUnit() = default;
  virtual const abi::CodeBlock& block() const = 0;
  /// Start of the code of a version, or of an adapter (version 0).
  virtual void* entryOf(Id version) const = 0;
  virtual std::span<const Inlining> inlinings() const = 0;
  /// Empty unless CompilerOptions::keepAbsoluteWords.
  virtual std::span<const AbsoluteWord> absoluteWords() const = 0;
  /// Addresses in the code where linking has stored distances. Empty unless
  /// CompilerOptions::keepAbsoluteWords.
  virtual std::span<const std::uintptr_t> linkedPlaces() const = 0;
};

/// Calls a Mu function from C++: arguments and results lie in memory, in their memory layouts, each at the
/// next multiple of 16 bytes. After the end of the last nothing is read or written, and without any the
/// address may be null. Returns false when the function threw; then `*exception` is set.
using HostCall = bool (*)(abi::FunctionRecord* function, const void* arguments, void* results,
                          void** exception);

enum class DumpStage : std::uint8_t { Llvm, LlvmOptimised, Assembly, CodeMap };

class Compiler {
 public:
  virtual ~Compiler() = default;
  /// Compiles the versions into one unit. Thread-safe. Requires: their bundles are published.
  virtual Result<std::unique_ptr<CodeUnit>> compile(std::span<const ir::FunctionVersion* const> versions,
                                                    OptLevel level) = 0;
  /// entryOf(0) is a HostCall for the signature.
  virtual Result<std::unique_ptr<CodeUnit>> hostCallAdapter(const ir::Signature* signature) = 0;
  /// entryOf(0) is native code with the C convention of the signature that calls the Mu function of the
  /// abi::ExposedRecord in the static chain register (see jit/code_slab.h, trampolines).
  virtual Result<std::unique_ptr<CodeUnit>> exposedAdapter(const ir::Signature* signature) = 0;
  /// entryOf(0) begins functions of the signature on a stack: the adapter of an abi::StartFrame.
  virtual Result<std::unique_ptr<CodeUnit>> startAdapter(const ir::Signature* signature) = 0;
  /// entryOf(0) is what runs for a function while it has no version: it traps with all arguments kept alive,
  /// then calls the function again.
  virtual Result<std::unique_ptr<CodeUnit>> undefinedFunction(const ir::Function& function) = 0;
  virtual Result<std::string> dump(const ir::FunctionVersion& version, OptLevel level, DumpStage stage) = 0;
};

struct CompilerOptions {
  /// Verify LLVM IR and code map after every stage.
  bool verify = false;
  /// Units tell their absolute words. Code that refers to the outside in any other way is refused.
  bool keepAbsoluteWords = false;
};

/// Opens libgaur-llvm.so (beside this library, or on the library path). The compiler refers to all arguments
/// as long as it lives.
Result<std::unique_ptr<Compiler>> openCompiler(Environment& environment, CodeSlab& slab, CodeMap& map,
                                               const CompilerOptions& options);

}  // namespace gaur::jit
