// Which image files were verified in full before, so that a start need not read all of a big heap: remembered
// by file identity (device, inode, size, both times) in the user's cache folder. A file that changes has
// another identity. Without a folder, every start verifies everything.
#pragma once

#include "bootimage/format.h"

namespace gaur::bootimage {

/// The open file with this build id was verified, and has not changed since. False for a descriptor of -1.
bool wasVerified(int file, const Hash& buildId);
/// As far as the system allows; a failure costs time only.
void rememberVerified(int file, const Hash& buildId);

}  // namespace gaur::bootimage
