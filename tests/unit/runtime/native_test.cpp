// The border to native code in both directions.
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/unit/runtime/machine.h"

namespace gaur::runtime {
namespace {

using Kind = CallOutcome::Kind;

class NativeRun : public RunTest {};
INSTANTIATE_TEST_SUITE_P(Levels, NativeRun, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

constexpr const char* kTypes = R"(
  .typedef @i64 = int<64>
  .typedef @i32 = int<32>
  .typedef @i1 = int<1>
  .typedef @double = double
  .typedef @void = void
  .typedef @ptr = uptr<@void>
  .typedef @uptr_i64 = uptr<@i64>
  .funcsig @ii = (@i64) -> (@i64)
  .funcsig @pp = (@ptr) -> (@ptr)
  .const @0 <@i64> = 0
  .const @1 <@i64> = 1
)";

struct Pair {
  double a;
  std::int64_t b;
};
extern "C" Pair runtimeTestSwap(Pair in, int n) {
  return {static_cast<double>(in.b) + n, static_cast<std::int64_t>(in.a)};
}

TEST_P(NativeRun, PassesStructsByValue) {
  machine.vm().nativeSymbols().registerSymbol("swap_pair", reinterpret_cast<void*>(&runtimeTestSwap));
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @pair = struct<@double @i64>
    .funcsig @swap.sig = (@pair @i32) -> (@pair)
    .typedef @swap.fp = ufuncptr<@swap.sig>
    .const @swap <@swap.fp> = EXTERN "swap_pair"
    .funcdef @f VERSION %v1 <@swap.sig> {
      %entry(<@pair> %p <@i32> %n):
        %q = CCALL #DEFAULT <@swap.fp @swap.sig> @swap (%p %n)
        RET %q
    })");
  auto result = machine.call<Pair>("@f", Pair{1.5, 7}, 3);
  EXPECT_EQ(result.a, 10.0);
  EXPECT_EQ(result.b, 1);
}

TEST_P(NativeRun, UnknownSymbolsFailTheCall) {
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @fp = ufuncptr<@ii>
    .const @nowhere <@fp> = EXTERN "no_such_symbol_anywhere"
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %q = CCALL #DEFAULT <@fp @ii> @nowhere (%n)
        RET %q
    })");
  std::int64_t result[2];
  auto outcome = machine.run("@f", result, std::int64_t{1});
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_NE(outcome.report.find("no_such_symbol_anywhere"), std::string::npos) << outcome.report;
}

constexpr const char* kCallback = R"(
    .const @cookie <@i64> = 1000
    .funcdef @callback VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %c = COMMINST @uvm.native.get_cookie
        %s = ADD <@i64> %n %c
        RET %s
    }
    .expose @exposed = @callback #DEFAULT @cookie
    .typedef @fp = ufuncptr<@ii>
    .funcsig @getter = () -> (@fp)
    .funcdef @address VERSION %v1 <@getter> {
      %entry():
        RET @exposed
    }
    .funcsig @make.sig = (@i64) -> (@fp)
    .funcdef @make VERSION %v1 <@make.sig> {
      %entry(<@i64> %cookie):
        %f = COMMINST @uvm.native.expose [#DEFAULT] <[@ii]> (@callback %cookie)
        RET %f
    })";

using Callback = std::int64_t (*)(std::int64_t);

TEST_P(NativeRun, ExposedFunctionsAreCalledFromAttachedAndOtherThreads) {
  machine.mustLoad(std::string(kTypes) + kCallback);
  auto exposed = machine.call<Callback>("@address");
  EXPECT_EQ(exposed(1), 1001);
  auto other = machine.call<Callback>("@make", std::int64_t{50});
  EXPECT_EQ(other(1), 51);
  EXPECT_EQ(exposed(2), 1002);
  std::int64_t fromThread = 0;
  std::thread([&] { fromThread = other(5) + exposed(5); }).join();
  EXPECT_EQ(fromThread, 55 + 1005);
  machine.vm().heap();
}

std::int64_t callTwice(Callback f, std::int64_t n) { return f(n) + f(n + 1); }

TEST_P(NativeRun, CallbacksFromNativeCodeUnderMuCode) {
  machine.vm().nativeSymbols().registerSymbol("call_twice", reinterpret_cast<void*>(&callTwice));
  machine.mustLoad(std::string(kTypes) + kCallback + R"(
    .funcsig @twice.sig = (@fp @i64) -> (@i64)
    .typedef @twice.fp = ufuncptr<@twice.sig>
    .const @twice <@twice.fp> = EXTERN "call_twice"
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CCALL #DEFAULT <@twice.fp @twice.sig> @twice (@exposed %n)
        RET %r
    })");
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 1001 + 1002);
}

TestMachine* nested;
std::int64_t callVm(std::int64_t n) {
  std::int64_t result[2] = {};
  auto outcome = nested->run("@inner", result, n);
  switch (outcome.kind) {
    case Kind::Returned: return result[0];
    case Kind::Threw: return -1;
    case Kind::Failed:
    case Kind::NotStarted: return -2;
    case Kind::ThreadExited: return -3;
  }
  return -4;
}

TEST_P(NativeRun, HostCallsNestOnOneStack) {
  nested = &machine;
  machine.vm().nativeSymbols().registerSymbol("call_vm", reinterpret_cast<void*>(&callVm));
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @fp = ufuncptr<@ii>
    .const @call_vm <@fp> = EXTERN "call_vm"
    .const @100 <@i64> = 100
    .typedef @ref = ref<@void>
    .const @NULL <@ref> = NULL
    .funcdef @inner VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        SWITCH <@i64> %n %other(%n) { @0 %throw() @1 %fail(%n) }
      %other(<@i64> %n):
        %m = ADD <@i64> %n @1
        RET %m
      %throw():
        THROW @NULL
      %fail(<@i64> %n):
        %q = SDIV <@i64> %n @0
        RET %q
    }
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CCALL #DEFAULT <@fp @ii> @call_vm (%n)
        %s = ADD <@i64> %r @100
        RET %s
    })");
  EXPECT_EQ(machine.call("@f", std::int64_t{5}), 106);
  EXPECT_EQ(machine.call("@f", std::int64_t{0}), 99);
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 98);
  EXPECT_EQ(machine.call("@f", std::int64_t{5}), 106);
}

/// Types without padding, and their sizes.
struct Echoed {
  const char* name;
  const char* type;
  std::size_t bytes;
};
constexpr Echoed kEchoed[] = {
    {"byte", "int<8>", 1},
    {"half", "int<32>", 4},
    {"word", "int<64>", 8},
    {"words", "int<128>", 16},
    {"float", "float", 4},
    {"bytes", "array<int<8> 3>", 3},
    {"shorts", "array<int<16> 5>", 10},
    {"triple", "struct<int<64> int<64> int<64>>", 24},
};

/// How many of the functions @one.NAME and @two.NAME, which return what they get, write more or less than
/// that.
std::int64_t wrongResults(std::int64_t wrong) {
  constexpr int kRoom = 96, kValue = 0x41, kMark = 0xa5;
  for (const Echoed& echoed : kEchoed) {
    for (std::size_t count : {1, 2}) {
      const std::size_t next = (echoed.bytes + 15) / 16 * 16;
      alignas(16) unsigned char arguments[kRoom], results[kRoom], expected[kRoom];
      std::memset(arguments, kValue, sizeof arguments);
      std::memset(results, kMark, sizeof results);
      std::memset(expected, kMark, sizeof expected);
      std::memset(expected + (count - 1) * next, kValue, echoed.bytes);
      std::memset(expected, kValue, echoed.bytes);
      // Between two results lies what nobody looks at.
      auto outcome = nested->vm().call(
          nested->function((count == 1 ? "@one." : "@two.") + std::string(echoed.name)), arguments, results);
      std::memset(results + echoed.bytes, kMark, (count - 1) * (next - echoed.bytes));
      const bool isRight = outcome.kind == Kind::Returned && std::memcmp(results, expected, kRoom) == 0;
      EXPECT_TRUE(isRight) << count << " of type " << echoed.type << outcome.report;
      wrong += isRight ? 0 : 1;
    }
  }
  return wrong;
}

TEST_P(NativeRun, ResultsAreWrittenWhereTheyLieAndNowhereElse) {
  nested = &machine;
  machine.vm().nativeSymbols().registerSymbol("wrong_results", reinterpret_cast<void*>(&wrongResults));
  std::string text = std::string(kTypes) + R"(
    .typedef @fp = ufuncptr<@ii>
    .const @wrong <@fp> = EXTERN "wrong_results"
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CCALL #DEFAULT <@fp @ii> @wrong (%n)
        RET %r
    })";
  for (const Echoed& echoed : kEchoed) {
    const std::string type = "<@t." + std::string(echoed.name) + "> ",
                      bare = "@t." + std::string(echoed.name);
    text += "\n.typedef " + bare + " = " + echoed.type + "\n.funcdef @one." + echoed.name + " <(" + bare +
            ") -> (" + bare + ")> { %e(" + type + "%x): RET %x }\n.funcdef @two." + echoed.name + " <(" +
            bare + " " + bare + ") -> (" + bare + " " + bare + ")> { %e(" + type + "%x " + type +
            "%y): RET (%y %x) }";
  }
  machine.mustLoad(text);
  EXPECT_EQ(wrongResults(0), 0);
  EXPECT_EQ(machine.call("@f", std::int64_t{0}), 0) << "on a stack of Mu";
}

TEST_P(NativeRun, ResultsNeedNoPlaceWhereThereAreNone) {
  machine.mustLoad(".funcdef @nothing <() -> ()> { %e(): RET () }");
  EXPECT_EQ(machine.vm().call(machine.function("@nothing"), nullptr, nullptr).kind, Kind::Returned);
}

TEST_P(NativeRun, MetaInstructionsTellNamesAndLoadBundles) {
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @bytes = hybrid<@i64 @i8>
    .typedef @i8 = int<8>
    .typedef @bytes_r = ref<@bytes>
    .typedef @bytes_i = iref<@bytes>
    .typedef @i8_i = iref<@i8>
    .funcsig @name.sig = (@i32) -> (@bytes_r)
    .funcsig @id.sig = (@i32) -> (@i32)
    .funcdef @same VERSION %v1 <@id.sig> {
      %entry(<@i32> %id):
        %n = COMMINST @uvm.meta.name_of (%id)
        %i = COMMINST @uvm.meta.id_of (%n)
        RET %i
    })");
  auto id = static_cast<std::int32_t>(machine.vm().program().idOf("@same"));
  EXPECT_EQ(machine.call<std::int32_t>("@same", id), id);
}

/// Uses as much stack as there is, in frames that are no page big.
extern "C" std::int64_t runtimeTestDescend(std::int64_t depth) {
  volatile char frame[1024];
  frame[0] = 0;
  // Not to be made a loop.
  std::int64_t (*volatile next)(std::int64_t) = runtimeTestDescend;
  return depth == 0 ? frame[0] : next(depth - 1) + 1 + frame[0];
}

TEST_P(NativeRun, StackOverflowInNativeCodeIsAnException) {
  machine.vm().nativeSymbols().registerSymbol("descend", reinterpret_cast<void*>(&runtimeTestDescend));
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @fp = ufuncptr<@ii>
    .typedef @refvoid = ref<@void>
    .typedef @stackref = stackref
    .funcsig @on.sig = (@stackref @i64) -> ()
    .const @descend <@fp> = EXTERN "descend"
    .const @-1 <@i64> = -1
    .const @-2 <@i64> = -2
    .funcdef @caught VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = ADD <@i64> %n @1
        %r = CCALL #DEFAULT <@fp @ii> @descend (%n) EXC(%ok(%r) %overflow(%m))
      %ok(<@i64> %r):
        RET %r
      %overflow(<@i64> %m) [%e]:
        %isNull = EQ <@refvoid> %e @null
        %code = SELECT <@i1 @i64> %isNull @-1 @-2
        RET %code
    }
    .const @null <@refvoid> = NULL
    .funcdef @outer VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CALL <@ii> @uncaught (%n) EXC(%ok(%r) %overflow())
      %ok(<@i64> %r):
        RET %r
      %overflow():
        RET @-1
    }
    .funcdef @uncaught VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CCALL #DEFAULT <@fp @ii> @descend (%n)
        RET %r
    }
    .funcdef @on VERSION %v1 <@on.sig> {
      %entry(<@stackref> %back <@i64> %n):
        %r = CALL <@ii> @caught (%n)
        SWAPSTACK %back KILL_OLD PASS_VALUES <@i64> (%r)
    }
    .funcdef @coroutine VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %me = COMMINST @uvm.current_stack
        %s = COMMINST @uvm.new_stack <[@on.sig]> (@on)
        %r = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <@stackref @i64> (%me %n)
        RET %r
    })");
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(machine.call<std::int64_t>("@caught", std::int64_t{10}), 10);
    EXPECT_EQ(machine.call<std::int64_t>("@caught", std::int64_t{1} << 40), -1);
    EXPECT_EQ(machine.call<std::int64_t>("@outer", std::int64_t{1} << 40), -1);
    EXPECT_EQ(machine.call<std::int64_t>("@coroutine", std::int64_t{10}), 10);
    EXPECT_EQ(machine.call<std::int64_t>("@coroutine", std::int64_t{1} << 40), -1);
  }
}

/// An exposed Mu function gives back a struct that it takes after some integers and doubles: what the C++
/// compiler passes has to be what it gets back.
class ExposedStructs : public NativeRun {
 protected:
  /// `type`: the fields of S in Mu.
  template <class S>
  void echo(const char* type, S value) {
    using Int = std::int64_t;
    std::string name = "@s" + std::to_string(++count_);
    std::string text = ".typedef " + name + " = " + type + "\n";
    // How many integers and doubles come first decides whether registers are left.
    for (const char* before : {"", "@i64 @i64 @i64 @i64 @i64 ", "@i64 @i64 @i64 @i64 @i64 @i64 ",
                               "@double @double @double @double @double @double @double "}) {
      std::string function = name + "." + std::to_string(++count_);
      std::string parameters;
      unsigned number = 0;
      for (std::string_view rest = before; !rest.empty(); rest.remove_prefix(rest.find(' ') + 1))
        parameters +=
            "<" + std::string(rest.substr(0, rest.find(' '))) + "> %p" + std::to_string(number++) + " ";
      text += ".funcsig " + function + ".sig = (" + before + name + ") -> (" + name + ")\n.funcdef " +
              function + " VERSION %v1 <" + function + ".sig> {\n%entry(" + parameters + "<" + name +
              "> %s):\nRET %s\n}\n";
    }
    machine.mustLoad(count_ == 5 ? std::string(kTypes) + text : text);
    auto exposed = [&](int which) {
      const ir::Function& function = machine.function(name + "." + std::to_string(count_ - 4 + which));
      return machine.vm().entities().expose(machine.vm().entities().recordOf(function), 0);
    };
    auto same = [&](const S& got) { EXPECT_EQ(std::memcmp(&got, &value, sizeof(S)), 0) << type; };
    same(reinterpret_cast<S (*)(S)>(exposed(1))(value));
    same(reinterpret_cast<S (*)(Int, Int, Int, Int, Int, S)>(exposed(2))(1, 2, 3, 4, 5, value));
    same(reinterpret_cast<S (*)(Int, Int, Int, Int, Int, Int, S)>(exposed(3))(1, 2, 3, 4, 5, 6, value));
    same(reinterpret_cast<S (*)(double, double, double, double, double, double, double, S)>(exposed(4))(
        1, 2, 3, 4, 5, 6, 7, value));
  }

 private:
  int count_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Levels, ExposedStructs, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

TEST_P(ExposedStructs, GoThroughUnchanged) {
  struct Float {
    float a;
  };
  struct Floats {
    float a, b;
  };
  struct Floats3 {
    float a, b, c;
  };
  struct IntFloat {
    std::int32_t a;
    float b;
  };
  struct Mixed {
    double a;
    std::int8_t b[8];
  };
  struct Small {
    std::int8_t a[3];
  };
  struct Ints {
    std::int64_t a, b;
  };
  struct Doubles {
    double a, b;
  };
  struct Ints5 {
    std::int32_t a[5];
  };
  struct Doubles3 {
    double a[3];
  };
  struct Nested {
    Floats a;
    Ints b;
  };
  echo("struct<float>", Float{1.5f});
  echo("struct<float float>", Floats{1.5f, -2.5f});
  echo("struct<float float float>", Floats3{1.5f, -2.5f, 3.5f});
  echo("struct<int<32> float>", IntFloat{7, 2.5f});
  echo("struct<double array<int<8> 8>>", Mixed{2.5, {1, 2, 3, 4, 5, 6, 7, 8}});
  echo("struct<array<int<8> 3>>", Small{{1, 2, 3}});
  echo("struct<int<64> int<64>>", Ints{1, -2});
  echo("struct<double double>", Doubles{1.25, -2});
  echo("struct<array<int<32> 5>>", Ints5{{1, 2, 3, 4, 5}});
  echo("struct<array<double 3>>", Doubles3{{1, 2, 3}});
  echo("struct<struct<float float> struct<int<64> int<64>>>", Nested{{1, 2}, {3, 4}});
}

TestMachine* others[2];

/// Calls the other machine's @f from a native function that Mu code called; the innermost call collects.
extern "C" std::int64_t runtimeTestHop(std::int64_t depth) {
  TestMachine& other = *others[depth & 1];
  if (depth == 0) {
    other.vm().heap().collect();
    return 0;
  }
  return other.call<std::int64_t>("@f", depth - 1);
}

TEST(Machines, CallEachOtherToAndFroThroughACollection) {
  TestMachine first, second;
  others[0] = &first;
  others[1] = &second;
  for (TestMachine* machine : others) {
    machine->vm().nativeSymbols().registerSymbol("hop", reinterpret_cast<void*>(&runtimeTestHop));
    machine->mustLoad(std::string(kTypes) + R"(
      .typedef @fp = ufuncptr<@ii>
      .typedef @ref = ref<@i64>
      .typedef @iref = iref<@i64>
      .const @hop <@fp> = EXTERN "hop"
      .funcdef @f VERSION %v1 <@ii> {
        %entry(<@i64> %n):
          %r = NEW <@i64>
          %i = GETIREF <@i64> %r
          STORE <@i64> %i @1
          %below = CCALL #DEFAULT <@fp @ii> @hop (%n)
          %mine = LOAD <@i64> %i
          %sum = ADD <@i64> %below %mine
          RET %sum
      })");
  }
  for (int round = 0; round < 20; ++round) EXPECT_EQ(first.call<std::int64_t>("@f", std::int64_t{7}), 8);
}

}  // namespace
}  // namespace gaur::runtime
