#include "bootimage/export_stubs.h"

#include <array>
#include <bit>

#include "vm/abi/linked_image.h"

namespace gaur::bootimage {

namespace {

using enum ElfRelocation;
using enum StubOperand;

constexpr auto kMainOffset = static_cast<std::uint8_t>(offsetof(abi::LinkedImage, main));

// One instruction a line.
// clang-format off

// --- x86-64. A distance is counted from the end of its instruction, four bytes behind the place. ------------------------

constexpr std::uint8_t kExportX86[] = {
    0xf3, 0x0f, 0x1e, 0xfa,                    // endbr64
    0xff, 0x25, 0, 0, 0, 0,                    // jmp [export.entry]
    0xf3, 0x0f, 0x1e, 0xfa,                    // endbr64
    0x4c, 0x8d, 0x15, 0, 0, 0, 0,              // lea r10, [export]
    0x4d, 0x8b, 0x5a, GAUR_EXPORT_IMAGE,       // mov r11, [r10 + image]
    0x41, 0xff, 0x23,                          // jmp [r11]
};
constexpr std::uint64_t kUnresolvedX86 = 10;
constexpr StubSite kExportSitesX86[] = {{6, Distance32, Export, -4}, {17, Distance32, Export, -4}};

constexpr std::uint8_t kMainX86[] = {
    0xf3, 0x0f, 0x1e, 0xfa,        // endbr64
    0x48, 0x8d, 0x15, 0, 0, 0, 0,  // lea rdx, [image]
    0xff, 0x62, kMainOffset,       // jmp [rdx + main]
};
constexpr StubSite kMainSitesX86[] = {{7, Distance32, Image, -4}};

constexpr std::uint8_t kImageX86[] = {
    0xf3, 0x0f, 0x1e, 0xfa,        // endbr64
    0x48, 0x8d, 0x05, 0, 0, 0, 0,  // lea rax, [image]
    0xc3,                          // ret
};
constexpr StubSite kImageSitesX86[] = {{7, Distance32, Image, -4}};

// What the process begins with: argc and argv on the stack, in rdx what exit() is to call.
constexpr std::uint8_t kStartX86[] = {
    0xf3, 0x0f, 0x1e, 0xfa,        // endbr64
    0x31, 0xed,                    // xor ebp, ebp
    0x49, 0x89, 0xd1,              // mov r9, rdx
    0x5e,                          // pop rsi
    0x48, 0x89, 0xe2,              // mov rdx, rsp
    0x48, 0x83, 0xe4, 0xf0,        // and rsp, -16
    0x50,                          // push rax
    0x54,                          // push rsp
    0x45, 0x31, 0xc0,              // xor r8d, r8d
    0x31, 0xc9,                    // xor ecx, ecx
    0x48, 0x8d, 0x3d, 0, 0, 0, 0,  // lea rdi, [main]
    0xff, 0x15, 0, 0, 0, 0,        // call [__libc_start_main]
    0xf4,                          // hlt
};
constexpr StubSite kStartSitesX86[] = {{27, Distance32, Main, -4}, {33, Distance32, LibcStart, -4}};

// --- AArch64 -----------------------------------------------------------------------------------------------------------------

template <std::size_t n>
constexpr std::array<std::uint8_t, 4 * n> littleEndian(const std::uint32_t (&instructions)[n]) {
  std::array<std::uint8_t, 4 * n> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(instructions[i / 4] >> i % 4 * 8);
  return bytes;
}

static_assert(GAUR_EXPORT_IMAGE == 8 && kMainOffset == 16, "the offsets stand in instructions as numbers of words");

constexpr auto kExportArm = littleEndian({
    0xd503245f,  // bti c
    0x90000010,  // adrp x16, export
    0xf9400210,  // ldr x16, [x16, export.entry]
    0xd61f0200,  // br x16
    0xd503245f,  // bti c
    0x90000011,  // adrp x17, export
    0x91000231,  // add x17, x17, export
    0xf9400630,  // ldr x16, [x17, image]
    0xf9400210,  // ldr x16, [x16]
    0xd61f0200,  // br x16
});
constexpr std::uint64_t kUnresolvedArm = 16;
constexpr StubSite kExportSitesArm[] = {{4, Page21, Export, 0}, {8, PageOffsetLoad, Export, 0}, {20, Page21, Export, 0}, {24, PageOffset12, Export, 0}};

constexpr auto kMainArm = littleEndian({
    0xd503245f,  // bti c
    0x90000002,  // adrp x2, image
    0x91000042,  // add x2, x2, image
    0xf9400850,  // ldr x16, [x2, main]
    0xd61f0200,  // br x16
});
constexpr StubSite kMainSitesArm[] = {{4, Page21, Image, 0}, {8, PageOffset12, Image, 0}};

constexpr auto kImageArm = littleEndian({
    0xd503245f,  // bti c
    0x90000000,  // adrp x0, image
    0x91000000,  // add x0, x0, image
    0xd65f03c0,  // ret
});
constexpr StubSite kImageSitesArm[] = {{4, Page21, Image, 0}, {8, PageOffset12, Image, 0}};

constexpr auto kStartArm = littleEndian({
    0xd503245f,  // bti c
    0xd280001d,  // mov x29, 0
    0xd280001e,  // mov x30, 0
    0xaa0003e5,  // mov x5, x0
    0xf94003e1,  // ldr x1, [sp]
    0x910023e2,  // add x2, sp, 8
    0x910003e6,  // mov x6, sp
    0x90000000,  // adrp x0, main
    0x91000000,  // add x0, x0, main
    0xd2800003,  // mov x3, 0
    0xd2800004,  // mov x4, 0
    0x90000010,  // adrp x16, word
    0xf9400210,  // ldr x16, [x16, word]
    0xd63f0200,  // blr x16
    0xd4200000,  // brk 0
});
constexpr StubSite kStartSitesArm[] = {{28, Page21, Main, 0}, {32, PageOffset12, Main, 0}, {44, Page21, LibcStart, 0}, {48, PageOffsetLoad, LibcStart, 0}};

// clang-format on

}  // namespace

Stub exportStub(ElfMachine machine) {
  return machine == ElfMachine::X86_64 ? Stub{kExportX86, kExportSitesX86}
                                       : Stub{kExportArm, kExportSitesArm};
}

std::uint64_t unresolvedOffset(ElfMachine machine) {
  return machine == ElfMachine::X86_64 ? kUnresolvedX86 : kUnresolvedArm;
}

Stub mainStub(ElfMachine machine) {
  return machine == ElfMachine::X86_64 ? Stub{kMainX86, kMainSitesX86} : Stub{kMainArm, kMainSitesArm};
}

Stub imageStub(ElfMachine machine) {
  return machine == ElfMachine::X86_64 ? Stub{kImageX86, kImageSitesX86} : Stub{kImageArm, kImageSitesArm};
}

Stub startStub(ElfMachine machine) {
  return machine == ElfMachine::X86_64 ? Stub{kStartX86, kStartSitesX86} : Stub{kStartArm, kStartSitesArm};
}

}  // namespace gaur::bootimage
