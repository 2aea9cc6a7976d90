// The code of an image: compiled once more, into a slab of its own that is laid out as the slab of a process
// that starts from the image will be. The running machine knows nothing of it. What records, cells and slots
// lie where is decided here, and told in rows for the start.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bootimage/format.h"
#include "bootimage/image_writer.h"
#include "jit/code_map.h"
#include "jit/code_slab.h"
#include "jit/compiler.h"
#include "vm/runtime/entity_data.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::bootimage {

class ShadowProgram final : private jit::Environment {
 public:
  explicit ShadowProgram(runtime::MicroVm& vm);
  ~ShadowProgram() override;
  ShadowProgram(const ShadowProgram&) = delete;
  ShadowProgram& operator=(const ShadowProgram&) = delete;

  // --- Where things are; made when first asked for
  // --------------------------------------------------------------------
  Target functionTarget(const ir::Function& function);
  Target cellTarget(const ir::GlobalCell& cell);
  Target exposedTarget(const ir::ExposedFunction& exposed);
  /// Of a native entry that the program made while it ran, known by its address.
  Target exposureTarget(const void* address, const abi::ExposedRecord& record);
  /// Cells that fill whole pages, beside each other. Once, and before anything else asks for them.
  void placeNamedCells(std::span<const ir::GlobalCell* const> cells);
  /// Those pages, in Data; empty where there are none.
  std::span<std::byte> namedCells() const { return namedCells_; }
  std::uint64_t namedCellsOffset() const { return namedCells_.empty() ? 0 : inData(namedCells_.data()); }
  /// The addresses that the file assumes.
  static SectionBases bases();

  // --- Code
  // ------------------------------------------------------------------------------------------------------------
  /// Compiles versions and whatever adapters they, exposed functions and the start need. `progress` is told
  /// how many versions are done.
  Result<void> compile(std::span<const ir::FunctionVersion* const> versions, jit::OptLevel level,
                       const std::function<void(std::size_t)>& progress);
  /// Code that frames of a stack return to, once more: that of versions, of a function without one, or, given
  /// their signature, what begins functions. It has to come out as it is, by one of these levels. Returns
  /// where it lies in Code. Calls go on to what compile() makes.
  Result<std::uint64_t> recompile(const abi::CodeBlock& original, const ir::Signature* starts,
                                  std::span<const jit::OptLevel> levels);
  /// An adapter by which the host calls functions of the signature.
  Result<void> addHostCall(const ir::Signature* signature);
  /// One by which C calls them.
  Result<void> addExposedAdapter(const ir::Signature* signature);
  /// Symbols that compiled code refers to.
  std::vector<std::string> externs() const;

  /// The bytes of a cell, and which of its words hold addresses (offsets in Data).
  void setCell(const ir::GlobalCell& cell, std::span<const std::byte> bytes);

  /// Puts data, code and their rows into the image. `cellWords`: offsets in Data, ascending. Nothing can be
  /// added afterwards.
  Result<void> write(ImageContents& contents, std::span<const std::uint64_t> cellWords);

 private:
  struct Exposed {
    runtime::ExposedFunctionData* data;
    void* trampoline;
    void** slot;
    const ir::Signature* signature;
    Id id;
  };

  // jit::Environment
  ir::Program& program() override { return vm_.program(); }
  abi::LayoutTable& layouts() override { return abi::LayoutTable::shared(); }
  abi::FunctionRecord* recordOf(const ir::Function& function) override;
  void* addressOf(const ir::GlobalCell& cell) override;
  Result<abi::NativeSlot*> externSlot(std::string_view symbol) override;
  void** exposedSlot(const ir::ExposedFunction& exposed) override;
  abi::LinkTable* linkTable() override { return linkTable_; }
  Result<void**> nativeCallSlot(const ir::Signature* signature) override;

  template <class T>
  T* make(std::size_t bytes = sizeof(T), std::size_t alignment = alignof(T));
  void* trampoline();
  Exposed expose(const ir::Function& function, std::uint64_t cookie, Id id);
  std::uint64_t inData(const void* address) const;
  std::uint64_t inCode(const void* address) const;

  Result<jit::Compiler*> compiler();
  Result<void> compileBatch(std::span<const ir::FunctionVersion* const> versions, jit::OptLevel level);
  void keep(std::unique_ptr<jit::CodeUnit> unit);
  Result<void*> adapter(AdapterKind kind, const ir::Signature* signature);
  Result<void> addAdaptersOf(const ir::FunctionVersion& version);

  void setWord(void* place, const void* target);
  void writeRecords(ImageContents& contents);
  void writeExposures(ImageContents& contents);
  void writeSlots(ImageContents& contents);
  Result<void> writeUnits(ImageContents& contents);
  void writeRows(ImageContents& contents);

  runtime::MicroVm& vm_;
  jit::CodeSlab slab_;
  jit::CodeMap map_;
  abi::LinkTable* linkTable_ = nullptr;
  bool isFull_ = false;
  std::map<Id, std::pair<const ir::Function*, abi::FunctionRecord*>> records_;
  std::map<Id, std::pair<const ir::GlobalCell*, void*>> cells_;
  std::span<std::byte> namedCells_;
  std::map<Id, Exposed> exposed_;
  std::map<const void*, Exposed> exposures_;
  std::map<std::string, abi::NativeSlot*, std::less<>> externs_;
  std::map<std::uint32_t, std::pair<const ir::Signature*, void**>> nativeCalls_;
  std::map<std::pair<AdapterKind, std::uint32_t>, void*> adapters_;
  std::unique_ptr<jit::Compiler> compiler_;
  std::vector<std::unique_ptr<jit::CodeUnit>> units_;
  std::vector<std::uint32_t> dataWords_;
};

}  // namespace gaur::bootimage
