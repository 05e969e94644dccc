/* The AVX2 and FMA variant; empty on other machine types. */
#include "kernel/variant.h"

#if defined(__x86_64__)
#define SIMD_BYTES 32
#define NAME "avx2"
#define TABLE kernel_table_avx2
#include "kernel/body.h"
#endif
