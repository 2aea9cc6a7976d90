// The calls themselves: arguments as the C interface takes them.
#include "tools/gaur/replay.h"

#include <bit>
#include <deque>

#include "tools/gaur/builder_calls.h"

namespace gaur::tool {

namespace {

class LiveCalls {
 public:
  LiveCalls(MuVM* machine, MuIRBuilder* builder) : machine_(machine), builder_(builder) {}

  // --- As BuilderCalls wants it -----------------------------------------------------------------------
  Symbol symbol(const std::string& name) {
    std::string copy = name;
    ids_.push_back(builder_->gen_sym(builder_, copy.empty() ? nullptr : copy.data()));
    return {static_cast<std::uint32_t>(ids_.size())};
  }

  void begin(const std::string&) {}

  template <auto slot, class... A>
  void call(Slot<slot> to, const A&... arguments) {
    if (!failure_.empty()) return;
    (builder_->*slot)(builder_, passed(arguments)...);
    ids32_.clear();
    words_.clear();
    if (MuError error; machine_->get_error(machine_, &error))
      failure_ = std::string(to.name) + ": " + error.code + " " + error.message;
  }

  const std::string& failure() const { return failure_; }

 private:
  MuID passed(Symbol symbol) const { return symbol.number == 0 ? MU_NO_ID : ids_[symbol.number - 1]; }
  MuID* passed(const Symbols& list) {
    auto& array = ids32_.emplace_back();
    for (Symbol symbol : list) array.push_back(passed(symbol));
    return array.data();
  }
  std::uint32_t* passed(const Flags& list) {
    auto& array = ids32_.emplace_back();
    for (const Flag& flag : list) array.push_back(flag.value);
    return array.data();
  }
  std::uint64_t* passed(const Words& list) { return words_.emplace_back(list).data(); }
  static std::uint32_t passed(const Flag& flag) { return flag.value; }
  static float passed(FloatBits value) { return std::bit_cast<float>(value.bits); }
  static double passed(DoubleBits value) { return std::bit_cast<double>(value.bits); }
  static MuArraySize passed(Count count) { return count.number; }
  static std::uint64_t passed(std::uint64_t number) { return number; }
  static char* passed(const char* text) { return const_cast<char*>(text); }

  MuVM* machine_;
  MuIRBuilder* builder_;
  std::vector<MuID> ids_;
  /// Arrays of the call that is being made.
  std::deque<std::vector<std::uint32_t>> ids32_;
  std::deque<Words> words_;
  std::string failure_;
};

}  // namespace

std::optional<std::string> replay(const ir::Bundle& bundle, MuVM* machine) {
  machine->clear_error(machine);
  MuCtx* context = machine->new_context(machine);
  MuIRBuilder* builder = context ? context->new_ir_builder(context) : nullptr;
  if (!builder) {
    MuError error;
    machine->get_error(machine, &error);
    return std::string(error.code) + " " + error.message;
  }
  LiveCalls sink(machine, builder);
  BuilderCalls<LiveCalls>(bundle, sink).run();
  if (!sink.failure().empty()) {
    builder->abort(builder);
    return sink.failure();
  }
  builder->load(builder);
  context->close_context(context);
  if (MuError error; machine->get_error(machine, &error))
    return std::string(error.code) + " " + error.message;
  return std::nullopt;
}

}  // namespace gaur::tool
