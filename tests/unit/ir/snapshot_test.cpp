// Snapshots: what comes back is what was written, down to IDs and names; bodies come when they are needed.
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "tests/unit/ir/snapshot_maker.h"
#include "vm/ir/random.h"

namespace gaur::ir::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> describeAll(const Bundle& bundle) {
  std::vector<std::string> all;
  auto describe = [&](const Entity& entity) {
    all.push_back(std::string(text(entity.entityKind)) + " " + std::to_string(entity.id) + " " +
                  fullName(entity));
  };
  forEachListed(bundle, describe);
  forEachLocal(bundle, describe);
  return all;
}

/// Reads back what `loaded` has, and compares.
void expectRoundTrip(Loaded& loaded) {
  sortById(*loaded.bundle);
  std::vector<std::byte> bytes = snapshotOf(*loaded.program, *loaded.bundle);
  Restored restored = restore(bytes);
  ASSERT_EQ(restored.error, "");
  EXPECT_TRUE(restored.index.typesAreIdentical);
  EXPECT_EQ(restored.program->nextId(), loaded.program->nextId());
  auto bodies = restored.program->needBodies();
  ASSERT_TRUE(bodies) << bodies.error().message;
  EXPECT_EQ(describeAll(restored.bundle()), describeAll(*loaded.bundle));
  EXPECT_EQ(print(restored.bundle()), print(*loaded.bundle));
  forEachLocal(*loaded.bundle, [&](const Entity& entity) {
    const Entity* found = restored.program->entity(entity.id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->entityKind, entity.entityKind);
    EXPECT_EQ(restored.program->nameOf(entity.id), loaded.program->nameOf(entity.id));
    std::string name = loaded.program->nameOf(entity.id);
    EXPECT_EQ(restored.program->idOf(name), loaded.program->idOf(name)) << name;
  });
  forEachListed(*loaded.bundle, [&](const Entity& entity) {
    ASSERT_NE(restored.program->entity(entity.id), nullptr);
    EXPECT_EQ(restored.program->nameOf(entity.id), loaded.program->nameOf(entity.id));
  });
  EXPECT_EQ(snapshotOf(*restored.program, restored.bundle()), bytes);
}

TEST(Snapshot, EveryConformanceFileComesBack) {
  std::size_t count = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(GAUR_SOURCE_DIR) / "tests/conformance")) {
    if (entry.path().extension() != ".uir") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    Loaded loaded = load(text.str());
    if (!loaded.bundle) continue;
    SCOPED_TRACE(entry.path().string());
    expectRoundTrip(loaded);
    ++count;
    if (HasFailure()) return;
  }
  EXPECT_GT(count, 1000u);
}

TEST(Snapshot, RandomProgramsComeBack) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Loaded loaded = load(randomBundle(seed));
    ASSERT_TRUE(loaded.bundle) << loaded.errors();
    expectRoundTrip(loaded);
    if (HasFailure()) return;
  }
}

// --- The closure -------------------------------------------------------------------------------------------

constexpr const char* kTwoFunctions = R"(
.typedef @i64 = int<64>
.typedef @unused = int<17>
.typedef @list = struct<@i64 @next>
.typedef @next = ref<@list>
.funcsig @unary = (@i64) -> (@i64)
.const @one <@i64> = 1
.const @two <@i64> = 2
.global @cell <@list>
.funcdecl @elsewhere <@unary>
.funcdef @callee VERSION %v1 <@unary> {
  %entry(<@i64> %x):
    %y = ADD <@i64> %x @one
    RET %y
}
.funcdef @caller VERSION %v1 <@unary> {
  %entry(<@i64> %x):
    %y = CALL <@unary> @callee (%x)
    %z = CALL <@unary> @elsewhere (%y)
    RET %z
}
.funcdef @other VERSION %v1 <@unary> {
  %entry(<@i64> %x):
    RET @two
}
.const @cookie <@i64> = 42
.expose @exposed = @other #DEFAULT @cookie
)";

TEST(Reachable, AFunctionBringsWhatItsVersionNeedsAndNothingElse) {
  Loaded loaded = load(kTwoFunctions);
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  Restored restored = restore(snapshotOf(*loaded.program, {"@caller"}));
  ASSERT_EQ(restored.error, "");
  for (const char* name :
       {"@i64", "@unary", "@one", "@callee", "@caller", "@elsewhere", "@callee.v1", "@caller.v1.entry.z"})
    EXPECT_EQ(restored.program->idOf(name), loaded.program->idOf(name)) << name;
  for (const char* name : {"@unused", "@list", "@two", "@other", "@cell", "@cookie", "@exposed"})
    EXPECT_EQ(restored.program->idOf(name), kNoId) << name;
  EXPECT_EQ(restored.entity<Function>("@elsewhere")->current.load(), nullptr);
  EXPECT_EQ(restored.bundle().versions.size(), 2u);
}

TEST(Reachable, CellsTypesAndExposedFunctionsBringTheirParts) {
  Loaded loaded = load(kTwoFunctions);
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  Restored restored = restore(snapshotOf(*loaded.program, {"@cell", "@exposed"}));
  ASSERT_EQ(restored.error, "");
  for (const char* name :
       {"@cell", "@list", "@next", "@i64", "@exposed", "@other", "@cookie", "@two", "@unary"})
    EXPECT_NE(restored.program->idOf(name), kNoId) << name;
  EXPECT_EQ(restored.program->idOf("@callee"), kNoId);
  auto* cell = restored.entity<GlobalCell>("@cell");
  EXPECT_EQ(cell->type, loaded.entity<GlobalCell>("@cell")->type);
  auto* exposed = restored.entity<ExposedFunction>("@exposed");
  EXPECT_EQ(exposed->function, restored.entity<Function>("@other"));
  EXPECT_EQ(exposed->cookie->words[0], 42u);
}

TEST(Reachable, ALocalEntityBringsItsFunction) {
  Loaded loaded = load(kTwoFunctions);
  Restored restored = restore(snapshotOf(*loaded.program, {"@callee.v1.entry.y"}));
  ASSERT_EQ(restored.error, "");
  EXPECT_NE(restored.entity<Function>("@callee"), nullptr);
  EXPECT_EQ(restored.entity<Function>("@caller"), nullptr);
}

TEST(Reachable, ListsGrowAtTheirEndsAndPredefinedEntitiesAreNotInThem) {
  Loaded loaded = load(kTwoFunctions);
  std::lock_guard lock(loaded.program->loadMutex());
  Reachable reachable(*loaded.program);
  reachable.add(*loaded.entity<Function>("@other"));
  EXPECT_FALSE(reachable.isDrained());
  ASSERT_TRUE(reachable.drain());
  EXPECT_TRUE(reachable.isDrained());
  ASSERT_EQ(reachable.functions().size(), 1u);
  EXPECT_FALSE(reachable.contains(*loaded.entity<Function>("@caller")));
  reachable.add(*loaded.entity<Function>("@caller"));
  reachable.add(*loaded.program->entity(loaded.program->idOf("@uvm.meta.bytes.r")));
  ASSERT_TRUE(reachable.drain());
  ASSERT_EQ(reachable.functions().size(), 4u);
  EXPECT_EQ(reachable.functions()[0], loaded.entity<Function>("@other"));
  EXPECT_EQ(reachable.versions().size(), 3u);
  EXPECT_EQ(reachable.predefined().size(), 1u);
  for (const TypeDef* type : reachable.types()) EXPECT_GE(type->id, kFirstClientId);
}

// --- Bodies ------------------------------------------------------------------------------------------------

TEST(Snapshot, BodiesAreReadWhenTheyAreNeeded) {
  Loaded loaded = load(kTwoFunctions);
  std::vector<std::byte> bytes = snapshotOf(*loaded.program, *loaded.bundle);
  using Need = std::function<void(Program&)>;
  Id local = loaded.program->idOf("@callee.v1.entry.y");
  const Need needs[] = {
      [](Program& program) { EXPECT_TRUE(program.needBodies()); },
      [&](Program& program) { EXPECT_EQ(program.nameOf(local), "@callee.v1.entry.y"); },
      [&](Program& program) { EXPECT_NE(program.entityOf<ir::Result>(local), nullptr); },
      [&](Program& program) { EXPECT_EQ(program.idOf("callee.v1.entry.y"), local); },
  };
  for (const Need& need : needs) {
    Restored restored = restore(bytes);
    const FunctionVersion& version = *restored.entity<Function>("@callee")->current;
    EXPECT_EQ(version.id, loaded.program->idOf("@callee.v1"));
    EXPECT_EQ(restored.program->idOf("@callee.v1"), version.id);
    EXPECT_EQ(restored.program->idOf("@unknown"), kNoId);
    EXPECT_EQ(restored.program->entity(restored.program->nextId()), nullptr);
    EXPECT_TRUE(version.blocks.empty());
    need(*restored.program);
    ASSERT_EQ(version.blocks.size(), 1u);
    EXPECT_EQ(version.instructionCount, 2u);
    EXPECT_EQ(version.bundle, &restored.bundle());
  }
}

TEST(Snapshot, LoadingABundleNeedsNoBodies) {
  Loaded loaded = load(kTwoFunctions);
  Restored restored = restore(snapshotOf(*loaded.program, *loaded.bundle));
  const std::string text = R"(
    .const @three <@i64> = 3
    .funcdef @other VERSION %v2 <@unary> {
      %entry(<@i64> %x):
        %y = CALL <@unary> @callee (@three)
        RET %y
    }
    .funcdef @added VERSION %v1 <@unary> {
      %entry(<@i64> %x):
        TAILCALL <@unary> @other (%x)
    }
  )";
  Program& program = *restored.program;
  FunctionVersion* old = restored.entity<Function>("@other")->current;
  Id end = program.nextId();
  Builder builder(program, "later");
  Diagnostics diagnostics;
  parse({"later", text}, builder, diagnostics);
  std::lock_guard lock(program.loadMutex());
  auto bundle = builder.finish(diagnostics);
  ASSERT_TRUE(bundle) << render(diagnostics, {"later", text});
  program.publish(std::move(bundle));
  EXPECT_TRUE(old->blocks.empty());
  auto* other = restored.entity<Function>("@other");
  EXPECT_EQ(other->current.load()->previous, old);
  EXPECT_GE(other->current.load()->id, end);
  EXPECT_EQ(restored.entity<Function>("@added")->current.load()->blocks.size(), 1u);
  EXPECT_NE(program.idOf("@other.v1.entry"), kNoId);
  EXPECT_EQ(old->blocks.size(), 1u);
}

TEST(Snapshot, LocalEntitiesWithGlobalNamesAreFound) {
  Loaded loaded = load(R"(
    .typedef @i64 = int<64>
    .funcsig @unary = (@i64) -> (@i64)
    .funcdef @f VERSION @f_version <@unary> {
      %entry(<@i64> @argument):
        @sum = ADD <@i64> @argument @argument
        RET @sum
    }
  )");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  Restored restored = restore(snapshotOf(*loaded.program, {"@f"}));
  EXPECT_EQ(restored.program->idOf("@f_version"), loaded.program->idOf("@f_version"));
  EXPECT_EQ(restored.program->idOf("@unknown"), kNoId);
  EXPECT_TRUE(restored.entity<Function>("@f")->current.load()->blocks.empty());
  EXPECT_EQ(restored.program->idOf("@sum"), loaded.program->idOf("@sum"));
  EXPECT_EQ(restored.program->idOf("@argument"), loaded.program->idOf("@argument"));
}

TEST(Snapshot, ManyThreadsMayNeedBodiesAtOnce) {
  Loaded loaded = load(randomBundle(11));
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  std::vector<Id> ids;
  forEachLocal(*loaded.bundle, [&](const Entity& entity) { ids.push_back(entity.id); });
  std::vector<std::byte> bytes = snapshotOf(*loaded.program, *loaded.bundle);
  for (int round = 0; round < 20; ++round) {
    Restored restored = restore(bytes);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (std::size_t k = 0; k < ids.size(); ++k)
          EXPECT_NE(restored.program->entity(ids[(k + i * 31) % ids.size()]), nullptr);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// --- Versions ----------------------------------------------------------------------------------------------

class RedefinedFunction : public testing::Test {
 protected:
  void SetUp() override {
    loaded_ = load(kTwoFunctions);
    const std::string text = R"(
      .funcdef @other VERSION %v2 <@unary> {
        %entry(<@i64> %x):
          RET %x
      }
    )";
    old_ = loaded_.entity<Function>("@other")->current;
    Builder builder(*loaded_.program, "later");
    parse({"later", text}, builder, loaded_.diagnostics);
    std::lock_guard lock(loaded_.program->loadMutex());
    auto bundle = builder.finish(loaded_.diagnostics);
    ASSERT_TRUE(bundle) << loaded_.errors();
    loaded_.program->publish(std::move(bundle));
    new_ = loaded_.entity<Function>("@other")->current;
  }

  Loaded loaded_;
  const FunctionVersion* old_ = nullptr;
  const FunctionVersion* new_ = nullptr;
};

TEST_F(RedefinedFunction, OnlyTheCurrentVersionComes) {
  Restored restored = restore(snapshotOf(*loaded_.program, {"@other"}));
  ASSERT_EQ(restored.error, "");
  const FunctionVersion* current = restored.entity<Function>("@other")->current;
  EXPECT_EQ(current->id, new_->id);
  EXPECT_EQ(current->previous, nullptr);
  EXPECT_EQ(restored.program->entity(old_->id), nullptr);
}

TEST_F(RedefinedFunction, AnOldVersionComesWhereItIsAskedFor) {
  Restored restored = restore(snapshotOf(*loaded_.program, {"@other.v1"}));
  ASSERT_EQ(restored.error, "");
  const FunctionVersion* current = restored.entity<Function>("@other")->current;
  EXPECT_EQ(current->id, new_->id);
  ASSERT_NE(current->previous, nullptr);
  EXPECT_EQ(current->previous.load()->id, old_->id);
  EXPECT_EQ(restored.program->idOf("@other.v1.entry"), loaded_.program->idOf("@other.v1.entry"));
}

// --- Errors ------------------------------------------------------------------------------------------------

TEST(Snapshot, IsReadIntoAFreshProgramOnly) {
  Loaded loaded = load(kTwoFunctions);
  std::vector<std::byte> bytes = snapshotOf(*loaded.program, {"@other"});
  auto index = readSnapshot(*loaded.program, bytes);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().id, ErrorId::ImageIrLoaded);
}

TEST(Snapshot, OneOfAnotherBuildIsRefused) {
  Loaded loaded = load(kTwoFunctions);
  std::vector<std::byte> bytes = snapshotOf(*loaded.program, {"@other"});
  bytes[4] ^= std::byte{1};
  Program program;
  auto index = readSnapshot(program, bytes);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().id, ErrorId::ImageIrForeign);
}

}  // namespace
}  // namespace gaur::ir::test
