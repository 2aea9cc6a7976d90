/* Runs an image that is part of a shared object: forms_host LIBRARY ARGS as a program of its own would be, or
 * with FORMS_CALL=NAME a function that it offers. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <mu/gaur.h>

int host_symbol = 1234;

int main(int argc, char** argv) {
  const char* call = getenv("FORMS_CALL");
  void* library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  GaurLinkedImage* (*image)(void);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 100;
  }
  if (call) {
    int64_t (*function)(void) = (int64_t(*)(void))(uintptr_t)dlsym(library, call);
    if (!function) return 101;
    printf("%lld\n", (long long)function());
    return 0;
  }
  image = (GaurLinkedImage * (*)(void))(uintptr_t)dlsym(library, "gaur_linked_image");
  return gaur_image_main(argc - 1, argv + 1, image());
}
