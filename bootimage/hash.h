// Checksums of images: XXH3 with 128 bits, at the speed of memory.
#pragma once

#include <cstddef>

#include "bootimage/format.h"

namespace gaur::bootimage {

Hash hashOf(const void* data, std::size_t bytes);

}  // namespace gaur::bootimage
