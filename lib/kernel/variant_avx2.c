/* The AVX2 and FMA variant; empty on other machine types. */
#include "kernel/variant.h"

#if defined(__x86_64__)
#include <string.h>

#define SIMD_BYTES 32
#define NAME "avx2"
#define TABLE kernel_table_avx2
#include "kernel/simd.h"
#include "kernel/simd_math.h"

/* In this order: each uses what stands before it. */
#include "kernel/body_elements.h"
#include "kernel/body_rows.h"
#include "kernel/body_product.h"
#include "kernel/body_attention_block.h"
#include "kernel/body_attention.h"
#include "kernel/body_table.h"
#endif
