// Relocatable ELF64 objects: sections, symbols and relocations into the bytes of a file that any system
// linker takes. Knows nothing of images.
#pragma once

#include <elf.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/image_writer.h"

namespace gaur::bootimage {

enum class ElfMachine : std::uint8_t { X86_64, Aarch64 };
/// The one that this program runs on.
ElfMachine thisMachine();

enum class ElfRelocation : std::uint8_t {
#define GAUR_ELF_RELOCATION(Name, ...) Name,
#include "bootimage/elf_relocations.def"
};
/// R_X86_64_* or R_AARCH64_*; 0 where the machine has none.
std::uint32_t numberOf(ElfRelocation relocation, ElfMachine machine);

class ElfObject {
 public:
  using Symbol = std::uint32_t;

  struct Relocation {
    std::uint64_t offset;
    ElfRelocation kind;
    Symbol symbol;
    std::int64_t addend;
  };

  struct Section {
    std::string name;
    /// SHF_*
    std::uint64_t flags;
    std::uint64_t alignment;
    /// The contents: `bytes`, or, where there are any, `pieces`, which lie elsewhere.
    std::vector<std::byte> bytes;
    std::vector<ImageContents::Piece> pieces;
    std::vector<Relocation> relocations;
    /// Stands for its first byte.
    Symbol symbol;
    std::uint16_t number;

    std::uint64_t size() const;
    /// Appends at the next multiple of `align`; returns the offset.
    std::uint64_t append(std::span<const std::byte> more, std::size_t align = 1);
    std::uint64_t append(std::string_view text);
    void relocate(std::uint64_t offset, ElfRelocation kind, Symbol to, std::int64_t addend = 0) {
      relocations.push_back({offset, kind, to, addend});
    }
  };

  struct SymbolInfo {
    std::string name;
    unsigned char binding = STB_GLOBAL;
    unsigned char type = STT_NOTYPE;
    unsigned char visibility = STV_DEFAULT;
    /// Null: defined by another object.
    const Section* section = nullptr;
    std::uint64_t value = 0;
    std::uint64_t size = 0;
  };

  /// `source` stands for the file that the object was made of.
  ElfObject(ElfMachine machine, std::string_view source);

  ElfMachine machine() const { return machine_; }
  /// Stays where it is.
  Section& addSection(std::string name, std::uint64_t flags, std::uint64_t alignment);
  Symbol addSymbol(SymbolInfo symbol);

  /// The file, in pieces that refer to the object and to the sections' pieces.
  const std::vector<ImageContents::Piece>& finish();

 private:
  struct Part {
    Elf64_Shdr header;
    std::span<const ImageContents::Piece> pieces;
  };

  void writeSymbols();
  void writeRelocations(const Section& section);
  std::uint32_t sectionName(const std::string& name);
  void addPart(const std::string& name, Elf64_Shdr header, std::span<const std::byte> bytes);

  ElfMachine machine_;
  std::deque<Section> sections_;
  std::vector<SymbolInfo> symbols_;
  /// By Symbol: its place in the table, where local ones come first.
  std::vector<std::uint32_t> places_;

  std::vector<Part> parts_;
  std::deque<std::vector<std::byte>> tables_;
  std::string names_{'\0'};
  std::deque<std::vector<ImageContents::Piece>> piecesOfParts_;
  std::vector<ImageContents::Piece> file_;
};

}  // namespace gaur::bootimage
