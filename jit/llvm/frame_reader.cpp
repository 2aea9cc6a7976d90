// The byte formats: .eh_frame entries with their call frame instructions (DWARF 5, section 6.4) and call-site
// tables (.gcc_except_table).
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/Support/LEB128.h>

#include <cstring>
#include <map>

#include "jit/llvm/unwind_rows.h"

namespace gaur::jit {

namespace {

namespace dwarf = llvm::dwarf;

/// Reads forward through trusted bytes: the code generator of this process wrote them.
class Reader {
 public:
  explicit Reader(const std::uint8_t* at) : at_(at) {}

  const std::uint8_t* at() const { return at_; }
  void skip(std::size_t bytes) { at_ += bytes; }

  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::uint64_t uleb() {
    unsigned length = 0;
    std::uint64_t value = llvm::decodeULEB128(at_, &length);
    at_ += length;
    return value;
  }
  std::int64_t sleb() {
    unsigned length = 0;
    std::int64_t value = llvm::decodeSLEB128(at_, &length);
    at_ += length;
    return value;
  }
  const char* string() {
    auto* text = reinterpret_cast<const char*>(at_);
    at_ += std::strlen(text) + 1;
    return text;
  }

  /// Number in a pointer encoding, without what it is relative to.
  llvm::Expected<std::int64_t> encodedNumber(unsigned encoding) {
    switch (encoding & 0xf) {
      case dwarf::DW_EH_PE_absptr:
      case dwarf::DW_EH_PE_udata8:
      case dwarf::DW_EH_PE_sdata8: return fixed<std::int64_t>();
      case dwarf::DW_EH_PE_udata4: return fixed<std::uint32_t>();
      case dwarf::DW_EH_PE_sdata4: return fixed<std::int32_t>();
      case dwarf::DW_EH_PE_uleb128: return static_cast<std::int64_t>(uleb());
      default: return llvm::createStringError("pointer encoding %u in unwind information", encoding);
    }
  }
  /// Address in a pointer encoding; 0 where none is given.
  llvm::Expected<std::uintptr_t> encodedAddress(unsigned encoding) {
    auto place = reinterpret_cast<std::uintptr_t>(at_);
    auto number = encodedNumber(encoding);
    if (!number) return number.takeError();
    bool isRelative = (encoding & 0x70) == dwarf::DW_EH_PE_pcrel;
    return *number == 0 ? 0 : static_cast<std::uintptr_t>(*number) + (isRelative ? place : 0);
  }

 private:
  const std::uint8_t* at_;
};

/// The part of an entry that several functions share.
struct Common {
  std::uint64_t codeFactor = 1;
  std::int64_t dataFactor = 1;
  unsigned addressEncoding = dwarf::DW_EH_PE_absptr;
  unsigned tableEncoding = dwarf::DW_EH_PE_omit;
  bool hasAugmentation = false;
  const std::uint8_t* instructions = nullptr;
  const std::uint8_t* end = nullptr;
};

const std::uint8_t* endOf(const std::uint8_t* entry) {
  return entry + sizeof(std::uint32_t) + Reader(entry).fixed<std::uint32_t>();
}

llvm::Expected<Common> readCommon(const std::uint8_t* entry) {
  Common common;
  common.end = endOf(entry);
  Reader reader(entry + 2 * sizeof(std::uint32_t));
  reader.skip(1);  // version
  const char* augmentation = reader.string();
  common.codeFactor = reader.uleb();
  common.dataFactor = reader.sleb();
  reader.uleb();  // return address register
  if (*augmentation == 'z') {
    common.hasAugmentation = true;
    std::uint64_t length = reader.uleb();
    Reader data(reader.at());
    reader.skip(length);
    for (const char* letter = augmentation + 1; *letter; ++letter) {
      switch (*letter) {
        case 'R': common.addressEncoding = data.fixed<std::uint8_t>(); break;
        case 'L': common.tableEncoding = data.fixed<std::uint8_t>(); break;
        case 'P': {
          unsigned encoding = data.fixed<std::uint8_t>();
          auto personality = data.encodedAddress(encoding);
          if (!personality) return personality.takeError();
          break;
        }
        case 'S':
        case 'B': break;
        default: return llvm::createStringError("augmentation '%s' in unwind information", augmentation);
      }
    }
  }
  common.instructions = reader.at();
  return common;
}

/// Registers and where they are saved, while instructions run.
struct State {
  unsigned cfaRegister = 0;
  std::int64_t cfaOffset = 0;
  std::map<unsigned, std::int64_t> saved;
};

class FrameProgram {
 public:
  FrameProgram(const Common& common, std::uintptr_t begin, const TargetRegisters& registers)
      : common_(common), place_(begin), registers_(registers) {}

  llvm::Error run(const std::uint8_t* begin, const std::uint8_t* end) {
    Reader reader(begin);
    while (reader.at() < end)
      if (auto error = step(reader)) return error;
    return llvm::Error::success();
  }
  void markInitial() { initial_ = state_; }
  std::vector<FrameRule> takeRules() {
    emit();
    return std::move(rules_);
  }

 private:
  void emit() {
    FrameRule rule{place_,
                   state_.cfaRegister,
                   state_.cfaOffset,
                   {},
                   state_.saved.count(registers_.framePointer) != 0,
                   argumentBytes_};
    for (auto [number, offset] : state_.saved)
      if (number != registers_.framePointer && number != registers_.returnAddress)
        rule.saved.push_back({static_cast<std::uint16_t>(number), static_cast<std::int16_t>(offset)});
    rules_.push_back(std::move(rule));
  }
  void advance(std::uint64_t delta) {
    if (delta == 0) return;
    emit();
    place_ += delta * common_.codeFactor;
  }
  void restore(unsigned number) {
    auto first = initial_.saved.find(number);
    if (first == initial_.saved.end())
      state_.saved.erase(number);
    else
      state_.saved[number] = first->second;
  }

  llvm::Error step(Reader& reader) {
    unsigned code = reader.fixed<std::uint8_t>();
    unsigned low = code & 0x3f;
    switch (code & 0xc0) {
      case dwarf::DW_CFA_advance_loc: advance(low); return llvm::Error::success();
      case dwarf::DW_CFA_offset:
        state_.saved[low] = static_cast<std::int64_t>(reader.uleb()) * common_.dataFactor;
        return llvm::Error::success();
      case dwarf::DW_CFA_restore: restore(low); return llvm::Error::success();
      default: break;
    }
    switch (code) {
      case dwarf::DW_CFA_nop: break;
      case dwarf::DW_CFA_advance_loc1: advance(reader.fixed<std::uint8_t>()); break;
      case dwarf::DW_CFA_advance_loc2: advance(reader.fixed<std::uint16_t>()); break;
      case dwarf::DW_CFA_advance_loc4: advance(reader.fixed<std::uint32_t>()); break;
      case dwarf::DW_CFA_offset_extended: {
        auto number = static_cast<unsigned>(reader.uleb());
        state_.saved[number] = static_cast<std::int64_t>(reader.uleb()) * common_.dataFactor;
        break;
      }
      case dwarf::DW_CFA_restore_extended: restore(static_cast<unsigned>(reader.uleb())); break;
      case dwarf::DW_CFA_same_value:
      case dwarf::DW_CFA_undefined: state_.saved.erase(static_cast<unsigned>(reader.uleb())); break;
      case dwarf::DW_CFA_remember_state: remembered_.push_back(state_); break;
      case dwarf::DW_CFA_restore_state:
        if (remembered_.empty()) return llvm::createStringError("unbalanced states in unwind information");
        state_ = std::move(remembered_.back());
        remembered_.pop_back();
        break;
      case dwarf::DW_CFA_def_cfa:
        state_.cfaRegister = static_cast<unsigned>(reader.uleb());
        state_.cfaOffset = static_cast<std::int64_t>(reader.uleb());
        break;
      case dwarf::DW_CFA_def_cfa_register: state_.cfaRegister = static_cast<unsigned>(reader.uleb()); break;
      case dwarf::DW_CFA_def_cfa_offset: state_.cfaOffset = static_cast<std::int64_t>(reader.uleb()); break;
      case dwarf::DW_CFA_def_cfa_offset_sf: state_.cfaOffset = reader.sleb() * common_.dataFactor; break;
      case dwarf::DW_CFA_GNU_args_size: argumentBytes_ = static_cast<std::uint32_t>(reader.uleb()); break;
      case dwarf::DW_CFA_AARCH64_negate_ra_state: break;
      default: return llvm::createStringError("frame instruction %u in unwind information", code);
    }
    return llvm::Error::success();
  }

  const Common& common_;
  std::uintptr_t place_;
  const TargetRegisters& registers_;
  State state_;
  State initial_;
  std::vector<State> remembered_;
  /// Not part of the state that is remembered and restored.
  std::uint32_t argumentBytes_ = 0;
  std::vector<FrameRule> rules_;
};

llvm::Error readHandlers(const std::uint8_t* table, std::uintptr_t function,
                         std::vector<HandlerRange>& handlers) {
  Reader reader(table);
  std::uintptr_t padBase = function;
  if (unsigned encoding = reader.fixed<std::uint8_t>(); encoding != dwarf::DW_EH_PE_omit) {
    auto base = reader.encodedAddress(encoding);
    if (!base) return base.takeError();
    padBase = *base;
  }
  if (reader.fixed<std::uint8_t>() != dwarf::DW_EH_PE_omit)
    reader.uleb();  // types: every handler catches everything
  unsigned encoding = reader.fixed<std::uint8_t>();
  std::uint64_t length = reader.uleb();
  const std::uint8_t* end = reader.at() + length;
  while (reader.at() < end) {
    auto begin = reader.encodedNumber(encoding);
    if (!begin) return begin.takeError();
    auto size = reader.encodedNumber(encoding);
    if (!size) return size.takeError();
    auto pad = reader.encodedNumber(encoding);
    if (!pad) return pad.takeError();
    reader.uleb();  // action
    if (*pad != 0) handlers.push_back({function + *begin, function + *begin + *size, padBase + *pad});
  }
  return llvm::Error::success();
}

}  // namespace

llvm::Expected<FunctionFrames> readFrames(const std::uint8_t* description, const std::uint8_t* commonEntry,
                                          const TargetRegisters& registers) {
  auto common = readCommon(commonEntry);
  if (!common) return common.takeError();
  Reader reader(description + 2 * sizeof(std::uint32_t));
  auto begin = reader.encodedAddress(common->addressEncoding);
  if (!begin) return begin.takeError();
  auto size = reader.encodedNumber(common->addressEncoding);
  if (!size) return size.takeError();

  FunctionFrames frames{*begin, *begin + static_cast<std::uintptr_t>(*size), {}, {}};
  if (common->hasAugmentation) {
    std::uint64_t length = reader.uleb();
    Reader data(reader.at());
    reader.skip(length);
    if (common->tableEncoding != dwarf::DW_EH_PE_omit) {
      auto table = data.encodedAddress(common->tableEncoding);
      if (!table) return table.takeError();
      if (*table != 0)
        if (auto error =
                readHandlers(reinterpret_cast<const std::uint8_t*>(*table), frames.begin, frames.handlers))
          return error;
    }
  }
  FrameProgram program(*common, frames.begin, registers);
  if (auto error = program.run(common->instructions, common->end)) return error;
  program.markInitial();
  if (auto error = program.run(reader.at(), endOf(description))) return error;
  frames.rules = program.takeRules();
  return frames;
}

}  // namespace gaur::jit
