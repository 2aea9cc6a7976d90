// The table alone, with a collector of its own making; that entries go with objects is also seen with a real
// one.
#include "vm/runtime/pointer_relocations.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/unit/runtime/machine.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {
namespace {

using ::testing::ElementsAre;

std::set<const void*> dead;
bool isReachable(const void* object) { return !dead.contains(object); }

std::vector<std::string> symbolsOf(PointerRelocations& table) {
  std::vector<std::string> symbols;
  for (const PointerRelocation& entry : table.entries()) symbols.push_back(entry.symbol);
  return symbols;
}

const void* object(std::uintptr_t number) { return reinterpret_cast<const void*>(number * 4096); }
PointerRelocation entry(std::uintptr_t number, const char* symbol) {
  return {number * 4096 + 8, symbol, 0, false, ""};
}

TEST(PointerRelocations, LaterOnesReplaceAndTheDeadGo) {
  PointerRelocations table;
  dead.clear();
  EXPECT_TRUE(table.entries().empty());
  table.add(object(2), entry(2, "b"));
  table.add(object(1), entry(1, "a"));
  table.add(nullptr, entry(3, "cell"));
  table.add(object(2), {2 * 4096 + 8, "c", -4, true, "libx.so"});
  EXPECT_THAT(symbolsOf(table), ElementsAre("a", "c", "cell"));
  EXPECT_EQ(table.entries()[1].addend, -4);
  EXPECT_TRUE(table.entries()[1].isWeak);
  EXPECT_EQ(table.entries()[1].library, "libx.so");
  table.afterMarking(isReachable);
  EXPECT_EQ(table.entries().size(), 3u);
  dead = {object(2), nullptr};
  table.afterMarking(isReachable);
  EXPECT_THAT(symbolsOf(table), ElementsAre("a", "cell"));
  // Another object at the same place.
  dead.clear();
  table.add(object(2), entry(2, "new"));
  table.afterMarking(isReachable);
  EXPECT_THAT(symbolsOf(table), ElementsAre("a", "new", "cell"));
}

TEST(PointerRelocations, DiesAndComesBackBetweenLooks) {
  PointerRelocations table;
  for (int round = 0; round < 5; ++round) {
    dead.clear();
    for (std::uintptr_t i = 1; i <= 1000; ++i) table.add(object(i), entry(i, "x"));
    for (std::uintptr_t i = 1; i <= 1000; ++i)
      if (i % 3 != 0) dead.insert(object(i));
    table.afterMarking(isReachable);
    if (round % 2 == 0) {
      EXPECT_EQ(table.entries().size(), 333u);
    }
  }
}

TEST(PointerRelocations, ThoseOfTheImageAreInherited) {
  PointerRelocations table;
  int asked = 0;
  table.inherit([&] {
    ++asked;
    return std::vector<PointerRelocation>{entry(4, "d"), entry(2, "b")};
  });
  table.add(object(1), entry(1, "a"));
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(symbolsOf(table), ElementsAre("a", "b", "d"));
  table.add(object(2), entry(2, "later"));
  EXPECT_THAT(symbolsOf(table), ElementsAre("a", "later", "d"));
}

TEST(PointerRelocations, EntriesOfAMachineDieWithTheirObjects) {
  TestMachine machine;
  machine.mustLoad(R"(
    .typedef @void = void .typedef @ptr = uptr<@void> .typedef @i64 = int<64> .typedef @pair = struct<@i64 @ptr>
    .typedef @refPair = ref<@pair> .typedef @rawPair = uptr<@pair> .global @cell <@pair> .global @kept <@refPair>
    .funcsig @make = () -> (@rawPair) .funcsig @plain = () -> ()
    .funcdef @keep VERSION %v <@make> {
      %entry():
        %object = NEW <@pair>
        STORE <@refPair> @kept %object
        %pinned = COMMINST @uvm.native.pin <@refPair> (%object)
        RET %pinned
    }
    .funcdef @drop VERSION %v <@plain> {
      %entry():
        %object = LOAD <@refPair> @kept
        COMMINST @uvm.native.unpin <@refPair> (%object)
        %other = NEW <@pair>
        STORE <@refPair> @kept %other
        RET ()
    }
  )");
  MicroVm& vm = machine.vm();
  auto address = static_cast<std::uintptr_t>(machine.call("keep"));
  auto* cell = vm.program().entityOf<ir::GlobalCell>(vm.program().idOf("cell"));
  auto cellField = reinterpret_cast<std::uintptr_t>(vm.entities().addressOf(*cell)) + 8;
  Thread thread(vm);
  auto add = [&](std::uintptr_t field, const char* symbol) {
    return static_cast<bool>(vm.relocatePointer({field, symbol, 0, false, ""}));
  };
  EXPECT_TRUE(add(address + 8, "stdin"));
  EXPECT_TRUE(add(cellField, "stdout"));
  std::uint64_t local = 0;
  EXPECT_FALSE(add(reinterpret_cast<std::uintptr_t>(&local), "stderr"));
  EXPECT_FALSE(add(reinterpret_cast<std::uintptr_t>(cell), "stderr"));
  vm.heap().collect();
  EXPECT_EQ(vm.pointerRelocations().entries().size(), 2u);
  machine.run("drop", nullptr);
  for (int i = 0; i < 3; ++i) vm.heap().collect();
  EXPECT_THAT(symbolsOf(vm.pointerRelocations()), ElementsAre("stdout"));
}

}  // namespace
}  // namespace gaur::runtime
