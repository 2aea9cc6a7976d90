// Images that are part of a program or a shared object: the machine that each begins with the first call of
// one of its functions.
#pragma once

#include "vm/abi/linked_image.h"

namespace gaur::api {

/// The machine of the image is gone: the next call begins another one.
void forgetMachine(abi::LinkedImage& image);

}  // namespace gaur::api
