#include "bootimage/hash.h"

// Inlined: one library less to load at each start.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace gaur::bootimage {

Hash hashOf(const void* data, std::size_t bytes) {
  XXH128_hash_t hash = XXH3_128bits(data, bytes);
  return {hash.low64, hash.high64};
}

}  // namespace gaur::bootimage
