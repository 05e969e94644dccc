/* What differs between Linux and plain POSIX. */
#if defined __linux__ && !defined PORTABLE_ONLY
#define LINUX 1
#define _GNU_SOURCE
#endif

#include "base/system.h"

#include <fcntl.h>

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
