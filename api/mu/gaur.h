/* Gaur's own entry points: making a machine with options, and what this build is. The machine itself is used
 * through muapi.h. */
#ifndef MU_GAUR_H
#define MU_GAUR_H

#include <stddef.h>

#include "muapi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many levels of additions, marked in muapi.h, this header knows; gaur_api_level tells what the library
 * has. */
#define GAUR_API_LEVEL 2

/* A new machine. `options`: words separated by blanks or line ends, each an option as `gaur run --help` lists
 * them, with or without dashes, such as "opt=0 --heap=256M"; NULL: none. The environment (GAUR_*) is read
 * first. NULL where an option is wrong or memory is exhausted: gaur_new_error tells. The client closes the
 * machine with its `close`. Thread-safe. */
MuVM* gaur_new(const char* options);

/* A symbol that the embedding program gives, for EXTERN constants and relocated fields of an image. */
typedef struct GaurSymbol {
  const char* name;
  void* address;
} GaurSymbol;

/* A machine that begins where a boot image was left. `options` as of gaur_new. The symbols come before those
 * of the process and its libraries. NULL where the image is damaged or foreign, or symbols that it wants are
 * missing: gaur_new_error tells all of them; also where it has stacks that have begun, and the process has
 * given its types other numbers before: such an image is loaded first. Thread-safe. */
MuVM* gaur_load_image(const char* path, const char* options, const GaurSymbol* symbols, size_t symbol_count);

/* Calls the primordial function of the image that the machine was loaded from, with argc and argv where it
 * takes them, and waits for it. Its result, if it has one, is the exit status; a failure is reported to
 * standard error and gives 6. -1, and an error (get_error), where there is no such function. */
int gaur_run_image(MuVM* mvm, int argc, char** argv);

/* An image that is linked with the program, or part of a shared object (`gaur build -o x.o`, x.so). It begins
 * by itself, with the options of the environment, when one of the functions that it offers to C is first
 * called; then its machine stays. A start that fails there ends the process with status 4. */
typedef struct GaurLinkedImage GaurLinkedImage;

/* That of the object that the program is linked with; a shared object's is found by dlsym. It is an object's
 * own function, so a program can be linked with one only. */
GaurLinkedImage* gaur_linked_image(void);

/* The machine of a linked image, which begins now unless it has begun; options and symbols, as of
 * gaur_load_image, count only then. NULL where it cannot begin: gaur_new_error tells. After the client has
 * closed the machine, the next call begins another one. Thread-safe. */
MuVM* gaur_start_image(GaurLinkedImage* image, const char* options, const GaurSymbol* symbols,
                       size_t symbol_count);

/* What `main` of an object with a primordial function does: begins the image and runs it as gaur_run_image
 * does. A program with a main of its own calls it, or not. 4, and a report to standard error, where it cannot
 * begin. */
int gaur_image_main(int argc, char** argv, GaurLinkedImage* image);

/* The machine whose code the calling thread runs, or that it is attached to; NULL: none. For native code that
 * Mu code called and that was given no machine: gaur_current_vm()->current_context is its context. */
MuVM* gaur_current_vm(void);

/* Why the last gaur_new, gaur_load_image, gaur_start_image or mu_fastimpl_new* of this thread returned NULL.
 * Good until its next one. Never NULL. */
const char* gaur_new_error(void);

/* "0.1.0". */
const char* gaur_version(void);

/* Levels of additions that the structures of this library have. */
int gaur_api_level(void);

/* 1 where this library has the feature, else 0: "threads", "ir-builder", "hail", "boot-image", "sharedlib",
 * "host-functions", "collectible-bundles". Unknown ones are 0. */
int gaur_has_feature(const char* name);

#ifdef __cplusplus
}
#endif

#endif /* MU_GAUR_H */
