// The encoding of a snapshot, as far as its writer and its reader must agree beyond the order of fields,
// which README.md describes. Private to them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "vm/ir/opcode.h"

namespace gaur::ir::snapshot {

inline constexpr std::uint32_t kMagic = 0x52494147;  // "GAIR"
/// Raised when the encoding changes in a way that the tables below do not show.
inline constexpr std::uint32_t kVersion = 1;

/// Depends on the version and on all numbers of kinds, opcodes, operators and common instructions, so that a
/// snapshot is never read with other ones than it was written with.
constexpr std::uint32_t fingerprint() {
  std::uint32_t hash = 2166136261u;
  auto mixByte = [&hash](unsigned byte) { hash = (hash ^ (byte & 0xff)) * 16777619u; };
  auto mix = [&](std::string_view text, unsigned number) {
    for (char c : text) mixByte(static_cast<unsigned char>(c));
    mixByte(number);
    mixByte(number >> 8);
  };
  mix("version", kVersion);
  unsigned row = 0;
#define GAUR_TYPE(Kind, Text, Properties) mix(Text, row++);
#include "vm/ir/types.def"
#define GAUR_OPCODE(Name, Text, Flags) mix(#Name, row++);
#include "vm/ir/opcodes.def"
#define GAUR_BINOP(Name, Text, Code, Class) mix(Text, Code);
#define GAUR_CMPOP(Name, Text, Code, Class) mix(Text, Code);
#define GAUR_CONVOP(Name, Text, Code)       mix(Text, Code);
#define GAUR_ORDER(Name, Text, Code)        mix(Text, Code);
#define GAUR_RMWOP(Name, Text, Code)        mix(Text, Code);
#define GAUR_CALLCONV(Name, Text, Code)     mix(Text, Code);
#define GAUR_STATUS(Name, Text, Bit)        mix(Text, Bit);
#include "vm/ir/operators.def"
#define GAUR_COMMINST(Name, Text, Code, ...) mix(Text, Code);
#include "vm/ir/common_insts.def"
  return hash;
}
inline constexpr std::uint32_t kFingerprint = fingerprint();

/// Of the names of local entities, by which a program knows that bodies need not be read to look up a name.
constexpr std::uint32_t nameHash(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

/// Before the two sections.
struct Header {
  std::uint32_t magic = kMagic;
  std::uint32_t fingerprint = kFingerprint;
  std::uint64_t nextId = 0;
  std::uint64_t topLevelSize = 0;
  std::uint64_t bodiesSize = 0;
};

/// Tag of a signature among the types, whose tags are their kinds.
inline constexpr std::uint8_t kSignatureTag = 0xff;

/// How a name is written: its length shifted over this bit, then its letters.
inline constexpr std::uint64_t kLocalNameBit = 1;
/// How a value is written: shifted over this bit, a local one by the distance back from the last value of its
/// block so far, a global one by its number.
inline constexpr std::uint64_t kGlobalValueBit = 1;

/// Fields of an instruction that are written only where they differ from those of a new Instruction, in this
/// order. The flags without a field stand for themselves.
enum Field : std::uint32_t {
  kTypes = 1u << 0,
  kOperands = 1u << 1,
  kOperation = 1u << 2,
  kSignatures = 1u << 3,
  kDests = 1u << 4,
  kImmediate = 1u << 5,
  kIsPtr = 1u << 6,
  kOrder = 1u << 7,
  kHasExc = 1u << 8,
  kKeepalives = 1u << 9,
  kFailureOrder = 1u << 10,
  kIsWeak = 1u << 11,
  kStatus = 1u << 12,
  kConvention = 1u << 13,
  kHasThreadLocal = 1u << 14,
  kKillOld = 1u << 15,
  kThrowExc = 1u << 16,
  kFlags = 1u << 17,
};
inline constexpr std::uint32_t kAllFields = (1u << 18) - 1;

}  // namespace gaur::ir::snapshot
