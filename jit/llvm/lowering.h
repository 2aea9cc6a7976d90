// From Mu functions to LLVM IR. ModuleLowering holds what a compilation shares (types, declarations, external
// addresses); FunctionLowering lowers one version, with a method for every row of opcodes.def: forgetting one
// is a link error.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <optional>
#include <string>

#include "jit/compiler.h"
#include "jit/llvm/call_analysis.h"
#include "vm/abi/runtime_entries.h"
#include "vm/ir/instruction.h"

namespace gaur::jit {

/// Addresses of the external symbols of a module, for the link plugin.
using ExternalAddresses = llvm::StringMap<std::uintptr_t>;

/// How values travel between Mu functions: in registers, or through memory that the caller provides and
/// passes first.
struct MuSignature {
  llvm::FunctionType* type = nullptr;
  /// Results are stored through the first parameter, at these offsets.
  bool resultsInMemory = false;
  llvm::SmallVector<std::uint64_t, 4> resultOffsets;
  std::uint64_t resultBytes = 0;
  /// Bytes of stack that a callee takes back for its arguments.
  std::uint16_t calleePops = 0;
};

/// What frames that wait in a call site need beyond the instruction (abi::CallSiteRow).
struct CallSiteShape {
  std::uint16_t calleePops = 0;
  /// Memory in the frame for the results, or null.
  llvm::Value* resultMemory = nullptr;
};

/// Offsets of values that lie one after the other in memory, each at a multiple of 16 bytes (see HostCall).
/// Returns the total.
std::uint64_t placeInMemory(abi::LayoutTable& layouts, std::span<const ir::Type* const> types,
                            llvm::SmallVectorImpl<std::uint64_t>& offsets);

/// An int that C passes extended to 32 bits.
bool isNarrowInt(const ir::Type* type);
/// A type whose values C classifies part by part when it passes them.
bool isNativeAggregate(const ir::Type* type);

class ModuleLowering {
 public:
  ModuleLowering(llvm::Module& module, Environment& environment, OptLevel level);

  llvm::LLVMContext& context() { return module_.getContext(); }
  llvm::Module& module() { return module_; }
  Environment& environment() { return environment_; }
  ir::TypeTable& types() { return environment_.program().types(); }
  OptLevel level() const { return level_; }
  const abi::Layout& layoutOf(const ir::Type* type) { return environment_.layouts().of(type); }

  /// Type of an SSA value. Tagged references are i64, all other references and pointers ptr.
  llvm::Type* valueType(const ir::Type* type);
  MuSignature signatureOf(const ir::Signature* signature);
  /// How values of these types come in where a frame is resumed with them: as the results of a call, with a
  /// function type that has no parameters.
  MuSignature resultsOf(std::span<const ir::Type* const> types);

  /// Creates (once) the function for a version: external linkage, name "f<version id>", attributes and
  /// convention set.
  llvm::Function* functionFor(const ir::FunctionVersion& version);
  /// Lowers a version into functionFor(version), which the caller may then compile.
  void lower(const ir::FunctionVersion& version);

  // Symbols at fixed addresses within reach of the code.
  llvm::Constant* recordSymbol(const ir::Function& function);
  llvm::Constant* cellSymbol(const ir::GlobalCell& cell);
  llvm::Constant* slotSymbol(const std::string& name, void* address);
  /// The abi::NativeSlot of an EXTERN symbol.
  llvm::Constant* externSymbol(std::string_view symbol, abi::NativeSlot* slot);
  /// A call of a runtime entry through the link table. Entries that throw, or that somebody may look through,
  /// need a call site: `instruction` is the one that calls. With `unwind` the call is an invoke to it, and
  /// the builder goes on in its normal continuation.
  llvm::CallBase* callRuntime(llvm::IRBuilder<>& builder, abi::RuntimeEntry entry,
                              llvm::ArrayRef<llvm::Value*> arguments, Id instruction = kNoId,
                              llvm::BasicBlock* unwind = nullptr);
  /// A load of what never changes once there is code that reads it.
  llvm::Value* loadInvariant(llvm::IRBuilder<>& builder, llvm::Type* type, llvm::Value* address,
                             const llvm::Twine& name);
  /// Address of a runtime entry, from the link table.
  llvm::Value* entryAddress(llvm::IRBuilder<>& builder, abi::RuntimeEntry entry);
  /// Pointer to the ThreadBlock of the running thread; load again after every call.
  llvm::Value* currentThread(llvm::IRBuilder<>& builder);
  /// Whether the frame lies on a Mu stack: for adapters, which native code calls on whatever stack it has.
  llvm::Value* standsOnStack(llvm::IRBuilder<>& builder);
  /// The object of the stack that the frame lies on. Requires: it does.
  llvm::Value* currentStack(llvm::IRBuilder<>& builder);
  bool isAArch64() const;
  /// Of the function's own frame, as a number.
  llvm::Value* frameAddress(llvm::IRBuilder<>& builder);
  /// Attributes every function needs: frame pointer, unwind table, stack check.
  void setAttributes(llvm::Function& function);
  llvm::Constant* personality();

  /// The copy of a leaf that is inlined into its callers in this module (call_analysis.h), made on first use.
  /// `caller` is remembered, since a redefinition of the leaf has to recompile it.
  llvm::Function* inlineCopy(const ir::FunctionVersion& leaf, const ir::FunctionVersion& caller);
  const std::vector<Inlining>& inlinings() const { return inlinings_; }

  ExternalAddresses& externals() { return externals_; }
  /// First failure (unknown native symbol, type that cannot be lowered); lowering goes on with poison after
  /// it.
  void fail(Error error) {
    if (!failure_) failure_ = std::move(error);
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  /// A field of the link table.
  llvm::Value* linkField(llvm::IRBuilder<>& builder, llvm::Type* type, std::uint64_t offset,
                         const llvm::Twine& name);
  llvm::Constant* externalSymbol(const std::string& name, std::uintptr_t address, llvm::Type* type);

  llvm::Module& module_;
  Environment& environment_;
  OptLevel level_;
  ExternalAddresses externals_;
  llvm::DenseMap<const ir::Type*, llvm::Type*> valueTypes_;
  llvm::DenseMap<const ir::Signature*, MuSignature> signatures_;
  llvm::DenseMap<const ir::FunctionVersion*, llvm::Function*> inlineCopies_;
  std::vector<Inlining> inlinings_;
  std::optional<Error> failure_;
};

/// How values lie in memory (lower_access.cpp).
class MemoryLowering {
 public:
  MemoryLowering(ModuleLowering& module, llvm::IRBuilder<>& builder) : module_(module), builder_(builder) {}

  /// Plain load and store of a value of any type in its memory layout: iN is widened to whole bytes,
  /// composites go field by field, weakref locations are accessed through the runtime. The alignment is that
  /// of the type.
  llvm::Value* loadPlain(const ir::Type* type, llvm::Value* address);
  void storePlain(const ir::Type* type, llvm::Value* address, llvm::Value* value);
  /// The integer or pointer type that an atomic access of a scalar uses, and the way of a value there and
  /// back.
  llvm::Type* atomicType(const ir::Type* type);
  llvm::Value* toAtomic(const ir::Type* type, llvm::Value* value);
  llvm::Value* fromAtomic(const ir::Type* type, llvm::Value* raw);
  llvm::Value* byteOffset(llvm::Value* address, std::uint64_t bytes);
  /// address + index * stride of `element`, the index sign-extended.
  llvm::Value* elementAddress(llvm::Value* address, llvm::Value* index, const ir::Type* element);

 private:
  ModuleLowering& module_;
  llvm::IRBuilder<>& builder_;
};

class FunctionLowering {
 public:
  FunctionLowering(ModuleLowering& module, const ir::FunctionVersion& version, llvm::Function* function);
  void run();

 private:
  // One method a row of opcodes.def, in lower_*.cpp.
#define GAUR_OPCODE(Name, ...) void lower##Name(ir::Name inst);
#include "vm/ir/opcodes.def"
  void lower(const ir::Instruction& instruction);

  // Common instructions by family (lower_common.cpp, lower_tagref.cpp, lower_introspection.cpp,
  // lower_futex.cpp).
  void lowerTagref(ir::CommInst inst);
  void lowerNative(ir::CommInst inst);
  void lowerMeta(ir::CommInst inst);
  void lowerIntrospection(ir::CommInst inst);
  void lowerIrBuilder(ir::CommInst inst);
  void lowerFutex(ir::CommInst inst);
  /// Address of a field of the running thread's ThreadBlock.
  llvm::Value* threadField(std::uint64_t offset);

  // --- Values
  // --------------------------------------------------------------------------------------------------------
  /// LLVM value of an operand; global values are materialised at the insertion point.
  llvm::Value* value(const ir::Value* operand);
  llvm::Value* constant(const ir::Constant& constant);
  void setResult(const ir::Instruction& instruction, std::size_t index, llvm::Value* value);
  llvm::Type* typeOf(const ir::Type* type) { return module_.valueType(type); }

  // --- Control
  // -------------------------------------------------------------------------------------------------------
  /// At the end of lowering: throws where the frame begins if the stack is used up.
  void checkStack();
  /// The block of a destination, for a terminator at the insertion point that names it once; its arguments
  /// are passed from there.
  llvm::BasicBlock* targetOf(const ir::Dest* dest);
  /// Branches from the insertion point to a destination, passing its arguments.
  void branchTo(const ir::Dest* dest);
  /// The same to an exceptional destination, passing the exception where the block takes one.
  void branchToHandler(const ir::Dest* dest, llvm::Value* exception);
  /// A block that does nothing but branchTo(dest): a target for conditional branches.
  llvm::BasicBlock* edgeBlock(const ir::Dest* dest);
  llvm::BasicBlock* handlerBlock(const ir::Dest* dest, llvm::Value* exception);
  /// Landing pad that takes the exception in flight to `dest`.
  llvm::BasicBlock* landingPad(const ir::Dest* dest);
  llvm::BasicBlock* newBlock(const llvm::Twine& name);
  void isolateTerminator();
  /// Where an instruction that failed goes: its exceptional destination with NULL, or a report of the guest
  /// failure.
  llvm::BasicBlock* failureBlock(const ir::Instruction& instruction, abi::GuestFailure failure);
  /// Ends the block of an instruction that carries EXC by branching to its normal destination; nothing
  /// otherwise.
  void finish(const ir::Instruction& instruction);
  /// Ends the block with the patchable instruction of a watchpoint, which goes on to `disabled`. The builder
  /// stands where it goes while the watchpoint is enabled.
  void watchpointSite(std::uint32_t watchpoint, const ir::Dest* disabled);
  /// `if (condition) goto failureBlock` at low probability; goes on in a new block.
  void failIf(llvm::Value* condition, const ir::Instruction& instruction, abi::GuestFailure failure);

  // --- Calls (lower_call.cpp)
  // ----------------------------------------------------------------------------------------
  /// A call or (with EXC) an invoke that is a call site of the instruction: statepoint-id = its ID, deopt
  /// bundle = the KEEPALIVE values. After an invoke the builder stands in the normal continuation.
  llvm::CallBase* callSite(const ir::Instruction& instruction, llvm::FunctionType* type, llvm::Value* callee,
                           llvm::ArrayRef<llvm::Value*> arguments, llvm::CallingConv::ID convention,
                           const CallSiteShape& shape = {});
  /// Arguments of a Mu call, with the memory for results first where the signature wants it.
  llvm::SmallVector<llvm::Value*, 8> callArguments(const MuSignature& signature,
                                                   std::span<const ir::ValueUse> arguments,
                                                   llvm::Value* resultMemory);
  void setCallResults(const ir::Instruction& instruction, const MuSignature& signature, llvm::Value* returned,
                      llvm::Value* memory);
  /// Current entry of the function that a funcref refers to.
  llvm::Value* entryOf(llvm::Value* funcref);
  void lowerNativeAggregateCall(ir::CCall inst);
  /// The function that LLVM knows by name, where a CCALL is one of it (library_calls.def); null otherwise.
  llvm::Function* knownFunction(ir::CCall inst, llvm::FunctionType* type);
  /// What a CCALL calls: null `target` where that is a plain pointer.
  struct CalledCode {
    llvm::Value* code;
    /// abi::NativeTarget, whose environment is the last argument.
    llvm::Value* target = nullptr;
  };
  CalledCode calledCode(ir::CCall inst);
  /// Behind a native call: `called`, if not null, and pointers to functions that the call uses are alive
  /// until here.
  void keepCallees(ir::CCall inst, llvm::Value* called);
  void lowerSquareRoot(ir::CCall inst);
  void lowerNotAvailable(const ir::Instruction& instruction);

  // --- Stacks (lower_stack.cpp)
  // --------------------------------------------------------------------------------------
  void lowerStack(ir::CommInst inst);
  /// A trap at the instruction, which TRAP and an enabled WATCHPOINT are: sets its results, and goes on where
  /// the thread is resumed with values.
  void trapCall(const ir::Instruction& instruction);
  /// A switch to another stack: a call of a runtime entry that is resumed with values of these types.
  void suspend(const ir::Instruction& instruction, abi::RuntimeEntry entry,
               llvm::ArrayRef<llvm::Value*> passed, std::span<const ir::TypeUse> resultTypes);
  /// A swap in place of the call. Only what travels in integer registers can be passed and received like
  /// that, in code that is optimised, and without KEEPALIVE values: false elsewhere.
  bool swapInPlace(ir::SwapStack inst);
  /// Memory in the frame for results that do not travel in registers; null where they do.
  llvm::Value* resultMemory(const MuSignature& signature);
  /// Values for a READY stack as they travel in registers, words as i64; those that do not are stored in the
  /// memory that the stack has for them, and nothing is left.
  llvm::SmallVector<llvm::Value*, 2> passValues(llvm::Value* stack, std::span<const ir::TypeUse> types,
                                                std::span<const ir::ValueUse> values);
  llvm::Value* resumeImage(llvm::Value* stack, ir::NewThread inst);

  // --- Memory (lower_memory.cpp)
  // -------------------------------------------------------------------------------------
  /// Memory in the frame for the whole activation.
  llvm::AllocaInst* frameSlot(llvm::Type* type, std::uint64_t alignment);
  /// For accesses through irefs with EXC: NULL goes to the handler.
  void checkNull(const ir::Instruction& instruction, llvm::Value* address);
  /// An int operand as i64, zero-extended.
  llvm::Value* lengthOf(const ir::Value* operand);
  /// A new object of a type that is no hybrid: popped from the thread's free list, else by the runtime;
  /// `instruction` fails where there is no memory.
  llvm::Value* allocateObject(const ir::Instruction& instruction, const ir::Type* type);
  /// A zeroed cell of `bytes` in the frame, from here to the end of the activation.
  llvm::Value* allocateCell(const ir::Instruction& instruction, llvm::Value* bytes, std::uint64_t alignment);

  ModuleLowering& module_;
  const ir::FunctionVersion& version_;
  llvm::Function* function_;
  llvm::IRBuilder<> builder_;
  MemoryLowering memory_;
  MuSignature signature_;
  llvm::DenseMap<const ir::Value*, llvm::Value*> values_;
  llvm::DenseMap<const ir::BasicBlock*, llvm::BasicBlock*> blocks_;
  CallAnalysis analysis_;
};

}  // namespace gaur::jit
