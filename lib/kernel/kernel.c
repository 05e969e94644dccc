/* The choice of instruction set.
 *
 * Invariant: `chosen` is written by kernel_open and kernel_force only, before any thread uses a
 * kernel, and always points at a table that this machine can execute.  It starts as the portable
 * one.  The float and the double set choose separately. */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel/variant.h"

static struct {
    const struct kernel_table *table;
    char blas[96];
    pid_t pid; /* that has reserved buffers of the BLAS library for so many threads */
    int room;
} chosen = {.table = &kernel_table_portable, .blas = "CBLAS"};

/* OpenBLAS's own functions, absent from other CBLAS libraries. */
extern void openblas_set_num_threads(int count) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));

/* ---- choice -----------------------------------------------------------------------------------*/
#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

/* Best first. */
static const struct {
    const struct kernel_table *table;
    bool (*supported)(void); /* NULL: everywhere */
} variants[] = {
#if defined(__x86_64__)
    {&kernel_table_avx512, has_avx512},
    {&kernel_table_avx2, has_avx2},
#elif defined(__aarch64__)
    {&kernel_table_neon, NULL},
#endif
    {&kernel_table_portable, NULL},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static bool supported(int k)
{
    return !variants[k].supported || variants[k].supported();
}

int kernel_force(const char *name, struct err *e)
{
    for (int k = 0; k < VARIANTS; k++)
        if (strcmp(variants[k].table->name, name) == 0) {
            if (!supported(k))
                return err_set(e, ERR_USAGE, "URPE_KERNEL", "this machine cannot execute %s", name);
            chosen.table = variants[k].table;
            return 0;
        }
    char names[64] = "";
    for (int k = VARIANTS - 1; k >= 0; k--)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                 variants[k].table->name, k > 1 ? ", " : k ? " or " : "");
    return err_set(e, ERR_USAGE, "URPE_KERNEL", "unknown kernel '%s'; expected %s", name, names);
}

/* What OPENBLAS_CORETYPE has forced must be what this machine can execute. */
static int check_core(struct err *e)
{
#if defined(__x86_64__)
    static const struct {
        const char *name;
        bool (*supported)(void);
    } cores[] = {{"SkylakeX", has_avx512}, {"Cooperlake", has_avx512}, {"SapphireRapids", has_avx512},
                 {"Haswell", has_avx2},    {"Zen", has_avx2}};
    for (size_t k = 0; openblas_get_corename && k < sizeof cores / sizeof *cores; k++)
        if (strcmp(openblas_get_corename(), cores[k].name) == 0 && !cores[k].supported())
            return err_set(e, ERR_USAGE, "OPENBLAS_CORETYPE",
                           "the BLAS library was told to be %s, which this machine cannot execute",
                           cores[k].name);
#else
#endif
    return 0;
}

static void one_thread(void)
{
    if (openblas_set_num_threads && openblas_get_num_threads && openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

bool kernel_settle_blas(void)
{
    struct rlimit limit;
    const char *threads = getenv("OPENBLAS_NUM_THREADS"), *core = NULL;
#if defined(__x86_64__)
    if (openblas_get_corename && !getenv("OPENBLAS_CORETYPE") &&
        strcmp(openblas_get_corename(), "Prescott") == 0)
        core = has_avx512() ? "SkylakeX" : has_avx2() ? "Haswell" : NULL;
#endif
    bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    bool idle = openblas_get_num_threads && openblas_get_num_threads() != 1 && (limited || core) &&
                !(threads && strcmp(threads, "1") == 0); /* it has read that, and would again */
    one_thread();
    bool set = idle && setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0;
    return (core && setenv("OPENBLAS_CORETYPE", core, 1) == 0) || set;
}

/* "OpenBLAS 0.3.21 SkylakeX + libxsmm skx", the first from its configuration line and core name. */
static void name_blas(const char *small)
{
    char product[32] = "", version[32] = "";
    if (openblas_get_config && openblas_get_corename &&
        sscanf(openblas_get_config(), "%31s %31s", product, version) == 2)
        snprintf(chosen.blas, sizeof chosen.blas, "%s %s %s", product, version,
                 openblas_get_corename());
    if (small[0])
        snprintf(chosen.blas + strlen(chosen.blas), sizeof chosen.blas - strlen(chosen.blas), " + %s",
                 small);
}

int kernel_open(struct err *e)
{
    const char *name = getenv("URPE_KERNEL");
    char small[32] = "";
    one_thread();
    int code = check_core(e);
    if (!code)
        code = products_open(small, sizeof small, e);
    if (code)
        return code;
    name_blas(small);
    if (name && name[0])
        return kernel_force(name, e);
    for (int k = VARIANTS - 1; k >= 0; k--)
        if (supported(k))
            chosen.table = variants[k].table;
    return 0;
}

/* ---- room for the BLAS library ----------------------------------------------------------------*/
/* Each thread that multiplies gets a buffer of this size (OpenBLAS 0.3 on x86-64 and arm64), for
 * which the library asks again for ever where there is no room. */
enum { BUFFER_MIB = 128, MIB = 1 << 20 };

int kernel_room(int threads, struct err *e)
{
    size_t size = (size_t)threads * BUFFER_MIB * MIB;
    struct rlimit limit;
    if (!openblas_get_config || getrlimit(RLIMIT_AS, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY || (chosen.pid == getpid() && threads <= chosen.room))
        return 0;
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block != MAP_FAILED)
        return munmap(block, size);
    return err_set(e, ERR_MEMORY, "", "the BLAS library needs %d MiB of address space for each of %d "
                   "thread%s, and the limit of %llu MiB (ulimit -v) leaves less", BUFFER_MIB, threads,
                   threads == 1 ? "" : "s", (unsigned long long)limit.rlim_cur / MIB);
}

int kernel_reserve(int threads, struct err *e)
{
    enum { N = 128 };
    static const real one[N * N];
    real out[N * N];
    int code = kernel_room(threads, e);
    if (code || (chosen.pid == getpid() && threads <= chosen.room))
        return code;
    gemm(false, false, N, N, N, 1, one, N, one, N, 0, out, N); /* takes the first buffer now */
    chosen.pid = getpid();
    chosen.room = threads;
    return 0;
}

const struct kernel_table *kernel(void)
{
    return chosen.table;
}

const char *kernel_name(void)
{
    return chosen.table->name;
}

const char *kernel_blas_name(void)
{
    return chosen.blas;
}

/* ---- attention --------------------------------------------------------------------------------*/
static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

/* What attention_layout in body_attention_block.h carves, padded for the widest vector, since the
 * size must not depend on the variant. */
size_t attention_scratch(const struct attention_shape *shape)
{
    size_t lanes = LANES_MAX, block = BLOCK_VECTORS * lanes;
    size_t n = (size_t)shape->n, width = round_up((size_t)shape->head_width, lanes);
    size_t tiles = (shape->relation ? 3 : 2) * n * block, rows = 4 * n * width;
    size_t queries = 4 * block * width + 2 * block;
    size_t table = round_up(block + 2 * n + lanes, lanes);
    size_t sums = shape->relation ? 0 : 2 * table * lanes;
    return tiles + rows + queries + 3 * table + sums;
}

int attention_block_rows(int n)
{
    enum { ELEMENTS = 32768, LEAST = 8 }; /* 128 KiB of float, 256 KiB of double */
    int rows = ELEMENTS / (n > 0 ? n : 1);
    rows = rows < LEAST ? LEAST : rows;
    return rows > n ? n : rows;
}
