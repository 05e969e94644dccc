/* What the files of probe share; private to probe*.c. */
#ifndef THEORY_PROBE_INPUTS_H
#define THEORY_PROBE_INPUTS_H
#include "theory/probe.h"

/* A zeroed array in p's arena; NULL with p->code set on failure. */
void *probe_array(struct probe *p, size_t count, size_t size);
bool probe_close_to(double a, double b);

#endif
