#include "jit/code_map_text.h"

#include <fmt/format.h>

#include <iterator>

#include "vm/abi/function_record.h"

namespace gaur::jit {

std::string nameOrId(const EntityName& nameOf, Id id) {
  std::string name = nameOf(id);
  return name.empty() ? fmt::format("#{}", id) : name;
}

std::string registerName(unsigned dwarfNumber) {
#if defined(__x86_64__)
  static constexpr const char* kNames[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"};
  return dwarfNumber < std::size(kNames) ? kNames[dwarfNumber] : fmt::format("r{}", dwarfNumber);
#else
  constexpr unsigned kFirstVector = 64;
  return dwarfNumber >= kFirstVector ? fmt::format("d{}", dwarfNumber - kFirstVector)
                                     : fmt::format("x{}", dwarfNumber);
#endif
}

std::string describePlace(const abi::KeepaliveLocation& place) {
  using Kind = abi::KeepaliveLocation::Kind;
  switch (place.kind) {
    case Kind::FromStackPointer: return fmt::format("[sp{:+}] {} bytes", place.offset, place.size);
    case Kind::FromFramePointer: return fmt::format("[fp{:+}] {} bytes", place.offset, place.size);
    case Kind::StackPointerPlus: return fmt::format("sp{:+}", place.offset);
    case Kind::FramePointerPlus: return fmt::format("fp{:+}", place.offset);
    case Kind::Constant: return fmt::format("{}", place.constant);
  }
  return {};
}

std::string describeFunction(const abi::FunctionCode& function, const EntityName& nameOf) {
  switch (function.kind) {
    case abi::CodeKind::Function: return nameOrId(nameOf, function.version);
    case abi::CodeKind::Undefined: return nameOrId(nameOf, function.record->id) + " without a version";
    case abi::CodeKind::StartAdapter: return "start adapter";
    case abi::CodeKind::NativeAdapter: return "native adapter";
  }
  return {};
}

std::string describeCode(const abi::CodeBlock& block, const EntityName& nameOf) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "block of {} bytes\n", block.end - block.begin);
  for (const abi::FunctionCode& function : block.functions) {
    fmt::format_to(out, "\n{}: +{:#x}..+{:#x}, body from +{:#x}, frame address fp{:+}\n",
                   describeFunction(function, nameOf), function.beginOffset, function.endOffset,
                   function.bodyOffset, function.cfaOffset);
    for (const auto& saved : block.saved.subspan(function.firstSaved, function.savedCount))
      fmt::format_to(out, "  saves {} at {:+}\n", registerName(saved.dwarfNumber), saved.cfaOffset);
    for (const auto& row : block.rows.subspan(function.firstRow, function.rowCount)) {
      fmt::format_to(out, "  +{:#x} returns to {}, ", row.returnOffset, nameOrId(nameOf, row.instruction));
      if (row.frameSize == abi::kDynamicFrame)
        fmt::format_to(out, "dynamic frame");
      else
        fmt::format_to(out, "frame of {} bytes", row.frameSize);
      if (row.calleePops != 0) fmt::format_to(out, ", callee pops {}", row.calleePops);
      if (row.landingPadOffset != 0) fmt::format_to(out, ", handler +{:#x}", row.landingPadOffset);
      fmt::format_to(out, "\n");
      if (row.hasResultMemory)
        fmt::format_to(out, "    results at {}\n", describePlace(block.keepalives[row.firstKeepalive - 1]));
      for (const auto& place : block.keepalives.subspan(row.firstKeepalive, row.keepaliveCount))
        fmt::format_to(out, "    {}\n", describePlace(place));
    }
    for (const auto& site : block.watchpoints)
      if (site.siteOffset >= function.beginOffset && site.siteOffset < function.endOffset)
        fmt::format_to(out, "  +{:#x} jumps to +{:#x} while watchpoint {} is enabled\n", site.siteOffset,
                       site.targetOffset, site.watchpoint);
  }
  return text;
}

}  // namespace gaur::jit
