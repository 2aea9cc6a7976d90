// Reads what LLVM emitted for unwinding, call frame information and call-site tables, and makes the rows of
// the code map from it. After this nobody needs those sections.
#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/Support/Error.h>

#include <vector>

#include "jit/llvm/stackmap_reader.h"
#include "vm/abi/code_map.h"

namespace gaur::jit {

/// DWARF numbers of a target.
struct TargetRegisters {
  unsigned framePointer;
  unsigned stackPointer;
  unsigned returnAddress;
};

/// A range of code with a handler: what an invoke became.
struct HandlerRange {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::uintptr_t landingPad;
};

/// How to find the caller's registers from here to the next rule.
struct FrameRule {
  std::uintptr_t begin;
  unsigned cfaRegister;
  std::int64_t cfaOffset;
  /// Sorted by register number; without return address and frame pointer.
  llvm::SmallVector<abi::SavedRegister, 8> saved;
  /// Where the caller's frame pointer lies, if it was saved.
  bool savesFramePointer = false;
  /// What is pushed for the arguments of calls, in functions that push.
  std::uint32_t argumentBytes = 0;
};

struct FunctionFrames {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::vector<FrameRule> rules;
  std::vector<HandlerRange> handlers;
};

/// One entry of .eh_frame with the entry it refers to; both in place, with final addresses. `description`
/// begins with its length field.
llvm::Expected<FunctionFrames> readFrames(const std::uint8_t* description, const std::uint8_t* common,
                                          const TargetRegisters& registers);

/// Rows of one block of code, owned.
struct CodeRows {
  std::vector<abi::FunctionCode> functions;
  std::vector<abi::CallSiteRow> rows;
  std::vector<abi::SavedRegister> saved;
  std::vector<abi::KeepaliveLocation> keepalives;
  std::vector<abi::WatchpointSite> watchpoints;
};

/// Joins frames and stack map. Sorts its arguments. Versions and records of the functions, and the
/// watchpoints, are left empty.
llvm::Expected<CodeRows> makeRows(std::uintptr_t blockBegin, std::vector<FunctionFrames>& frames,
                                  std::vector<StackMapSite>& sites, const TargetRegisters& registers);

}  // namespace gaur::jit
