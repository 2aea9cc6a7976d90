/* Linked with an object of image.uir: a program of its own that calls functions of the image. With
 * FORMS_TAKEN=1 the places that the image prefers are taken. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int64_t value(void);
int64_t twice(void);
void* field(void);

int host_symbol = 1234;

int main(int argc, char** argv) {
  const char* taken = getenv("FORMS_TAKEN");
  if (taken && *taken == '1') {
    mmap((void*)0x200000000000, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    mmap((void*)0x210000000000, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  }
  (void)argc;
  (void)argv;
  printf("%lld %lld %d\n", (long long)value(), (long long)twice(), field() ? *(int*)field() : -1);
  return 0;
}
