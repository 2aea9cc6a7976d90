// How what an image begins with is called.
#include "bootimage/start.h"

#include "tests/unit/runtime/machine.h"

namespace gaur::bootimage {
namespace {

TEST(Start, TheStatusIsTheLowByteOfAnIntegerOfAnyWidth) {
  runtime::TestMachine machine;
  for (unsigned bits : {8u, 32u, 64u, 128u, 1000u, unsigned{ir::kMaxIntBits}}) {
    const std::string n = std::to_string(bits), type = "int<" + n + ">";
    machine.mustLoad(".const @c" + n + " <" + type + "> = 42 .funcdef @f" + n + " <() -> (" + type +
                     ")> { %e(): RET @c" + n + " }");
    int status = 0;
    auto outcome = callPrimordial(machine.vm(), machine.function("@f" + n), nullptr, 0, nullptr, status);
    EXPECT_EQ(outcome.kind, runtime::CallOutcome::Kind::Returned) << outcome.report;
    EXPECT_EQ(status, 42) << type;
  }
}

}  // namespace
}  // namespace gaur::bootimage
