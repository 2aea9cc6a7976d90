// What all makers of machines share: options from text, symbols from C, and the reason of a failure.
#pragma once

#include <span>
#include <string_view>

#include "api/machine.h"
#include "api/mu/gaur.h"
#include "bootimage/image_loader.h"
#include "vm/support/options.h"

namespace gaur::api {

/// What the environment says, then the words of the text.
Result<Options> readStrictOptions(std::string_view text);
/// Those that the embedding program gives.
Result<void> addSymbols(bootimage::LoadOptions& loading, std::span<const GaurSymbol> symbols);

/// What gaur_new_error tells.
std::string& creationError();

/// Null, with the reason for gaur_new_error, where `make` fails.
template <class Make>
MuVM* orNull(Make make) {
  Result<MuVM*> machine = makeError(ErrorId::OutOfMemory, {"a machine"});
  try {
    machine = make();
  } catch (const std::bad_alloc&) {
  }
  if (machine) return *machine;
  creationError() = machine.error().message;
  return nullptr;
}

}  // namespace gaur::api
