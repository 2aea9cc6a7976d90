// The forms in which an image is written: a file of its own, or a part of an object file, a shared object or
// a program, which the system's linker makes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/image_builder.h"

namespace gaur::bootimage {

enum class ImageFormat : std::uint8_t { Image, Object, SharedObject, Program };

/// By its name, "img", "o", "so" or "exe"; nothing where it is none.
std::optional<ImageFormat> formatNamed(std::string_view name);
/// What a file of this name usually is: .o an object, .so (or .dylib) a shared object, without a suffix a
/// program, else an image.
ImageFormat formatOfFile(std::string_view path);

struct Output {
  std::string path;
  ImageFormat format = ImageFormat::Image;
  /// C sources and objects that become part of a shared object or a program.
  std::vector<std::string> sources = {};
};

/// collectImage, written in one of the forms, all or nothing. Errors also: a program without a beginning, no
/// linker, what the linker says.
Result<BuildReport> buildOutput(runtime::MicroVm& vm, const BuildRequest& request, const Output& output);

}  // namespace gaur::bootimage
