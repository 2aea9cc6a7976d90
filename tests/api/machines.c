/* Many machines made and closed in one process, each with code, a host function and garbage: what one leaves
 * behind, the next ones use. Argument: how many. */
#include "host.h"

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : getenv("GAUR_GC_STRESS") ? 20 : 300;
  int64_t warm = 0, grown;
  int i;
  for (i = 0; i < count; ++i) {
    start(NULL);
    if (i % 10 == 0) {
      load(hostBundle);
      bind("host_named", make(i));
      CHECK(((Number*)native("c_caught"))(1) == i + 1);
    }
    finish();
    if (i == count / 2) warm = resident();
  }
  grown = resident() - warm;
  printf("%d machines, %lld bytes grown in the second half\n", count, (long long)grown);
  CHECK(finalised == (count + 9) / 10);
  CHECK(grown < 4 << 20);
  return 0;
}
