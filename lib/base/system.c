/* What differs between Linux and plain POSIX. */
#if defined __linux__ && !defined PORTABLE_ONLY
#define LINUX 1
#define _GNU_SOURCE
#endif

#include "base/system.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef LINUX
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
#include <pthread.h>
#include <time.h>
#endif

#ifdef LINUX
enum { PASS_THROUGH = O_PATH };
#elif defined O_SEARCH
enum { PASS_THROUGH = O_SEARCH };
#else
enum { PASS_THROUGH = O_RDONLY };
#endif

int system_open_folder(int at, const char *name)
{
    return openat(at, name, PASS_THROUGH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum { DESCRIPTORS_MAX = 4096 };

void system_close_from(int first, int kept)
{
#if defined LINUX && defined SYS_close_range /* since Linux 5.9; thousands of calls take a millisecond */
    if ((kept <= first || syscall(SYS_close_range, first, kept - 1, 0) == 0) &&
        syscall(SYS_close_range, kept < first ? first : kept + 1, ~0U, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < DESCRIPTORS_MAX && (limit < 0 || fd < limit); fd++)
        if (fd != kept)
            close(fd);
}

void system_restart(char *const *word)
{
#ifdef LINUX
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = '\0';
        execv(path, word);
    }
#endif
    execvp(word[0], word);
}

/* The file behind a path, for its folder. */
static bool folder_of(const char *path, char *out, size_t size)
{
    char *whole = realpath(path, NULL), *slash = whole ? strrchr(whole, '/') : NULL;
    int length = slash ? snprintf(out, size, "%.*s", slash > whole ? (int)(slash - whole) : 1, whole) : -1;
    free(whole);
    return length > 0 && (size_t)length < size;
}

bool system_program_folder(const char *word, char *out, size_t size)
{
    const char *at = getenv("PATH");
    char path[4096];
#ifdef LINUX
    if (folder_of("/proc/self/exe", out, size))
        return true;
#endif
    if (strchr(word, '/'))
        return folder_of(word, out, size);
    for (size_t length; at && *at; at += length + (at[length] == ':')) {
        length = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)length, at, word);
        if (access(path, X_OK) == 0)
            return folder_of(path, out, size);
    }
    return false;
}

#ifdef LINUX
void system_follow(pid_t parent, int number)
{
    prctl(PR_SET_PDEATHSIG, number);
    if (getppid() != parent) /* it had ended before */
        raise(number);
}
#else
/* The parent's number and the signal's, in one word. */
static void *follow(void *argument)
{
    const struct timespec pause = {0, 200000000};
    intptr_t both = (intptr_t)argument;
    while (getppid() == (pid_t)(both >> 8))
        nanosleep(&pause, NULL);
    kill(getpid(), (int)(both & 0xff));
    return NULL;
}

/* Nobody tells, so a thread asks; signals are for the first thread. */
void system_follow(pid_t parent, int number)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, follow,
                                (void *)((intptr_t)parent << 8 | (intptr_t)number));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        _exit(1);
    pthread_detach(thread);
}
#endif

/* ---- what the machine offers ------------------------------------------------------------------*/
int system_cores(void)
{
#ifdef LINUX
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

void system_cpu_name(char *out, size_t size)
{
    static const char *const keys[] = {"model name", "CPU part", "cpu model"};
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    while (f && fgets(line, sizeof line, f))
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            const char *value = strchr(line, ':');
            if (value && strncmp(line, keys[k], strlen(keys[k])) == 0) {
                value += 1 + strspn(value + 1, " \t");
                snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
                fclose(f);
                return;
            }
        }
    if (f)
        fclose(f);
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

static unsigned long long free_memory(const char *root)
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

size_t system_memory(const char *root)
{
    unsigned long long memory = free_memory(root);
    for (size_t k = 0; k < sizeof cgroups / sizeof *cgroups; k++) {
        unsigned long long left = group_memory(root, &cgroups[k]);
        if (left && (left < memory || !memory))
            memory = left;
    }
    return memory < SIZE_MAX ? (size_t)memory : SIZE_MAX;
}

size_t system_cache(void)
{
#ifdef _SC_LEVEL2_CACHE_SIZE /* of the GNU library */
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? (size_t)bytes : 0;
#else
    return 0;
#endif
}

void system_large_pages(void *at, size_t size)
{
#ifdef LINUX /* a refusal costs nothing but time */
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (page - (uintptr_t)at % page) % page;
    if (size > before)
        madvise((char *)at + before, (size - before) / page * page, MADV_HUGEPAGE);
#else
    (void)at;
    (void)size;
#endif
}

double system_peak_mib(void)
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
