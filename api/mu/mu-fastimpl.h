/* Entry points that clients of the 2017 interface use to make a machine. gaur.h has more. */
#ifndef MU_FASTIMPL_H
#define MU_FASTIMPL_H

#include "muapi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A machine with default options. */
MuVM* mu_fastimpl_new(void);

/* A machine with options: words as gaur_new takes them, after the word "init_mu". Words that Gaur does not
 * know are ignored; "extraLibs=a:b" names libraries for EXTERN symbols. NULL only where memory is exhausted
 * or a value is wrong; gaur_new_error tells. */
MuVM* mu_fastimpl_new_with_opts(const char* opts);

/* What this library is, in one line. */
const char* mu_get_version(void);

#ifdef __cplusplus
}
#endif

#endif /* MU_FASTIMPL_H */
