// Fields with addresses of symbols, from a running VM through images, images of images, and later changes.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "bootimage/image_builder.h"
#include "bootimage/image_loader.h"
#include "tests/unit/runtime/machine.h"
#include "vm/runtime/thread.h"

namespace gaur::bootimage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kProgram = R"(
  .typedef @void = void .typedef @ptr = uptr<@void> .typedef @i64 = int<64> .typedef @pair = struct<@i64 @ptr>
  .typedef @three = array<@pair 3> .typedef @row = hybrid<@i64 @ptr> .typedef @refRow = ref<@row> .typedef @refThree = ref<@three>
  .typedef @top = struct<@refRow @refThree @ptr @ptr> .global @cell <@top>
  .funcsig @plain = () -> () .const @five <@i64> = 5
  .typedef @irefTop = iref<@top>
  .funcdef @fill VERSION %v <@plain> {
    %entry():
      %row = NEWHYBRID <@row @i64> @five
      %three = NEW <@three>
      %rowField = GETFIELDIREF <@top 0> @cell
      %threeField = GETFIELDIREF <@top 1> @cell
      STORE <@refRow> %rowField %row
      STORE <@refThree> %threeField %three
      RET ()
  }
)";

/// What the program's cell leads to, in a VM: row[4], three[2].1, and the two pointers in the cell itself.
struct Fields {
  explicit Fields(runtime::MicroVm& vm) {
    char* cell = static_cast<char*>(
        vm.entities().addressOf(*vm.program().entityOf<ir::GlobalCell>(vm.program().idOf("cell"))));
    char* row = *reinterpret_cast<char**>(cell);
    char* three = *reinterpret_cast<char**>(cell + 8);
    all = {row + 8 + 4 * 8, three + 2 * 16 + 8, cell + 16, cell + 24};
  }
  std::vector<void*> values() const {
    std::vector<void*> result;
    for (char* field : all) result.push_back(*reinterpret_cast<void**>(field));
    return result;
  }
  std::uintptr_t operator[](std::size_t i) const { return reinterpret_cast<std::uintptr_t>(all[i]); }
  std::vector<char*> all;
};

void* native(const char* symbol) { return dlsym(RTLD_DEFAULT, symbol); }

class SymbolFields : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    machine.mustLoad(kProgram);
    ASSERT_EQ(machine.run("fill", nullptr).kind, runtime::CallOutcome::Kind::Returned);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void relocate(runtime::MicroVm& vm, std::size_t field, const char* symbol, std::int64_t addend = 0,
                       bool isWeak = false) {
    runtime::Thread thread(vm);
    auto done = vm.relocatePointer({Fields(vm)[field], symbol, addend, isWeak, ""});
    ASSERT_TRUE(done) << done.error().message;
  }

  std::string build(runtime::MicroVm& vm, const char* name,
                    std::vector<runtime::PointerRelocation> relocations = {}) {
    BuildRequest request;
    request.whitelist = {vm.program().idOf("cell"), vm.program().idOf("fill")};
    request.relocations = std::move(relocations);
    request.code = CodePolicy::None;
    request.unknownPointers = UnknownPointers::Error;
    runtime::Thread thread(vm);
    std::string path = folder_ + "/" + name;
    auto built = buildImage(vm, request, path);
    EXPECT_TRUE(built) << built.error().message;
    return path;
  }

  static Result<LoadedImage> tryLoad(const std::string& path) {
    GAUR_TRY_ASSIGN(auto file, ImageFile::open(path, Verify::Full));
    return loadImage(std::move(file), Options{});
  }
  static std::unique_ptr<runtime::MicroVm> load(const std::string& path) {
    auto loaded = tryLoad(path);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? std::move(loaded->vm) : nullptr;
  }

  runtime::TestMachine machine;

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "gaur-symbols.XXXXXX").string();
};

TEST_F(SymbolFields, AreFilledAtEachStart) {
  relocate(machine.vm(), 0, "stdin");
  relocate(machine.vm(), 1, "environ", 16);
  relocate(machine.vm(), 2, "abort");
  relocate(machine.vm(), 3, "gaur_no_such_symbol", 8, true);
  EXPECT_THAT(Fields(machine.vm()).values(), ElementsAre(nullptr, nullptr, nullptr, nullptr));
  std::string path = build(machine.vm(), "image");
  auto* environment = static_cast<char*>(native("environ")) + 16;
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(Fields(*load(path)).values(),
                ElementsAre(native("stdin"), environment, native("abort"), nullptr));
}

TEST_F(SymbolFields, StayInImagesOfImages) {
  relocate(machine.vm(), 0, "stdin");
  relocate(machine.vm(), 2, "stdout");
  auto first = load(build(machine.vm(), "first"));
  ASSERT_TRUE(first);
  auto second = load(build(*first, "second"));
  ASSERT_TRUE(second);
  EXPECT_THAT(Fields(*second).values(), ElementsAre(native("stdin"), nullptr, native("stdout"), nullptr));
  // What is registered later replaces them, and what a build asks for replaces that.
  relocate(*second, 0, "stderr");
  relocate(*second, 3, "abort");
  auto third = load(
      build(*second, "third",
            {{Fields(*second)[2], "environ", 0, false, ""}, {Fields(*second)[3], "exit", 0, false, ""}}));
  ASSERT_TRUE(third);
  EXPECT_THAT(Fields(*third).values(),
              ElementsAre(native("stderr"), nullptr, native("environ"), native("exit")));
  auto fourth = load(build(*third, "fourth"));
  ASSERT_TRUE(fourth);
  EXPECT_EQ(Fields(*fourth).values(), Fields(*third).values());
}

TEST_F(SymbolFields, AllMissingOnesAreReportedAtOnce) {
  relocate(machine.vm(), 0, "gaur_missing_one");
  relocate(machine.vm(), 1, "stdin");
  relocate(machine.vm(), 2, "gaur_missing_two");
  auto loaded = tryLoad(build(machine.vm(), "image"));
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("gaur_missing_one"));
  EXPECT_THAT(loaded.error().message, HasSubstr("gaur_missing_two"));
  EXPECT_THAT(loaded.error().message, Not(HasSubstr("stdin")));
}

}  // namespace
}  // namespace gaur::bootimage
