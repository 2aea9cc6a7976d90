#include "vm/runtime/keepalives.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "jit/code_map.h"
#include "vm/abi/function_record.h"
#include "vm/abi/value_passing.h"
#include "vm/ir/instruction.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/register_file.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

using ir::TypeKind;

constexpr std::align_val_t kAlignment{16};
constexpr std::uint64_t kWordBits = 64;

/// Puts values together from the scalars that a call site tells, in the order in which the compiler takes
/// them apart (jit/llvm/value_parts.h).
class Assembler {
 public:
  Assembler(const jit::CodeSite& site, std::uintptr_t framePointer)
      : site_(site),
        framePointer_(framePointer),
        locations_(site.block->keepalives.subspan(site.row->firstKeepalive, site.row->keepaliveCount)) {}

  void write(const ir::Type* type, std::byte* to) {
    const abi::Layout& layout = abi::LayoutTable::shared().of(type);
    switch (type->kind) {
      case TypeKind::Struct:
        for (std::size_t i = 0; i < type->elements.size(); ++i)
          write(type->elements[i], to + layout.offsets[i]);
        break;
      case TypeKind::Array:
      case TypeKind::Vector:
        for (std::uint64_t i = 0; i < type->length; ++i) write(type->element(), to + i * layout.stride);
        break;
      case TypeKind::Int: writeInt(type->length, to); break;
      default: {
        std::uint64_t word = next();
        std::memcpy(to, &word, layout.size);
      }
    }
  }
  bool isAtEnd() const { return used_ == locations_.size(); }

 private:
  std::uint64_t next() {
    GAUR_CHECK(used_ < locations_.size(), "a call site tells fewer values than its instruction keeps alive");
    return valueAt(site_, framePointer_, locations_[used_++]);
  }

  /// Bits above the type's are zero in memory, and anything in a frame.
  void writeInt(std::uint64_t bits, std::byte* to) {
    for (std::uint64_t done = 0; done < bits; done += kWordBits) {
      std::uint64_t left = std::min(bits - done, kWordBits);
      std::uint64_t word = next();
      if (left < kWordBits) word &= (std::uint64_t{1} << left) - 1;
      std::uint64_t bytes = std::min<std::uint64_t>(abi::intBytes(bits) - done / 8, sizeof word);
      std::memcpy(to + done / 8, &word, bytes);
    }
  }

  const jit::CodeSite& site_;
  std::uintptr_t framePointer_;
  std::span<const abi::KeepaliveLocation> locations_;
  std::size_t used_ = 0;
};

std::vector<const ir::Type*> typesOf(MicroVm& vm, const jit::CodeSite& site, FrameKind kind) {
  if (kind == FrameKind::Undefined) {
    auto parameters = site.function->record->function->signature->signature->parameters;
    return {parameters.begin(), parameters.end()};
  }
  std::vector<const ir::Type*> types;
  if (const auto* instruction = vm.program().entityOfCode<ir::Instruction>(site.row->instruction))
    for (const ir::ValueUse& use : instruction->keepalives) types.push_back(use->type);
  return types;
}

}  // namespace

void KeepaliveValues::Deleter::operator()(std::byte* memory) const { ::operator delete(memory, kAlignment); }

Result<KeepaliveValues> readKeepalives(MicroVm& vm, const FramePosition& position) {
  if (position.kind == FrameKind::Native) return makeError(ErrorId::NativeKeepalives);
  KeepaliveValues result;
  if (position.kind != FrameKind::Compiled && position.kind != FrameKind::Undefined) return result;
  jit::CodeSite site = vm.codeMap().findReturn(position.registers.pc);
  std::uint64_t bytes = 0;
  for (const ir::Type* type : typesOf(vm, site, position.kind)) {
    result.values_.push_back({type, bytes});
    bytes += abi::placeBytes(abi::LayoutTable::shared().of(type));
  }
  // Padding within values is zero, as in fresh objects.
  result.memory_.reset(static_cast<std::byte*>(::operator new(bytes, kAlignment)));
  std::memset(result.memory_.get(), 0, bytes);
  Assembler assembler(site, framePointerOf(position.registers));
  for (const auto& value : result.values_) assembler.write(value.type, result.memory_.get() + value.offset);
  GAUR_CHECK(assembler.isAtEnd(), "a call site tells more values than its instruction keeps alive");
  return result;
}

}  // namespace gaur::runtime
