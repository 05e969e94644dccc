/* Private to lib/kernel: what one instruction-set variant provides.
 *
 * The bodies (body_*.h) are written once over the vector type of simd.h and compiled once for each
 * variant, by variant_<name>.c; each of those files defines one const table. */
#ifndef KERNEL_VARIANT_H
#define KERNEL_VARIANT_H
#include "kernel/kernel.h"

extern const struct kernel_table kernel_table_portable;
#if defined(__x86_64__)
extern const struct kernel_table kernel_table_avx2;
extern const struct kernel_table kernel_table_avx512;
#elif defined(__aarch64__)
extern const struct kernel_table kernel_table_neon;
#endif

/* Which library multiplies small matrices: the environment variable URPE_PRODUCTS says blas or
 * libxsmm, else libxsmm where the program was built with it.  *name is written when it is that one.
 * URPE_CACHE: see gemm.c.  ERR_USAGE. */
int products_open(char *name, size_t size, struct err *e);

/* The widest vector of any variant, in elements: scratch is padded for it, so that its size does
 * not depend on the variant. */
#define LANES_MAX (64 / (int)sizeof(real))
/* Vectors of query rows that one block of the fused attention holds. */
#define BLOCK_VECTORS 2

#endif
