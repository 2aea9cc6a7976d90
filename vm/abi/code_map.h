// What is known of compiled code by address: the rows that the link plugin writes and that the unwinder, the
// frame cursor, the collector and the fault handler read. Offsets are relative to CodeBlock::begin, so that a
// linked image can be mapped anywhere.
#pragma once

#include <cstdint>
#include <span>

#include "vm/support/ids.h"

namespace gaur::abi {

struct FunctionRecord;

/// A callee-saved register that the prologue saved: DWARF number and place relative to the canonical frame
/// address.
struct SavedRegister {
  std::uint16_t dwarfNumber;
  std::int16_t cfaOffset;
};

/// Where a value of a KEEPALIVE clause lies at a call site.
struct KeepaliveLocation {
  /// "From": the value is in memory at the pointer plus `offset`. "Plus": it is that address itself (an
  /// ALLOCA cell).
  enum class Kind : std::uint8_t {
    FromStackPointer,
    FromFramePointer,
    StackPointerPlus,
    FramePointerPlus,
    Constant
  };
  Kind kind;
  std::uint8_t size;  // bytes
  std::uint16_t reserved = 0;
  std::int32_t offset;  // from the pointer
  std::int64_t constant;
};

/// Frame size of functions that move their stack pointer after the prologue (ALLOCA in a loop).
inline constexpr std::uint32_t kDynamicFrame = 0xffffffff;

/// One return address. Exists for every call site that carries a stack map record.
struct CallSiteRow {
  std::uint32_t returnOffset;
  /// 0 = none.
  std::uint32_t landingPadOffset;
  /// ID of the instruction that calls.
  Id instruction;
  std::uint32_t firstKeepalive;
  std::uint32_t keepaliveCount;
  /// From the stack pointer at the call to the return address of the frame in bytes, or kDynamicFrame.
  std::uint32_t frameSize;
  /// In a dynamic frame: what the call has pushed for its arguments. The landing pad wants it popped: its
  /// stack pointer is the one at the call plus this.
  std::uint32_t argumentBytes;
  /// Bytes of arguments that the callee pops: after the call the stack pointer is the one at the call plus
  /// this. A callee that tail-calls moves its own frame, never that place. In a dynamic frame any lower stack
  /// pointer that is the same modulo 16 does as well.
  std::uint16_t calleePops;
  /// The results come in memory of this frame: where it lies is told by the location before the first
  /// KEEPALIVE value.
  bool hasResultMemory;
};

/// What a call site's "statepoint-id" says: the fields of its row that the compiler alone knows.
struct CallSiteId {
  Id instruction;
  std::uint16_t calleePops = 0;
  bool hasResultMemory = false;

  constexpr std::uint64_t bits() const {
    return instruction | std::uint64_t{calleePops} << 32 | std::uint64_t{hasResultMemory} << 48;
  }
  static constexpr CallSiteId of(std::uint64_t bits) {
    return {static_cast<Id>(bits), static_cast<std::uint16_t>(bits >> 32), (bits >> 48 & 1) != 0};
  }
};

enum class CodeKind : std::uint8_t {
  /// A version of a function.
  Function,
  /// What runs for a function without a version: traps, then tries again. Its KEEPALIVE values are the
  /// arguments.
  Undefined,
  /// Begins a function on a stack (StartFrame). Hidden from introspection, as the next.
  StartAdapter,
  /// Between native code and Mu code; calls of it come from native code. The first KEEPALIVE value is the
  /// cookie of the stack before.
  NativeAdapter,
};

struct FunctionCode {
  std::uint32_t beginOffset;
  std::uint32_t endOffset;
  /// From here on all callee-saved registers of `saved` are in the frame, and the frame pointer is set.
  std::uint32_t bodyOffset;
  /// In the body: canonical frame address = frame pointer + this; the return address lies one word below the
  /// canonical frame address and the caller's frame pointer where the frame pointer points (a function that
  /// tail-calls with more arguments moves its frame).
  std::int32_t cfaOffset;
  /// The version it was compiled from; 0 if it is none of a version.
  Id version;
  CodeKind kind;
  /// Of a version or an undefined function.
  FunctionRecord* record;
  std::uint32_t firstRow, rowCount;  // sorted by returnOffset
  std::uint32_t firstSaved, savedCount;
};

/// An instruction that is patched: it does nothing, or jumps while its watchpoint is enabled (WATCHPOINT,
/// WPBRANCH).
struct WatchpointSite {
  /// ID of the watchpoint.
  std::uint32_t watchpoint;
  std::uint32_t siteOffset;
  std::uint32_t targetOffset;
};

/// The code of one compilation: consecutive functions in the slab.
struct CodeBlock {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::span<const FunctionCode> functions;  // sorted by beginOffset
  std::span<const CallSiteRow> rows;
  std::span<const SavedRegister> saved;
  std::span<const KeepaliveLocation> keepalives;
  std::span<const WatchpointSite> watchpoints = {};  // sorted by watchpoint
};

}  // namespace gaur::abi
