#include "jit/llvm/stackmap_reader.h"

#include <llvm/Object/StackMapParser.h>

#include <limits>

namespace gaur::jit {

namespace {

using Parser = llvm::StackMapParser<llvm::endianness::little>;
using Kind = abi::KeepaliveLocation::Kind;

/// A record begins with three constants: calling convention, flags, and the number of values that follow.
constexpr unsigned kHeaderLocations = 3;

llvm::Error convert(const Parser& map, const Parser::LocationAccessor& location, unsigned stackPointer,
                    unsigned framePointer, abi::KeepaliveLocation& out) {
  out = {};
  out.size = static_cast<std::uint8_t>(location.getSizeInBytes());
  bool isAddress = location.getKind() == Parser::LocationKind::Direct;
  switch (location.getKind()) {
    case Parser::LocationKind::Direct:
    case Parser::LocationKind::Indirect: {
      unsigned base = location.getDwarfRegNum();
      if (base != stackPointer && base != framePointer)
        return llvm::createStringError("value of a call site is relative to register %u", base);
      bool fromStack = base == stackPointer;
      out.kind = isAddress ? (fromStack ? Kind::StackPointerPlus : Kind::FramePointerPlus)
                           : (fromStack ? Kind::FromStackPointer : Kind::FromFramePointer);
      out.offset = location.getOffset();
      return llvm::Error::success();
    }
    case Parser::LocationKind::Constant:
      out.kind = Kind::Constant;
      out.constant = static_cast<std::int32_t>(location.getSmallConstant());
      return llvm::Error::success();
    case Parser::LocationKind::ConstantIndex:
      out.kind = Kind::Constant;
      out.constant = static_cast<std::int64_t>(map.getConstant(location.getConstantIndex()).getValue());
      return llvm::Error::success();
    case Parser::LocationKind::Register: break;
  }
  return llvm::createStringError("value of a call site is in a register");
}

}  // namespace

llvm::Error readStackMap(llvm::ArrayRef<char> section, unsigned stackPointer, unsigned framePointer,
                         std::vector<StackMapSite>& sites) {
  llvm::ArrayRef<std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(section.data()), section.size());
  if (auto error = Parser::validateHeader(bytes)) return error;
  Parser map(bytes);
  auto record = map.records_begin();
  for (const auto& function : map.functions()) {
    for (std::uint64_t i = 0; i < function.getRecordCount(); ++i, ++record) {
      StackMapSite site;
      site.returnAddress = function.getFunctionAddress() + record->getInstructionOffset();
      site.id = abi::CallSiteId::of(record->getID());
      std::uint64_t frameSize = function.getStackSize();
      site.frameSize =
          frameSize < abi::kDynamicFrame ? static_cast<std::uint32_t>(frameSize) : abi::kDynamicFrame;
      unsigned index = 0;
      for (const auto& location : record->locations()) {
        if (index++ < kHeaderLocations) continue;
        if (auto error = convert(map, location, stackPointer, framePointer, site.keepalives.emplace_back()))
          return error;
      }
      sites.push_back(std::move(site));
    }
  }
  return llvm::Error::success();
}

}  // namespace gaur::jit
