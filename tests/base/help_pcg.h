/* Checks that hold for PCG64 however its products are computed; test_random.c runs them on the
 * library, test_random_portable.c on a copy without 128-bit integers. */
#ifndef HELP_PCG_H
#define HELP_PCG_H

void help_pcg_published(void **state); /* the known answers of the reference implementation */
void help_pcg_fixture(void **state);   /* 1000 numbers of tests/base/pcg64.txt */
void help_pcg_jump(void **state);      /* a jump equals as many steps */

#endif
