// What clients of a machine make of it: images in all their forms.
#include <filesystem>

#include "api/machine.h"
#include "bootimage/image_output.h"
#include "vm/support/log.h"

namespace gaur::api {

Result<void> Machine::build(const bootimage::BuildRequest& request, const bootimage::Output& output) {
  GAUR_TRY_ASSIGN(bootimage::BuildReport report, bootimage::buildOutput(*vm_, request, output));
  for (const std::string& warning : report.warnings) GAUR_LOG(Image, Warn, "{}", warning);
  return {};
}

Result<void> Machine::compileToSharedObject(MuCString name, MuCString* sources, MuArraySize count) {
  if (!name) return makeError(ErrorId::ApiNull, {"lib_name"});
  if (count != 0 && !sources) return makeError(ErrorId::ApiNull, {"extra_srcs"});
  bootimage::Output output;
  output.format = bootimage::ImageFormat::SharedObject;
  for (MuArraySize i = 0; i < count; ++i) {
    if (!sources[i]) return makeError(ErrorId::ApiNull, {"element of extra_srcs"});
    output.sources.emplace_back(sources[i]);
  }
  const std::string& folder = vm_->options().emitDir;
  output.path = (std::filesystem::path(folder) / name).string();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return makeError(ErrorId::ImageNotWritten, {folder, error.message()});
  bootimage::BuildRequest request;
  request.whitelist = bootimage::everythingIn(vm_->program());
  request.level = static_cast<jit::OptLevel>(vm_->options().optLevel);
  return build(request, output);
}

}  // namespace gaur::api
