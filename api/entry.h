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

/// A call without a machine to record its error for.
void reportNoMachine(const char* slot, ErrorId id, std::string_view argument = {});

template <SlotName name, auto method>
struct MachineSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Machine::*method)(Arguments...)>
struct MachineSlot<name, method> {
  static R call(MuVM* mvm, Arguments... arguments) {
    if (!mvm) return reportNoMachine(name.text, ErrorId::ApiNull, "mvm"), R();
    Machine& machine = Machine::of(mvm);
    return machine.run(name.text, [&] { return (machine.*method)(arguments...); });
  }
};

template <SlotName name, auto method>
struct ContextSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Context::*method)(Arguments...)>
struct ContextSlot<name, method> {
  static R call(MuCtx* ctx, Arguments... arguments) {
    if (!ctx) return reportNoMachine(name.text, ErrorId::ApiNull, "ctx"), R();
    if (!ctx->header) return reportNoMachine(name.text, ErrorId::ApiContextClosed), R();
    Context& context = Context::of(ctx);
    return context.machine().run(
        name.text, [&] { return (context.*method)(arguments...); }, &context.errorPosition);
  }
};

/// A slot that this version has not: reports so.
template <SlotName name, auto slot>
struct MissingSlot;
template <SlotName name, class R, class... Arguments, R (*MuVM::*slot)(MuVM*, Arguments...)>
struct MissingSlot<name, slot> {
  static R call(MuVM* mvm, Arguments...) {
    if (!mvm) return reportNoMachine(name.text, ErrorId::ApiNull, "mvm"), R();
    Machine::of(mvm).report(name.text, makeError(ErrorId::NotAvailable, {"it"}));
    return R();
  }
};
template <SlotName name, class R, class... Arguments, R (*MuCtx::*slot)(MuCtx*, Arguments...)>
struct MissingSlot<name, slot> {
  static R call(MuCtx* ctx, Arguments...) {
    if (!ctx) return reportNoMachine(name.text, ErrorId::ApiNull, "ctx"), R();
    if (!ctx->header) return reportNoMachine(name.text, ErrorId::ApiContextClosed), R();
    Context::of(ctx).machine().report(name.text, makeError(ErrorId::NotAvailable, {"it"}));
    return R();
  }
};

}  // namespace gaur::api
