/* What the machine offers: cores, memory, time.  Nothing here fails; what cannot be found out is
 * answered with the cautious value. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include "run/run.h"

int machine_cores(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

/* Where a control group keeps what; paths below the root. */
struct cgroup {
    const char *limit, *used, *statistics;
    const char *cache; /* the line of `statistics` with what goes when memory is asked for */
};
static const struct cgroup cgroups[] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat",
     "inactive_file"},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
     "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file"}};

static FILE *open_below(const char *root, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%s", root, name);
    return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

/* A number of bytes alone in a file, as cgroups write them; 0 when there is none ("max"). */
static unsigned long long file_number(const char *root, const char *name)
{
    unsigned long long value = 0;
    FILE *f = open_below(root, name);
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &value) != 1)
        value = 0;
    fclose(f);
    return value;
}

/* The number behind `key` on a line of its own, with or without a colon; 0 when there is none. */
static unsigned long long file_entry(const char *root, const char *name, const char *key)
{
    unsigned long long value = 0;
    char line[128];
    size_t length = strlen(key);
    FILE *f = open_below(root, name);
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, length) == 0 && strchr(" :", line[length]) &&
            sscanf(line + length, "%*[ :]%llu", &value) == 1)
            break;
    if (f)
        fclose(f);
    return value;
}

static unsigned long long system_memory(const char *root)
{
    unsigned long long kib = file_entry(root, "/proc/meminfo", "MemAvailable");
    if (kib)
        return kib * 1024;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (unsigned long long)pages * (unsigned long long)size : 0;
}

/* What a group's limit leaves, at least 1; 0: there is no limit. */
static unsigned long long group_memory(const char *root, const struct cgroup *g)
{
    unsigned long long limit = file_number(root, g->limit), used = file_number(root, g->used);
    unsigned long long cache = file_entry(root, g->statistics, g->cache);
    used = used > cache ? used - cache : 0;
    if (!limit)
        return 0;
    return limit > used ? limit - used : 1;
}

size_t machine_memory_below(const char *root)
{
    unsigned long long memory = system_memory(root);
    for (size_t k = 0; k < sizeof cgroups / sizeof *cgroups; k++) {
        unsigned long long left = group_memory(root, &cgroups[k]);
        if (left && (left < memory || !memory))
            memory = left;
    }
    return memory < SIZE_MAX ? (size_t)memory : SIZE_MAX;
}

size_t machine_memory(void)
{
    size_t memory = machine_memory_below("");
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        (space.rlim_cur < memory || !memory))
        memory = (size_t)space.rlim_cur;
    return memory;
}

double machine_peak_mib(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
#ifdef __APPLE__
    return (double)usage.ru_maxrss / (1024 * 1024);
#else
    return (double)usage.ru_maxrss / 1024;
#endif
}

double machine_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
