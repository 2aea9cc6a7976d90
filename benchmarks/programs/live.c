// live N: a table of N / 5 objects of 32 bytes, all alive, of which random ones are replaced N times.
#include "checksum.h"

typedef struct Object {
  int64_t key;
  int64_t generation;
  struct Object *first, *second;
} Object;

static Object* make(int64_t key, int64_t generation) {
  Object* object = malloc(sizeof(Object));
  object->key = key;
  object->generation = generation;
  object->first = NULL;
  object->second = NULL;
  return object;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t slots = n / 5;
  Object** table = malloc((size_t)slots * sizeof(Object*));
  for (int64_t i = 0; i < slots; ++i) table[i] = make(i, 0);
  uint64_t random = 42, checksum = 0;
  for (int64_t i = 0; i < n; ++i) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    int64_t slot = (int64_t)((random >> 33) % (uint64_t)slots);
    Object* old = table[slot];
    checksum = checksum * 31 + (uint64_t)(old->key + old->generation);
    Object* fresh = make(slot, i);
    free(old);
    table[slot] = fresh;
  }
  for (int64_t i = 0; i < slots; ++i) checksum = checksum + (uint64_t)table[i]->generation;
  printInteger((int64_t)checksum);
  return 0;
}
