#include "bootimage/image_object.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "bootimage/export_stubs.h"
#include "vm/abi/linked_image.h"
#include "vm/support/check.h"

namespace gaur::bootimage {

namespace {

constexpr std::size_t kWordBytes = 8;

class ImageObject {
 public:
  ImageObject(ElfObject& object, const ObjectRequest& request, const ImageContents::File& image,
              const LinkInterface& interface)
      : object_(object), request_(request), image_(image), interface_(interface) {}

  void add() {
    addPayload();
    addRecord();
    addWanted();
    addOffered();
    addCells();
    addNamed("gaur_linked_image", imageStub(request_.machine), STB_GLOBAL);
    if (request_.hasMain) addMain();
    // That it is there tells the linker that nothing wants an executable stack.
    object_.addSection(".note.GNU-stack", 0, 1);
  }

 private:
  /// Sets the word to an address.
  static void point(ElfObject::Section& section, std::uint64_t offset, ElfObject::Symbol symbol,
                    std::uint64_t addend = 0) {
    section.relocate(offset, ElfRelocation::Word64, symbol, static_cast<std::int64_t>(addend));
  }
  static void setWord(ElfObject::Section& section, std::uint64_t offset, std::uint64_t value) {
    for (std::size_t i = 0; i < kWordBytes; ++i)
      section.bytes[offset + i] = static_cast<std::byte>(value >> i * 8);
  }
  static std::uint64_t appendWords(ElfObject::Section& section, std::size_t bytes) {
    const std::vector<std::byte> zeros(bytes);
    return section.append(zeros, kWordBytes);
  }
  ElfObject::Symbol outside(std::string name, unsigned char binding = STB_GLOBAL) {
    return object_.addSymbol({std::move(name), binding});
  }
  void nameData(std::string name, const ElfObject::Section& section, std::uint64_t offset,
                std::uint64_t size) {
    object_.addSymbol({std::move(name), STB_LOCAL, STT_OBJECT, STV_DEFAULT, &section, offset, size});
  }

  void addPayload() {
    payload_.pieces = image_.pieces;
    nameData("gaur_image_bytes", payload_, 0, payload_.size());
  }

  void addRecord() {
    record_ = appendWords(data_, sizeof(abi::LinkedImage));
    nameData("gaur_image_record", data_, record_, sizeof(abi::LinkedImage));
    point(data_, record_ + offsetof(abi::LinkedImage, resolve), outside("gaur_resolve_export"));
    point(data_, record_ + offsetof(abi::LinkedImage, bind), outside("gaur_bind_export"));
    point(data_, record_ + offsetof(abi::LinkedImage, main), outside("gaur_image_main"));
    setWord(data_, record_ + offsetof(abi::LinkedImage, version), abi::kLinkedImageVersion);
    point(data_, record_ + offsetof(abi::LinkedImage, bytes), payload_.symbol);
    setWord(data_, record_ + offsetof(abi::LinkedImage, byteCount), image_.bytes);
    setWord(data_, record_ + offsetof(abi::LinkedImage, symbolCount), interface_.wanted.size());
    setWord(data_, record_ + offsetof(abi::LinkedImage, exportCount), interface_.offered.size());
    point(data_, record_ + offsetof(abi::LinkedImage, name), texts_.symbol, texts_.append(request_.name));
  }

  void addWanted() {
    const std::uint64_t table = appendWords(constants_, interface_.wanted.size() * sizeof(abi::LinkedSymbol));
    point(data_, record_ + offsetof(abi::LinkedImage, symbols), constants_.symbol, table);
    std::uint64_t row = table;
    for (const LinkInterface::Wanted& wanted : interface_.wanted) {
      point(constants_, row + offsetof(abi::LinkedSymbol, name), texts_.symbol, texts_.append(wanted.symbol));
      point(constants_, row + offsetof(abi::LinkedSymbol, address),
            outside(wanted.symbol, wanted.isWeak ? STB_WEAK : STB_GLOBAL));
      row += sizeof(abi::LinkedSymbol);
    }
    if (row != table) nameData("gaur_image_symbols", constants_, table, row - table);
  }

  void addOffered() {
    const std::uint64_t table = appendWords(data_, interface_.offered.size() * sizeof(abi::LinkedExport));
    point(data_, record_ + offsetof(abi::LinkedImage, exports), data_.symbol, table);
    std::uint64_t row = table;
    for (const LinkInterface::Offered& offered : interface_.offered) {
      export_ = row;
      const std::uint64_t code = addStub(exportStub(request_.machine));
      nameCode(offered.symbol, code, exportStub(request_.machine).code.size(), STB_GLOBAL,
               request_.hidesOffered ? STV_HIDDEN : STV_DEFAULT);
      point(data_, row + offsetof(abi::LinkedExport, entry), text_.symbol,
            code + unresolvedOffset(request_.machine));
      point(data_, row + offsetof(abi::LinkedExport, unresolved), text_.symbol,
            code + unresolvedOffset(request_.machine));
      point(data_, row + offsetof(abi::LinkedExport, image), data_.symbol, record_);
      setWord(data_, row + offsetof(abi::LinkedExport, id), offered.id);
      row += sizeof(abi::LinkedExport);
    }
    if (row != table) nameData("gaur_image_exports", data_, table, row - table);
  }

  void addCells() {
    if (interface_.cells.empty()) return;
    auto& cells = object_.addSection(std::string(kCellsSection), SHF_ALLOC | SHF_WRITE, kPageBytes);
    cells.bytes = interface_.cells;
    point(data_, record_ + offsetof(abi::LinkedImage, cells), cells.symbol);
    setWord(data_, record_ + offsetof(abi::LinkedImage, cellBytes), cells.size());
    // A program's copy of such a symbol would be another memory.
    const unsigned char visibility = request_.hidesOffered ? STV_HIDDEN : STV_PROTECTED;
    for (const LinkInterface::Datum& datum : interface_.data)
      object_.addSymbol(
          {datum.symbol, STB_GLOBAL, STT_OBJECT, visibility, &cells, datum.offset, datum.bytes});
  }

  void addMain() {
    // A program's own one goes before it.
    main_ = addNamed("main", mainStub(request_.machine), STB_WEAK);
    if (!request_.hasStart) return;
    libcStart_ = appendWords(constants_, kWordBytes);
    point(constants_, libcStart_, outside("__libc_start_main"));
    addNamed("_start", startStub(request_.machine), STB_GLOBAL);
  }

  std::uint64_t addNamed(std::string name, const Stub& stub, unsigned char binding) {
    const std::uint64_t code = addStub(stub);
    nameCode(std::move(name), code, stub.code.size(), binding, STV_DEFAULT);
    return code;
  }

  void nameCode(std::string name, std::uint64_t offset, std::uint64_t size, unsigned char binding,
                unsigned char visibility) {
    object_.addSymbol({std::move(name), binding, STT_FUNC, visibility, &text_, offset, size});
  }

  std::uint64_t addStub(const Stub& stub) {
    const std::uint64_t code = text_.append(std::as_bytes(stub.code), kStubAlignment);
    for (const StubSite& site : stub.sites) {
      const auto [section, offset] = operand(site.operand);
      text_.relocate(code + site.offset, site.kind, section->symbol,
                     static_cast<std::int64_t>(offset) + site.addend);
    }
    return code;
  }

  std::pair<const ElfObject::Section*, std::uint64_t> operand(StubOperand operand) const {
    switch (operand) {
      case StubOperand::Export: return {&data_, export_};
      case StubOperand::Image: return {&data_, record_};
      case StubOperand::Main: return {&text_, main_};
      case StubOperand::LibcStart: return {&constants_, libcStart_};
    }
    GAUR_UNREACHABLE("no such operand");
  }

  ElfObject& object_;
  const ObjectRequest& request_;
  const ImageContents::File& image_;
  const LinkInterface& interface_;
  ElfObject::Section& text_ = object_.addSection(".text", SHF_ALLOC | SHF_EXECINSTR, kStubAlignment);
  ElfObject::Section& data_ = object_.addSection(".data", SHF_ALLOC | SHF_WRITE, kWordBytes);
  /// Addresses that nobody writes to once the loader has set them.
  ElfObject::Section& constants_ = object_.addSection(".data.rel.ro", SHF_ALLOC | SHF_WRITE, kWordBytes);
  ElfObject::Section& texts_ = object_.addSection(".rodata", SHF_ALLOC, 1);
  ElfObject::Section& payload_ = object_.addSection(std::string(kPayloadSection), SHF_ALLOC, kPageBytes);
  std::uint64_t record_ = 0, export_ = 0, main_ = 0, libcStart_ = 0;
};

constexpr std::string_view kTaken[] = {"main",
                                       "_start",
                                       "_init",
                                       "_fini",
                                       "gaur_linked_image",
                                       "gaur_resolve_export",
                                       "gaur_bind_export",
                                       "gaur_image_main"};

}  // namespace

bool isOffered(std::string_view name) {
  auto isWordCharacter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), isWordCharacter) &&
         std::find(std::begin(kTaken), std::end(kTaken), name) == std::end(kTaken);
}

void addImage(ElfObject& object, const ObjectRequest& request, const ImageContents::File& image,
              const LinkInterface& interface) {
  ImageObject(object, request, image, interface).add();
}

}  // namespace gaur::bootimage
