/* The avx2 variant; empty on other machines. */
#include "kernel/variant.h"

#if defined(__x86_64__)
#define NAME "avx2"
#define TABLE kernel_table_avx2
#include "kernel/body_first.h"
#endif
