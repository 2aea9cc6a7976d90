// The tables of slots: one line each, in the order of the header.
#include "api/entry.h"

namespace gaur::api {

namespace {

// Slots that take part in no Result: they end what run() relies on, or read what it writes.

void close(MuVM* mvm) {
  if (!mvm) return reportNull("close", "mvm");
  Machine::of(mvm).close();
}

void detachCurrentThread(MuVM* mvm) {
  if (!mvm) return reportNull("detach_current_thread", "mvm");
  Machine::of(mvm).detach();
}

MuBool getError(MuVM* mvm, MuError* error) { return mvm && Machine::of(mvm).error(error); }

void clearError(MuVM* mvm) {
  if (mvm) Machine::of(mvm).clearError();
}

}  // namespace

// One slot a line.
// clang-format off
const MuVM kMachineTable = {
    .header = nullptr,
    .new_context = MachineSlot<"new_context", &Machine::newContext>::call,
    .id_of = MachineSlot<"id_of", &Machine::idOf>::call,
    .name_of = MachineSlot<"name_of", &Machine::nameOf>::call,
    .set_trap_handler = MachineSlot<"set_trap_handler", &Machine::setTrapHandler>::call,
    .compile_to_sharedlib = MachineSlot<"compile_to_sharedlib", &Machine::compileToSharedObject>::call,
    .current_thread_as_mu_thread = MachineSlot<"current_thread_as_mu_thread", &Machine::attachWithThreadLocal>::call,
    .close = close,
    .execute = MachineSlot<"execute", &Machine::execute>::call,
    .attach_current_thread = MachineSlot<"attach_current_thread", &Machine::attach>::call,
    .detach_current_thread = detachCurrentThread,
    .get_error = getError,
    .clear_error = clearError,
    .set_error_handler = MachineSlot<"set_error_handler", &Machine::setErrorHandler>::call,
    .get_mu_error_ptr = MachineSlot<"get_mu_error_ptr", &Machine::errorPointer>::call,
    .current_context = MachineSlot<"current_context", &Machine::currentContext>::call,
    .collect = MachineSlot<"collect", &Machine::collect>::call,
};

const MuCtx kContextTable = {
    .header = nullptr,
    .id_of = AskingSlot<"id_of", &Machine::idOf>::call,
    .name_of = AskingSlot<"name_of", &Machine::nameOf>::call,
    .close_context = ContextSlot<"close_context", &Context::closeContext>::call,
    .load_bundle = ContextSlot<"load_bundle", &Context::loadBundle>::call,
    .load_hail = ContextSlot<"load_hail", &Context::loadHail>::call,
    .handle_from_sint8 = ContextSlot<"handle_from_sint8", &Context::handleFrom<std::int8_t>>::call,
    .handle_from_uint8 = ContextSlot<"handle_from_uint8", &Context::handleFrom<std::uint8_t>>::call,
    .handle_from_sint16 = ContextSlot<"handle_from_sint16", &Context::handleFrom<std::int16_t>>::call,
    .handle_from_uint16 = ContextSlot<"handle_from_uint16", &Context::handleFrom<std::uint16_t>>::call,
    .handle_from_sint32 = ContextSlot<"handle_from_sint32", &Context::handleFrom<std::int32_t>>::call,
    .handle_from_uint32 = ContextSlot<"handle_from_uint32", &Context::handleFrom<std::uint32_t>>::call,
    .handle_from_sint64 = ContextSlot<"handle_from_sint64", &Context::handleFrom<std::int64_t>>::call,
    .handle_from_uint64 = ContextSlot<"handle_from_uint64", &Context::handleFrom<std::uint64_t>>::call,
    .handle_from_uint64s = ContextSlot<"handle_from_uint64s", &Context::handleFromWords>::call,
    .handle_from_float = ContextSlot<"handle_from_float", &Context::handleFromFloat>::call,
    .handle_from_double = ContextSlot<"handle_from_double", &Context::handleFromDouble>::call,
    .handle_from_ptr = ContextSlot<"handle_from_ptr", &Context::handleFromPointer>::call,
    .handle_from_fp = ContextSlot<"handle_from_fp", &Context::handleFromFunctionPointer>::call,
    .handle_to_sint8 = ContextSlot<"handle_to_sint8", &Context::handleTo<std::int8_t>>::call,
    .handle_to_uint8 = ContextSlot<"handle_to_uint8", &Context::handleTo<std::uint8_t>>::call,
    .handle_to_sint16 = ContextSlot<"handle_to_sint16", &Context::handleTo<std::int16_t>>::call,
    .handle_to_uint16 = ContextSlot<"handle_to_uint16", &Context::handleTo<std::uint16_t>>::call,
    .handle_to_sint32 = ContextSlot<"handle_to_sint32", &Context::handleTo<std::int32_t>>::call,
    .handle_to_uint32 = ContextSlot<"handle_to_uint32", &Context::handleTo<std::uint32_t>>::call,
    .handle_to_sint64 = ContextSlot<"handle_to_sint64", &Context::handleTo<std::int64_t>>::call,
    .handle_to_uint64 = ContextSlot<"handle_to_uint64", &Context::handleTo<std::uint64_t>>::call,
    .handle_to_float = ContextSlot<"handle_to_float", &Context::handleToFloat>::call,
    .handle_to_double = ContextSlot<"handle_to_double", &Context::handleToDouble>::call,
    .handle_to_ptr = ContextSlot<"handle_to_ptr", &Context::handleToPointer>::call,
    .handle_to_fp = ContextSlot<"handle_to_fp", &Context::handleToFunctionPointer>::call,
    .handle_from_const = ContextSlot<"handle_from_const", &Context::handleFromConstant>::call,
    .handle_from_global = ContextSlot<"handle_from_global", &Context::handleFromGlobal>::call,
    .handle_from_func = ContextSlot<"handle_from_func", &Context::handleFromFunction>::call,
    .handle_from_expose = ContextSlot<"handle_from_expose", &Context::handleFromExposed>::call,
    .delete_value = ContextSlot<"delete_value", &Context::deleteValue>::call,
    .ref_eq = ContextSlot<"ref_eq", &Context::refEq>::call,
    .ref_ult = ContextSlot<"ref_ult", &Context::refUlt>::call,
    .extract_value = ContextSlot<"extract_value", &Context::extractValue>::call,
    .insert_value = ContextSlot<"insert_value", &Context::insertValue>::call,
    .extract_element = ContextSlot<"extract_element", &Context::extractElement>::call,
    .insert_element = ContextSlot<"insert_element", &Context::insertElement>::call,
    .new_fixed = ContextSlot<"new_fixed", &Context::newFixed>::call,
    .new_hybrid = ContextSlot<"new_hybrid", &Context::newHybrid>::call,
    .refcast = ContextSlot<"refcast", &Context::refcast>::call,
    .get_iref = ContextSlot<"get_iref", &Context::getIref>::call,
    .get_field_iref = ContextSlot<"get_field_iref", &Context::getFieldIref>::call,
    .get_elem_iref = ContextSlot<"get_elem_iref", &Context::getElemIref>::call,
    .shift_iref = ContextSlot<"shift_iref", &Context::shiftIref>::call,
    .get_var_part_iref = ContextSlot<"get_var_part_iref", &Context::getVarPartIref>::call,
    .load = ContextSlot<"load", &Context::load>::call,
    .store = ContextSlot<"store", &Context::store>::call,
    .cmpxchg = ContextSlot<"cmpxchg", &Context::cmpxchg>::call,
    .atomicrmw = ContextSlot<"atomicrmw", &Context::atomicRmw>::call,
    .fence = ContextSlot<"fence", &Context::fence>::call,
    .new_stack = ContextSlot<"new_stack", &Context::newStack>::call,
    .new_thread_nor = ContextSlot<"new_thread_nor", &Context::newThreadWithValues>::call,
    .new_thread_exc = ContextSlot<"new_thread_exc", &Context::newThreadWithException>::call,
    .kill_stack = ContextSlot<"kill_stack", &Context::killStack>::call,
    .set_threadlocal = ContextSlot<"set_threadlocal", &Context::setThreadLocal>::call,
    .get_threadlocal = ContextSlot<"get_threadlocal", &Context::getThreadLocal>::call,
    .new_cursor = ContextSlot<"new_cursor", &Context::newCursor>::call,
    .next_frame = ContextSlot<"next_frame", &Context::nextFrame>::call,
    .copy_cursor = ContextSlot<"copy_cursor", &Context::copyCursor>::call,
    .close_cursor = ContextSlot<"close_cursor", &Context::closeCursor>::call,
    .cur_func = ContextSlot<"cur_func", &Context::currentFunction>::call,
    .cur_func_ver = ContextSlot<"cur_func_ver", &Context::currentVersion>::call,
    .cur_inst = ContextSlot<"cur_inst", &Context::currentInstruction>::call,
    .dump_keepalives = ContextSlot<"dump_keepalives", &Context::dumpKeepalives>::call,
    .pop_frames_to = ContextSlot<"pop_frames_to", &Context::popFramesTo>::call,
    .push_frame = ContextSlot<"push_frame", &Context::pushFrame>::call,
    .tr64_is_fp = ContextSlot<"tr64_is_fp", &Context::tagrefIsFloat>::call,
    .tr64_is_int = ContextSlot<"tr64_is_int", &Context::tagrefIsInt>::call,
    .tr64_is_ref = ContextSlot<"tr64_is_ref", &Context::tagrefIsRef>::call,
    .tr64_to_fp = ContextSlot<"tr64_to_fp", &Context::tagrefToFloat>::call,
    .tr64_to_int = ContextSlot<"tr64_to_int", &Context::tagrefToInt>::call,
    .tr64_to_ref = ContextSlot<"tr64_to_ref", &Context::tagrefToRef>::call,
    .tr64_to_tag = ContextSlot<"tr64_to_tag", &Context::tagrefToTag>::call,
    .tr64_from_fp = ContextSlot<"tr64_from_fp", &Context::tagrefFromFloat>::call,
    .tr64_from_int = ContextSlot<"tr64_from_int", &Context::tagrefFromInt>::call,
    .tr64_from_ref = ContextSlot<"tr64_from_ref", &Context::tagrefFromRef>::call,
    .enable_watchpoint = ContextSlot<"enable_watchpoint", &Context::enableWatchpoint>::call,
    .disable_watchpoint = ContextSlot<"disable_watchpoint", &Context::disableWatchpoint>::call,
    .pin = ContextSlot<"pin", &Context::pin>::call,
    .unpin = ContextSlot<"unpin", &Context::unpin>::call,
    .get_addr = ContextSlot<"get_addr", &Context::getAddress>::call,
    .expose = ContextSlot<"expose", &Context::expose>::call,
    .unexpose = ContextSlot<"unexpose", &Context::unexpose>::call,
    .new_ir_builder = ContextSlot<"new_ir_builder", &Context::newIrBuilder>::call,
    .make_boot_image = ContextSlot<"make_boot_image", &Context::makeBootImage>::call,
    .add_ptr_reloc = ContextSlot<"add_ptr_reloc", &Context::addPointerRelocation>::call,
    .new_host_function = ContextSlot<"new_host_function", &Context::newHostFunction>::call,
    .dispose_host_function = Context::disposeHostFunction,
    .pin_host_function = ContextSlot<"pin_host_function", &Context::pinHostFunction>::call,
    .unpin_host_function = ContextSlot<"unpin_host_function", &Context::unpinHostFunction>::call,
    .bind_symbol = ContextSlot<"bind_symbol", &Context::bindSymbol>::call,
    .get_caller = Context::getCaller,
    .throw_exception = Context::throwException,
    .weak_ref = ContextSlot<"weak_ref", &Context::weakRef>::call,
    .strong_ref = ContextSlot<"strong_ref", &Context::strongRef>::call,
    .load_collectible = ContextSlot<"load_collectible", &Context::loadCollectible>::call,
    .make_collectible = ContextSlot<"make_collectible", &Context::makeCollectible>::call,
    .unload = ContextSlot<"unload", &Context::unload>::call,
    .why = ContextSlot<"why", &Context::why>::call,
    .why_host_function = ContextSlot<"why_host_function", &Context::whyHostFunction>::call,
    .why_json = ContextSlot<"why_json", &Context::whyJson>::call,
};

const MuIRBuilder kBuilderTable = {
    .header = nullptr,
    .load = BuilderEndSlot<"load", &IrBuilder::load>::call,
    .abort = BuilderEndSlot<"abort", &IrBuilder::abort>::call,
#define GAUR_BUILDER_CALL(slot, method) .slot = BuilderSlot<#slot, &MuIRBuilder::slot, &ir::BuilderSession::method>::call,
#include "vm/ir/builder_calls.def"
};

}  // namespace gaur::api
