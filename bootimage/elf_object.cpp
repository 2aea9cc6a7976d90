#include "bootimage/elf_object.h"

#include <algorithm>
#include <cstring>

namespace gaur::bootimage {

namespace {

struct RelocationNumbers {
  std::uint32_t x86_64, aarch64;
};
constexpr RelocationNumbers kRelocations[] = {
#define GAUR_ELF_RELOCATION(Name, X86_64, Aarch64) {X86_64, Aarch64},
#include "bootimage/elf_relocations.def"
};

template <class T>
void appendTo(std::vector<std::byte>& bytes, const T& thing) {
  const auto* begin = reinterpret_cast<const std::byte*>(&thing);
  bytes.insert(bytes.end(), begin, begin + sizeof(thing));
}

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

constexpr std::size_t kWordAlignment = 8;

}  // namespace

ElfMachine thisMachine() {
#if defined(__x86_64__)
  return ElfMachine::X86_64;
#else
  return ElfMachine::Aarch64;
#endif
}

std::uint32_t numberOf(ElfRelocation relocation, ElfMachine machine) {
  const RelocationNumbers& numbers = kRelocations[static_cast<std::size_t>(relocation)];
  return machine == ElfMachine::X86_64 ? numbers.x86_64 : numbers.aarch64;
}

std::uint64_t ElfObject::Section::size() const {
  std::uint64_t size = bytes.size();
  for (const auto& piece : pieces) size += piece.bytes.size() + piece.padding;
  return size;
}

std::uint64_t ElfObject::Section::append(std::span<const std::byte> more, std::size_t align) {
  bytes.resize((bytes.size() + align - 1) / align * align);
  const std::uint64_t offset = bytes.size();
  bytes.insert(bytes.end(), more.begin(), more.end());
  return offset;
}

std::uint64_t ElfObject::Section::append(std::string_view text) {
  const std::uint64_t offset = append(bytesOf(text));
  bytes.push_back(std::byte{0});
  return offset;
}

ElfObject::ElfObject(ElfMachine machine, std::string_view source) : machine_(machine) {
  addSymbol({"", STB_LOCAL});
  addSymbol({std::string(source), STB_LOCAL, STT_FILE});
}

ElfObject::Section& ElfObject::addSection(std::string name, std::uint64_t flags, std::uint64_t alignment) {
  Section& section = sections_.emplace_back();
  section.name = std::move(name);
  section.flags = flags;
  section.alignment = alignment;
  section.number = static_cast<std::uint16_t>(sections_.size());
  section.symbol = addSymbol({"", STB_LOCAL, STT_SECTION, STV_DEFAULT, &section});
  return section;
}

ElfObject::Symbol ElfObject::addSymbol(SymbolInfo symbol) {
  symbols_.push_back(std::move(symbol));
  return static_cast<Symbol>(symbols_.size() - 1);
}

std::uint32_t ElfObject::sectionName(const std::string& name) {
  const auto offset = static_cast<std::uint32_t>(names_.size());
  names_.append(name).push_back('\0');
  return offset;
}

void ElfObject::addPart(const std::string& name, Elf64_Shdr header, std::span<const std::byte> bytes) {
  header.sh_name = sectionName(name);
  header.sh_size = bytes.size();
  parts_.push_back({header, piecesOfParts_.emplace_back(1, ImageContents::Piece{bytes, 0})});
}

/// Local symbols come first: the section header tells where the others begin.
void ElfObject::writeSymbols() {
  std::vector<std::byte>& table = tables_.emplace_back();
  std::vector<std::byte>& names = tables_.emplace_back(1);
  places_.resize(symbols_.size());
  std::uint32_t count = 0, locals = 0;
  for (const bool wantsLocal : {true, false}) {
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      const SymbolInfo& symbol = symbols_[i];
      if ((symbol.binding == STB_LOCAL) != wantsLocal) continue;
      Elf64_Sym entry{};
      if (!symbol.name.empty()) {
        entry.st_name = static_cast<std::uint32_t>(names.size());
        const auto text = bytesOf({symbol.name.c_str(), symbol.name.size() + 1});
        names.insert(names.end(), text.begin(), text.end());
      }
      entry.st_info = ELF64_ST_INFO(symbol.binding, symbol.type);
      entry.st_other = symbol.visibility;
      entry.st_shndx = symbol.type == STT_FILE ? SHN_ABS
                       : symbol.section        ? symbol.section->number
                                               : SHN_UNDEF;
      entry.st_value = symbol.value;
      entry.st_size = symbol.size;
      appendTo(table, entry);
      places_[i] = count++;
    }
    if (wantsLocal) locals = count;
  }
  Elf64_Shdr header{};
  header.sh_type = SHT_SYMTAB;
  // The next one has the names.
  header.sh_link = static_cast<std::uint32_t>(parts_.size()) + 1;
  header.sh_info = locals;
  header.sh_addralign = kWordAlignment;
  header.sh_entsize = sizeof(Elf64_Sym);
  addPart(".symtab", header, table);
  header = {};
  header.sh_type = SHT_STRTAB;
  header.sh_addralign = 1;
  addPart(".strtab", header, names);
}

void ElfObject::writeRelocations(const Section& section) {
  if (section.relocations.empty()) return;
  std::vector<std::byte>& table = tables_.emplace_back();
  for (const Relocation& relocation : section.relocations) {
    Elf64_Rela entry{};
    entry.r_offset = relocation.offset;
    entry.r_info =
        ELF64_R_INFO(std::uint64_t{places_[relocation.symbol]}, numberOf(relocation.kind, machine_));
    entry.r_addend = relocation.addend;
    appendTo(table, entry);
  }
  Elf64_Shdr header{};
  header.sh_type = SHT_RELA;
  header.sh_flags = SHF_INFO_LINK;
  // The table of symbols comes right behind the sections.
  header.sh_link = static_cast<std::uint32_t>(sections_.size()) + 1;
  header.sh_info = section.number;
  header.sh_addralign = kWordAlignment;
  header.sh_entsize = sizeof(Elf64_Rela);
  addPart(".rela" + section.name, header, table);
}

const std::vector<ImageContents::Piece>& ElfObject::finish() {
  parts_.push_back({});  // section 0 is none
  for (const Section& section : sections_) {
    Elf64_Shdr header{};
    header.sh_type = SHT_PROGBITS;
    header.sh_flags = section.flags;
    header.sh_addralign = section.alignment;
    addPart(section.name, header, section.bytes);
    if (section.pieces.empty()) continue;
    parts_.back().header.sh_size = section.size();
    parts_.back().pieces = section.pieces;
  }
  writeSymbols();
  for (const Section& section : sections_) writeRelocations(section);
  Elf64_Shdr header{};
  header.sh_type = SHT_STRTAB;
  header.sh_addralign = 1;
  addPart(".shstrtab", header, {});
  // All names are known now.
  parts_.back().header.sh_size = names_.size();
  parts_.back().pieces = piecesOfParts_.emplace_back(1, ImageContents::Piece{bytesOf(names_), 0});

  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_REL;
  head.e_machine = machine_ == ElfMachine::X86_64 ? EM_X86_64 : EM_AARCH64;
  head.e_version = EV_CURRENT;
  head.e_ehsize = sizeof(Elf64_Ehdr);
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = static_cast<std::uint16_t>(parts_.size());
  head.e_shstrndx = static_cast<std::uint16_t>(parts_.size() - 1);

  std::vector<std::byte>& start = tables_.emplace_back(sizeof(head));
  file_.push_back({start, 0});
  std::uint64_t offset = sizeof(head);
  auto pad = [&](std::uint64_t alignment) {
    const std::uint64_t padding = (alignment - offset % alignment) % alignment;
    if (padding != 0) file_.push_back({{}, padding});
    offset += padding;
  };
  for (Part& part : parts_) {
    if (part.header.sh_type == SHT_NULL) continue;
    pad(part.header.sh_addralign);
    part.header.sh_offset = offset;
    for (const auto& piece : part.pieces) file_.push_back(piece);
    offset += part.header.sh_size;
  }
  pad(kWordAlignment);
  head.e_shoff = offset;
  std::memcpy(start.data(), &head, sizeof(head));
  std::vector<std::byte>& headers = tables_.emplace_back();
  for (const Part& part : parts_) appendTo(headers, part.header);
  file_.push_back({headers, 0});
  return file_;
}

}  // namespace gaur::bootimage
