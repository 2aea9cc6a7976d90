#include "bootimage/object_numbers.h"

#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {

ObjectNumbers::ObjectNumbers()
    : areas_(static_cast<std::uint32_t**>(platform::reserveZeroed(kAreas * sizeof(*areas_)))) {
  GAUR_CHECK(areas_, "no address space for the numbers of objects");
}

ObjectNumbers::~ObjectNumbers() {
  for (std::size_t i = 0; i < kAreas; ++i)
    if (areas_[i]) platform::release(areas_[i], kAreaBytes);
  platform::release(areas_, kAreas * sizeof(*areas_));
}

std::uint32_t* ObjectNumbers::makeArea() {
  void* area = platform::reserveZeroed(kAreaBytes);
  GAUR_CHECK(area, "no address space for the numbers of objects");
  platform::preferHugePages(area, kAreaBytes);
  return static_cast<std::uint32_t*>(area);
}

}  // namespace gaur::bootimage
