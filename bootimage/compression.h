// Compressed images: a header, and the file as it would be without, in one zstd frame. A start has to unpack
// all of it, so they are for files that travel.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "bootimage/image_writer.h"
#include "vm/support/result.h"

namespace gaur::bootimage {

bool isCompressed(std::span<const std::byte> file);

/// `name`: for errors, as below. Fails where Gaur was built without libzstd.
Result<std::vector<std::byte>> compress(std::span<const ImageContents::Piece> pieces,
                                        const std::string& name);
/// A descriptor of memory with the image, which is the caller's to close.
Result<int> decompress(std::span<const std::byte> file, const std::string& name);

}  // namespace gaur::bootimage
