/* The portable variant: 16-byte vectors, which every supported machine has (SSE2, NEON). */
#include "kernel/variant.h"

#include <string.h>

#define SIMD_BYTES 16
#define NAME "portable"
#define TABLE kernel_table_portable
#include "kernel/simd.h"
#include "kernel/simd_math.h"

/* In this order: each uses what stands before it. */
#include "kernel/body_elements.h"
#include "kernel/body_rows.h"
#include "kernel/body_product.h"
#include "kernel/body_attention_block.h"
#include "kernel/body_attention.h"
#include "kernel/body_table.h"
