/* Memory that a run may use, and time.  Nothing here fails; what cannot be found out is
 * answered with the cautious value. */
#include <sys/resource.h>
#include <time.h>

#include "base/system.h"
#include "run/run.h"

size_t machine_memory(void)
{
    size_t memory = system_memory("");
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        (space.rlim_cur < memory || !memory))
        memory = (size_t)space.rlim_cur;
    return memory;
}

double machine_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
