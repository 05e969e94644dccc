/* The NEON variant, which every 64-bit ARM has; empty on other machine types. */
#include "kernel/variant.h"

#if defined(__aarch64__)
#define SIMD_BYTES 16
#define SIMD_NEON
#define NAME "neon"
#define TABLE kernel_table_neon
#include "kernel/body.h"
#endif
