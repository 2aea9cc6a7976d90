// A process begins where an image was left: its parts go to their places, what depends on the place or the
// process is mended, and a VM takes them over. Code runs as it was linked; the compiler is not even loaded.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bootimage/image_file.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::bootimage {

struct LoadOptions {
  /// Symbols that the embedding program gives; they come before all others.
  std::vector<std::pair<std::string, void*>> symbols;
  /// Map heap and slab anywhere, as where the preferred places are taken.
  bool elsewhere = false;
  /// Where the global cells with names lie in the object that the image is part of; empty: nowhere else.
  std::span<std::byte> namedCells = {};
};

/// What an image begins with (start.h).
struct Primordial {
  /// To be called; null: none.
  const ir::Function* function = nullptr;
  /// In its place, READY; null: none.
  abi::StackObject* stack = nullptr;
  void* threadLocal = nullptr;
};

struct LoadedImage {
  std::unique_ptr<runtime::MicroVm> vm;
  Primordial primordial;
};

/// A VM with the contents of the image. Errors: damaged in a way that its checksums do not show; symbols that
/// nobody has, all of them at once.
Result<LoadedImage> loadImage(ImageFile image, const Options& options, const LoadOptions& loading = {});

}  // namespace gaur::bootimage
