// Boot images as contexts make them: what the arguments of make_boot_image mean.
#include "api/context.h"
#include "bootimage/image_output.h"
#include "vm/support/log.h"

namespace gaur::api {

using ir::TypeKind;

Result<runtime::PointerRelocation> Context::pointerRelocation(MuValue field, MuCString symbol) const {
  GAUR_TRY_ASSIGN(Location place, location(field));
  if (!place.type->is(TypeKind::Uptr) && !place.type->is(TypeKind::Ufuncptr))
    return makeError(ErrorId::ApiAccessType, {ir::toString(place.type), "address that a symbol could give"});
  if (!symbol) return makeError(ErrorId::ApiNull, {"symbol"});
  return runtime::relocationTo(reinterpret_cast<std::uintptr_t>(place.address), symbol);
}

Result<void> Context::addPointerRelocation(MuValue field, MuCString symbol) {
  GAUR_TRY_ASSIGN(runtime::PointerRelocation relocation, pointerRelocation(field, symbol));
  return machine_.vm().relocatePointer(std::move(relocation));
}

/// As the option says, else as the name does; but a program only where it has a beginning.
Result<bootimage::ImageFormat> Context::formatOf(const bootimage::BuildRequest& request,
                                                 std::string_view output) const {
  using bootimage::ImageFormat;
  const std::string& option = machine_.vm().options().imageFormat;
  if (!option.empty()) {
    auto format = bootimage::formatNamed(option);
    if (!format) return makeError(ErrorId::OptionValue, {"image-format", option, "img, o, so or exe"});
    return *format;
  }
  const ImageFormat format = bootimage::formatOfFile(output);
  const auto* function = machine_.program().entityOf<ir::Function>(request.primordialFunction);
  const bool canBegin =
      request.primordialStack || (function && bootimage::isMainSignature(function->signature->signature));
  return format == ImageFormat::Program && !canBegin ? ImageFormat::Image : format;
}

Result<void> Context::makeBootImage(MuID* whitelist, MuArraySize whitelistSize, MuValue primordialFunction,
                                    MuValue primordialStack, MuValue primordialThreadLocal,
                                    MuValue* symbolFields, MuCString* symbolNames, MuArraySize symbolCount,
                                    MuValue* relocatedFields, MuCString* relocatedNames,
                                    MuArraySize relocatedCount, MuCString output) {
  if (!output) return makeError(ErrorId::ApiNull, {"output_file"});
  if (whitelistSize != 0 && !whitelist) return makeError(ErrorId::ApiNull, {"whitelist"});
  if (symbolCount != 0 && (!symbolFields || !symbolNames))
    return makeError(ErrorId::ApiNull, {"sym_fields or sym_strings"});
  if (relocatedCount != 0 && (!relocatedFields || !relocatedNames))
    return makeError(ErrorId::ApiNull, {"reloc_fields or reloc_strings"});
  if (primordialFunction && primordialStack)
    return makeError(ErrorId::ImageStack, {"cannot be given together with a primordial function"});

  bootimage::BuildRequest request;
  request.whitelist.assign(whitelist, whitelist + whitelistSize);
  if (primordialFunction) {
    GAUR_TRY_ASSIGN(const Handle* function,
                    operand(primordialFunction, "primordial_func", TypeKind::Funcref));
    auto* record = reinterpret_cast<const abi::FunctionRecord*>(function->word());
    if (record) request.primordialFunction = record->id;
  }
  if (primordialStack) {
    GAUR_TRY_ASSIGN(request.primordialStack, readyStack(primordialStack, "primordial_stack"));
  }
  if (primordialThreadLocal) {
    GAUR_TRY_ASSIGN(request.threadLocal, threadLocalOf(primordialThreadLocal));
  }
  for (MuArraySize i = 0; i < relocatedCount; ++i) {
    GAUR_TRY_ASSIGN(runtime::PointerRelocation relocation,
                    pointerRelocation(relocatedFields[i], relocatedNames[i]));
    request.relocations.push_back(std::move(relocation));
  }
  for (MuArraySize i = 0; i < symbolCount; ++i) {
    GAUR_TRY_ASSIGN(Location place, location(symbolFields[i]));
    if (!symbolNames[i]) return makeError(ErrorId::ApiNull, {"element of sym_strings"});
    request.symbols.push_back({reinterpret_cast<std::uintptr_t>(place.address),
                               machine_.layoutOf(place.type).size, symbolNames[i]});
  }
  request.level = static_cast<jit::OptLevel>(machine_.vm().options().optLevel);
  GAUR_TRY_ASSIGN(bootimage::ImageFormat format, formatOf(request, output));
  return machine_.build(request, {output, format});
}

}  // namespace gaur::api
