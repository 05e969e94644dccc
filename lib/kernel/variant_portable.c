/* The portable variant: 16-byte vectors, which every supported machine has (SSE2, NEON). */
#include "kernel/variant.h"

#define SIMD_BYTES 16
#define NAME "portable"
#define TABLE kernel_table_portable
#include "kernel/body.h"
