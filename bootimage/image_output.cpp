#include "bootimage/image_output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bootimage/image_object.h"
#include "bootimage/system_linker.h"

namespace gaur::bootimage {

namespace {

/// Goes with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "gaur-link.XXXXXX").string()) {
    if (!mkdtemp(path_.data())) path_.clear();
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// Empty where there is none.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The image as an object file; `contents` and `interface` are complete.
Result<void> writeObject(const std::string& path, ObjectRequest request, const ImageContents::File& image,
                         const LinkInterface& interface) {
  if (image.bytes > kMostPayload)
    return makeError(ErrorId::ImageTooBig, {path, std::to_string(kMostPayload >> 20)});
  ElfObject object(request.machine, request.name);
  addImage(object, request, image, interface);
  return writeAtomically(path, object.finish());
}

}  // namespace

std::optional<ImageFormat> formatNamed(std::string_view name) {
  if (name == "img") return ImageFormat::Image;
  if (name == "o") return ImageFormat::Object;
  if (name == "so") return ImageFormat::SharedObject;
  if (name == "exe") return ImageFormat::Program;
  return std::nullopt;
}

ImageFormat formatOfFile(std::string_view path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  if (suffix == ".o") return ImageFormat::Object;
  if (suffix == ".so" || suffix == ".dylib") return ImageFormat::SharedObject;
  return suffix.empty() ? ImageFormat::Program : ImageFormat::Image;
}

Result<BuildReport> buildOutput(runtime::MicroVm& vm, const BuildRequest& request, const Output& output) {
  if (output.format == ImageFormat::Image) return buildImage(vm, request, output.path);
  const bool isProgram = output.format == ImageFormat::Program;
  std::optional<SystemLinker> linker;
  if (output.format != ImageFormat::Object) {
    GAUR_TRY_ASSIGN(linker, SystemLinker::find(!output.sources.empty()));
  }
  ImageContents contents;
  LinkInterface interface;
  GAUR_TRY_ASSIGN(BuildReport report, collectImage(vm, request, contents, &interface));
  // Sources may have a main of their own.
  if (isProgram && !interface.hasMain && output.sources.empty())
    return makeError(ErrorId::ImageNoMain, {output.path});
  const ImageContents::File image = contents.finish();
  report.imageBytes = image.bytes;

  const std::string name = std::filesystem::path(output.path).filename().string();
  ObjectRequest object;
  object.name = name;
  object.hasMain = interface.hasMain && output.format != ImageFormat::SharedObject;
  object.hasStart = isProgram && linker->isBare();
  // In a program, what has the name of a function of libc would else be called by libraries in its place.
  object.hidesOffered = output.format != ImageFormat::SharedObject;
  if (!linker) {
    GAUR_TRY(writeObject(output.path, object, image, interface));
    return report;
  }
  TemporaryFolder folder;
  if (folder.path().empty())
    return makeError(ErrorId::ImageNotWritten, {"a temporary folder", std::strerror(errno)});
  SystemLinker::Request link{folder.path() + "/image.o", output.sources, vm.nativeSymbols().libraries(),
                             output.path, isProgram};
  GAUR_TRY(writeObject(link.object, object, image, interface));
  GAUR_TRY(linker->link(link));
  return report;
}

}  // namespace gaur::bootimage
