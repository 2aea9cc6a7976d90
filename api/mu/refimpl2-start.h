/* Entry points of the other flavour of 2017, whose clients open libmurefimpl2start.so. Contexts and builders
 * are those of muapi.h; a machine is not: it has other members behind the fourth. */
#ifndef MU_REFIMPL2_START_H
#define MU_REFIMPL2_START_H

#include "muapi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions below make; they call it MuVM, as their clients do. The first four members are those of
 * MuVM. */
typedef struct MuRefImpl2VM MuRefImpl2VM;
struct MuRefImpl2VM {
  void* header;
  MuCtx* (*new_context)(MuRefImpl2VM* mvm);
  MuID (*id_of)(MuRefImpl2VM* mvm, MuName name);
  MuName (*name_of)(MuRefImpl2VM* mvm, MuID id);
  void (*set_trap_handler)(MuRefImpl2VM* mvm, MuTrapHandler trap_handler, MuCPtr userdata);
  /* Waits until no Mu thread is left. */
  void (*execute)(MuRefImpl2VM* mvm);
  /* A word that becomes 1 with each error; clients look at it after each call, and set it to 0 again. */
  int* (*get_mu_error_ptr)(MuRefImpl2VM* mvm);
};

/* A machine with default options; NULL where memory is exhausted. */
MuVM* mu_refimpl2_new(void);

/* A machine with options, one `key=value` a line: those of gaur_new, and extraLibs. Others are ignored, with
 * a line in the log. */
MuVM* mu_refimpl2_new_ex(const char* conf);

/* Waits for all Mu threads and gives the machine up. */
void mu_refimpl2_close(MuVM* mvm);

#ifdef __cplusplus
}
#endif

#endif /* MU_REFIMPL2_START_H */
