/* Timers and signals of the process that a user's code runs in (process.h). */
#include "lua/process.h"

#include <math.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

void process_enter(void)
{
    static const int deaf[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t k = 0; k < sizeof deaf / sizeof *deaf; k++)
        signal(deaf[k], SIG_IGN);
    signal(SIGALRM, SIG_DFL);
}

static void ring_after(int timer, double seconds)
{
    struct itimerval value = {.it_value = {(time_t)seconds,
                                           (suseconds_t)(1e6 * (seconds - floor(seconds)))}};
    setitimer(timer, &value, NULL);
}

/* What no look between two instructions ends, a signal does: of processor time, of the wall clock. */
void process_limit(const struct sandbox_limits *limits)
{
    ring_after(ITIMER_PROF, limits ? limits->seconds + limits->slack : 0);
    ring_after(ITIMER_REAL, limits ? limits->kill_seconds : 0);
}

int process_say_end(struct child *c, const char *name, const struct sandbox_limits *limits,
                    struct err *e)
{
    int status = child_end(c), number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGPROF || number == SIGALRM)
        return err_set(e, ERR_EVALUATION, NULL,
                       "%s:1: ran longer than the %g seconds that %s may take, in one instruction",
                       name, number == SIGPROF ? limits->seconds : limits->kill_seconds,
                       limits->of);
    return err_set(e, number == SIGKILL ? ERR_MEMORY : ERR_EVALUATION, NULL,
                   "the process that ran %s ended with %s %d", name,
                   number ? "signal" : "status", number ? number : WEXITSTATUS(status));
}
