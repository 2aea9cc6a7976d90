// From a slot's C function to the method behind it: one template for each structure, which checks at compile
// time that the types agree with the header, and at run time passes the error boundary (Machine::run).
#pragma once

#include <cstddef>
#include <type_traits>

#include "api/context.h"
#include "api/machine.h"

namespace gaur::api {

/// A name as a template argument.
template <std::size_t n>
struct SlotName {
  char text[n];
  constexpr SlotName(const char (&name)[n]) {
    for (std::size_t i = 0; i < n; ++i) text[i] = name[i];
  }
};

template <SlotName name, auto method>
struct MachineSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Machine::*method)(Arguments...)>
struct MachineSlot<name, method> {
  static R call(MuVM* mvm, Arguments... arguments) {
    if (!mvm) return reportNull(name.text, "mvm"), R();
    Machine& machine = Machine::of(mvm);
    return machine.run(name.text, [&] { return (machine.*method)(arguments...); });
  }
};

/// The end of a call with a context, before its error is told: the error handler may use the context.
class ContextCall {
 public:
  explicit ContextCall(Context& context) : context_(context) {}
  ~ContextCall() { context_.leave(); }
  ContextCall(const ContextCall&) = delete;
  ContextCall& operator=(const ContextCall&) = delete;

 private:
  Context& context_;
};

template <SlotName name, auto method>
struct ContextSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Context::*method)(Arguments...)>
struct ContextSlot<name, method> {
  static R call(MuCtx* ctx, Arguments... arguments) {
    Context* context = Context::enter(name.text, ctx);
    if (!context) return R();
    auto body = [&] {
      ContextCall call(*context);
      return (context->*method)(arguments...);
    };
    return context->machine().run(name.text, body, &context->errorPosition);
  }
};

/// A slot of the context that only asks the machine: it does not matter who else is in a call.
template <SlotName name, auto method>
struct AskingSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Machine::*method)(Arguments...)>
struct AskingSlot<name, method> {
  static R call(MuCtx* ctx, Arguments... arguments) {
    Context* context = Context::openOne(name.text, ctx);
    if (!context) return R();
    Machine& machine = context->machine();
    return machine.run(name.text, [&] { return (machine.*method)(arguments...); });
  }
};

/// A slot that this version has not: reports so.
template <SlotName name, auto slot>
struct MissingSlot;
template <SlotName name, class R, class... Arguments, R (*MuVM::*slot)(MuVM*, Arguments...)>
struct MissingSlot<name, slot> {
  static R call(MuVM* mvm, Arguments...) {
    if (!mvm) return reportNull(name.text, "mvm"), R();
    Machine::of(mvm).report(name.text, makeError(ErrorId::NotAvailable, {"it"}));
    return R();
  }
};
template <SlotName name, class R, class... Arguments, R (*MuCtx::*slot)(MuCtx*, Arguments...)>
struct MissingSlot<name, slot> {
  static R call(MuCtx* ctx, Arguments...) {
    Context* context = Context::openOne(name.text, ctx);
    if (!context) return R();
    context->machine().report(name.text, makeError(ErrorId::NotAvailable, {"it"}));
    return R();
  }
};

}  // namespace gaur::api
