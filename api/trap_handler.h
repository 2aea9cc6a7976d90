// Between the runtime's traps and a client's handler: the context it gets, and what its answer means.
#pragma once

#include "api/machine.h"
#include "vm/runtime/trap.h"

namespace gaur::api {

/// A handler that was set; lives as long as its machine, since a thread may be about to call it.
struct ClientTrapHandler {
  Machine& machine;
  MuTrapHandler handler;
  MuCPtr userdata;
};

/// The runtime::TrapFunction whose data is a ClientTrapHandler.
void callTrapHandler(runtime::Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                     runtime::TrapAnswer& answer, void* data);

}  // namespace gaur::api
