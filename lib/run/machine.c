/* What the machine offers: cores, memory, time.  Nothing here fails; what cannot be found out is
 * answered with the cautious value. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <stdio.h>
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

/* A number of bytes alone in a file, as cgroups write them; 0 when there is none ("max"). */
static unsigned long long file_number(const char *path)
{
    unsigned long long value = 0;
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &value) != 1)
        value = 0;
    fclose(f);
    return value;
}

static unsigned long long system_memory(void)
{
    unsigned long long kib = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    if (kib)
        return kib * 1024;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (unsigned long long)pages * (unsigned long long)size : 0;
}

size_t machine_memory(void)
{
    unsigned long long memory = system_memory();
    unsigned long long limit = file_number("/sys/fs/cgroup/memory.max");
    unsigned long long used = file_number("/sys/fs/cgroup/memory.current");
    if (limit && limit > used && (limit - used < memory || !memory))
        memory = limit - used;
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        (space.rlim_cur < memory || !memory))
        memory = space.rlim_cur;
    return (size_t)memory;
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
