// livestacks N: touches N pages of memory, says ready and sleeps for ever, so that the process can be looked
// at.
#include <sys/mman.h>
#include <unistd.h>

#include "checksum.h"

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t pageBytes = sysconf(_SC_PAGESIZE);
  volatile char* pages =
      mmap(NULL, (size_t)((n + 1) * pageBytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return 1;
  for (int64_t i = 0; i < n; ++i) pages[i * pageBytes] = 1;
  puts("ready");
  fflush(stdout);
  pause();
  return 0;
}
