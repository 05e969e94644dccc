/* What differs between Linux and plain POSIX. */
#if defined __linux__ && !defined PORTABLE_ONLY
#define LINUX 1
#define _GNU_SOURCE
#endif

#include "base/system.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>
#ifdef LINUX
#include <sys/prctl.h>
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
