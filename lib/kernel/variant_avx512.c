/* The AVX-512 variant; empty on other machine types. */
#include "kernel/variant.h"

#if defined(__x86_64__)
#define SIMD_BYTES 64
#define NAME "avx512"
#define TABLE kernel_table_avx512
#include "kernel/body.h"
#endif
