// The stacks of an image: READY ones, with their frames and values. Frames stay as they are, byte by byte, so
// the code that they return to is compiled once more with the same compiler and options, and has to be the
// same code with the same rows; the addresses in it then differ by one distance.
//
// What a frame holds besides return addresses is known only as well as the collector knows it: words that are
// addresses of objects, of stacks, of records, cells and native entries, of the runtime and of EXTERN symbols
// are translated; all others stay.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/format.h"
#include "bootimage/heap_snapshot.h"
#include "bootimage/image_writer.h"
#include "bootimage/machine_addresses.h"
#include "bootimage/shadow_program.h"
#include "vm/runtime/stack_code.h"

namespace gaur::bootimage {

class StackSnapshot {
 public:
  StackSnapshot(runtime::MicroVm& vm, MachineAddresses& addresses, HeapSnapshot& heap);

  /// Looks at the stacks that the heap has found since. What they refer to is added to the heap, to outside()
  /// and to versions(). An error for frames that cannot be in an image.
  Result<void> trace();
  bool isTraced() const { return stacks_.size() == heap_.stacks().size(); }
  /// As HeapSnapshot::outside.
  std::span<const Outside> outside() const { return outside_; }
  /// Of the code that frames return to. It grows.
  std::span<const ir::FunctionVersion* const> versions() const { return versions_; }
  /// Symbols whose addresses frames hold, and perhaps nothing else in the image names.
  std::set<std::string_view> symbols() const;

  /// Compiles the code of the frames once more. `levels`: those that may be what it was compiled with. An
  /// error that names the function whose code comes out different.
  Result<void> compile(ShadowProgram& shadow, std::span<const jit::OptLevel> levels);
  /// The sections. `outside`: where outside() lies.
  void write(ImageContents& contents, const SectionBases& bases, std::span<const Target> outside);

 private:
  /// Code that frames return to, and where it lies in the image.
  struct Code {
    const abi::CodeBlock* block;
    /// Of the code that begins functions; null for others.
    const ir::Signature* starts;
    std::uint64_t begin = 0;
  };
  struct Word {
    StackFix fix;
    /// Of outside_ or code_, where `from` says so: `fix.value` is the offset in it.
    enum class From : std::uint8_t { Itself, Outside, Code } from = From::Itself;
    std::uint32_t number = 0;
    std::string symbol = {};
  };
  struct Stack {
    const abi::StackObject* object;
    std::vector<std::uint64_t> words;
    std::vector<Word> fixes;
  };

  Result<void> trace(const abi::StackObject& object);
  void addCodeWord(Stack& stack, const runtime::CodeWord& word);
  Result<void> addValue(Stack& stack, std::uint64_t index, const std::string& name);
  Result<bool> addAddress(Stack& stack, std::uint64_t index, std::uintptr_t address, const std::string& name);
  std::uint32_t numberOf(const abi::CodeBlock& block, const ir::Signature* starts);
  std::uint32_t numberOf(const Location& location);
  std::uint32_t numberOf(const abi::StackObject& stack);

  runtime::MicroVm& vm_;
  MachineAddresses& addresses_;
  HeapSnapshot& heap_;
  abi::LinkTable links_;
  /// By address, as slots of EXTERN constants hold them.
  std::map<std::uintptr_t, std::string> symbols_;
  std::vector<Stack> stacks_;
  std::vector<Code> code_;
  std::vector<Outside> outside_;
  std::vector<const ir::FunctionVersion*> versions_;
};

}  // namespace gaur::bootimage
