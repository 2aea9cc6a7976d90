// A 32-bit number for each object that is copied, by its address: a table beside the heap with one entry a
// granule, of which only the parts that belong to objects come into memory. Two loads a look-up, a quarter of
// the heap's size.
#pragma once

#include <cstdint>

#include "vm/abi/object.h"

namespace gaur::bootimage {

class ObjectNumbers {
 public:
  ObjectNumbers();
  ~ObjectNumbers();
  ObjectNumbers(const ObjectNumbers&) = delete;
  ObjectNumbers& operator=(const ObjectNumbers&) = delete;

  /// Of the object that `ref` refers to; 0 until it is changed.
  std::uint32_t& operator[](std::uintptr_t ref) {
    std::uint32_t*& area = areas_[ref >> kAreaShift];
    if (!area) area = makeArea();
    return area[(ref & kAreaMask) / abi::kGranule];
  }
  std::uint32_t find(std::uintptr_t ref) const {
    if (ref >> kAddressBits != 0) return 0;
    const std::uint32_t* area = areas_[ref >> kAreaShift];
    return area ? area[(ref & kAreaMask) / abi::kGranule] : 0;
  }

 private:
  static constexpr unsigned kAddressBits = 48;
  static constexpr unsigned kAreaShift = 30;
  static constexpr std::uintptr_t kAreaMask = (std::uintptr_t{1} << kAreaShift) - 1;
  static constexpr std::size_t kAreas = std::size_t{1} << (kAddressBits - kAreaShift);
  static constexpr std::size_t kAreaBytes =
      (std::size_t{1} << kAreaShift) / abi::kGranule * sizeof(std::uint32_t);
  static std::uint32_t* makeArea();

  std::uint32_t** areas_;
};

}  // namespace gaur::bootimage
