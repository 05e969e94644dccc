/* Where a test may write: in TMPDIR, which the runner makes for each program and deletes after it. */
#ifndef HELP_TEMPORARY_H
#define HELP_TEMPORARY_H
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The path of a file `name` that is this process's own. */
static inline void help_temporary(char *path, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/urpe-%ld-%s", folder ? folder : "/tmp", (long)getpid(),
                          name);
    if (length < 0 || (size_t)length >= size)
        abort();
}

#endif
