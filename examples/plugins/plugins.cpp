// A host that replaces its plug-in a thousand times: loads it, runs it, unloads it. Its names are free for
// the next one at once; its code and its cell go when nothing leads to them any more. The host keeps a
// reference to one plug-in's function, which works long after, with its state, and without a name.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <mu/gaur.hpp>

namespace {

using Step = std::int64_t();

/// Every plug-in brings @state, of its own, and @step, which adds the plug-in's number to it.
std::string plugin(int number) {
  return ".const @number <@i64> = " + std::to_string(number) + R"(
    .global @state <@i64>
    .funcdef @step VERSION %v <@plain> {
      %entry():
        %old = LOAD <@i64> @state
        %new = ADD <@i64> %old @number
        STORE <@i64> @state %new
        RET %new
    })";
}

/// A native entry to a function, which keeps it as long as it is there.
class Entry {
 public:
  Entry(mu::Context& context, const mu::Value& function) : context_(context) {
    mu::Value cookie = context.value(std::int64_t{0});
    MuCtx* ctx = context.get();
    entry_ = mu::Value(context.vm(), ctx, ctx->expose(ctx, function.get(), MU_CC_DEFAULT, cookie.get()));
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { context_.get()->unexpose(context_.get(), MU_CC_DEFAULT, entry_.get()); }
  std::int64_t operator()() const { return entry_.to<Step*>().value()(); }

 private:
  mu::Context& context_;
  mu::Value entry_;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
  auto vm = mu::Vm::create().value();
  auto context = vm.context().value();
  context.load(".typedef @i64 = int<64> .funcsig @plain = () -> (@i64)").value();

  mu::Value kept;
  MuID keptId = 0;
  std::int64_t sum = 0;
  for (int i = 0; i < rounds; ++i) {
    context.loadCollectible(plugin(i)).value();
    mu::Value step = context.function("@step");
    sum += Entry(context, step)();
    const MuID id = context.id("@step").value();
    context.unload(id).value();
    if (i != rounds / 2) continue;
    kept = std::move(step);
    keptId = id;
  }
  std::cout << "what is left is kept by " << context.why(keptId).value();
  const Entry again(context, kept);
  again();
  std::cout << rounds << " plug-ins, together " << sum << "; number " << rounds / 2 << " goes on with "
            << again() << '\n';
  return 0;
}
