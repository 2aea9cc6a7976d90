#include "api/trap_handler.h"

#include "api/context.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/thread.h"
#include "vm/support/thread_owned.h"

namespace gaur::api {

namespace {

/// What the handler says; muapi.h tells how it begins.
struct ClientAnswer {
  MuTrapHandlerResult result = MU_THREAD_EXIT;
  MuStackRefValue stack = nullptr;
  MuValue* values = nullptr;
  MuArraySize count = 0;
  MuValuesFreer freer = nullptr;
  MuCPtr freerData = nullptr;
  MuRefValue exception = nullptr;
};

Result<void> translate(const Context& context, const ClientAnswer& client, runtime::TrapAnswer& answer) {
  switch (client.result) {
    case MU_THREAD_EXIT: answer.stack = nullptr; return {};
    case MU_REBIND_PASS_VALUES: {
      GAUR_TRY_ASSIGN(answer.stack, context.readyStack(client.stack, "new_stack"));
      return context.passValues(*answer.stack, client.values, client.count, answer.image);
    }
    case MU_REBIND_THROW_EXC: {
      GAUR_TRY_ASSIGN(answer.stack, context.readyStack(client.stack, "new_stack"));
      return context.throwException(client.exception, answer.image);
    }
    default:
      return makeError(ErrorId::ApiOperation, {"result of a trap handler", std::to_string(client.result)});
  }
}

/// Empty where the answer is good, else what is wrong with it.
std::string ask(const ClientTrapHandler& client, runtime::Thread& thread, abi::StackObject& stack,
                std::uint32_t watchpoint, runtime::TrapAnswer& answer) {
  Machine& machine = client.machine;
  abi::ThreadObject* threadObject = thread.threadObject();
  if (!threadObject) throw std::bad_alloc();
  Context& context = machine.openContext(true);
  ClientAnswer said;
  said.stack = context.add(ir::TypeKind::Stackref, &stack);
  client.handler(context.table(), context.add(ir::TypeKind::Threadref, threadObject), said.stack, watchpoint,
                 &said.result, &said.stack, &said.values, &said.count, &said.freer, &said.freerData,
                 &said.exception, client.userdata);
  Result<void> translated = translate(context, said, answer);
  if (said.freer) said.freer(said.values, said.freerData);
  context.close();
  machine.giveBack(context);
  if (translated) return {};
  machine.report("trap handler", translated.error());
  return "the answer of the trap handler: " + translated.error().message;
}

}  // namespace

void callTrapHandler(runtime::Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                     runtime::TrapAnswer& answer, void* data) {
  std::string mistake;
  try {
    mistake = ask(*static_cast<const ClientTrapHandler*>(data), thread, stack, watchpoint, answer);
  } catch (const std::bad_alloc&) {
    mistake = "no memory for a trap handler";
  }
  if (mistake.empty()) return;
  // This does not return, and takes the text along.
  static auto* texts = new ThreadOwned<std::string>;
  std::string& text = texts->get();
  text = std::move(mistake);
  mistake = std::string();
  runtime::failHere(text);
}

}  // namespace gaur::api
