/* The avx512 variant; empty on other machines. */
#include "kernel/variant.h"

#if defined(__x86_64__)
#define NAME "avx512"
#define TABLE kernel_table_avx512
#include "kernel/body_first.h"
#endif
