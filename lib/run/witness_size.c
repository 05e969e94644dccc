/* Sizing witnesses (witness_size.h). */
#include "run/witness_size.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/witness_cell.h"
#include "spec/start.h"

/* Sequences longer than this are not tried out: a witness's width and tables grow no faster than
 * the length, so sizes are those at this length, scaled. */
enum { POSITIONS = 256, SAMPLES = 1 << 20 };
/* Finding a witness looks at all pairs of positions, in matrices of these bytes for each. */
#define BYTES_A_PAIR 16.0

/* At the task's own length.  No step is made, so moments and gradients are asked for and never
 * touched: they cost nothing. */
static int measure(const struct task *t, struct witness_size *out, struct err *e)
{
    const struct trainer_api *api = trainer_api_of(t->model.precision);
    struct start s;
    struct task own;
    size_t bytes, pass = 0, parameters = 0;
    double flops = 0;
    int code = api->kernel_open(e);
    if (code)
        return code;
    code = start_open(&s, t, e);
    if (!code && s.witness) {
        witness_task(t, s.witness, &own);
        code = api->price(&own, &bytes, &parameters, &flops, e);
        if (!code)
            code = api->price_pass(&own, (int)own.space.length, SAMPLES, false, &pass, e);
    }
    start_close(&s, t);
    out->weights = (double)parameters *
                   (t->model.precision == MODEL_DOUBLE ? sizeof(double) : sizeof(float));
    out->activations = (double)pass;
    out->pass = flops / 3; /* of one sample: its batch is 1 */
    return code;
}

static _Noreturn void child_main(const struct task *t, int fd)
{
    struct witness_size size = {0};
    signal(SIGALRM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (measure(t, &size, &(struct err){0}))
        size = (struct witness_size){0};
    _exit(write(fd, &size, sizeof size) != (ssize_t)sizeof size);
}

static struct witness_size measure_apart(const struct task *t)
{
    struct witness_size size = {0};
    int pipes[2], status;
    if (pipe(pipes) != 0)
        return size;
    pid_t pid = fork();
    if (pid == 0)
        child_main(t, pipes[1]);
    close(pipes[1]);
    ssize_t got;
    do
        got = read(pipes[0], &size, sizeof size);
    while (got < 0 && errno == EINTR);
    close(pipes[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return got == (ssize_t)sizeof size ? size : (struct witness_size){0};
}

/* Of a lane: whole samples. */
static double pass_rows(int64_t n)
{
    return (double)(n * (n < TRAIN_PASS_ROWS ? TRAIN_PASS_ROWS / n : 1));
}

static struct witness_size size_of(const struct task *t)
{
    struct task small = *t;
    double n = (double)space_positions(&t->space), times = 1;
    bool resized = !space_of(&t->space)->positions && t->space.length > POSITIONS;
    if (resized) {
        small.space.length = POSITIONS;
        times = n / POSITIONS;
    }
    struct witness_size size = measure_apart(&small);
    size.weights *= times * times;
    size.activations *= times * (resized ? pass_rows(t->space.length) / pass_rows(POSITIONS) : 1);
    size.pass *= times * times * times;
    size.finding = BYTES_A_PAIR * n * n;
    return size;
}

/* Seeds, training and evaluation say nothing about it. */
static bool alike(const struct task *a, const struct task *b)
{
    return !memcmp(&a->space, &b->space, sizeof a->space) &&
           !memcmp(&a->target, &b->target, sizeof a->target) &&
           !memcmp(&a->model, &b->model, sizeof a->model);
}

struct witness_size witness_size(struct witness_sizes *sizes, const struct task *t)
{
    if (t->evaluate.witness == EVALUATE_WITNESS_NEVER || space_of(&t->space)->draw)
        return (struct witness_size){0};
    for (int k = sizes->count - 1; k >= 0; k--)
        if (alike(sizes->item[k].of, t))
            return sizes->item[k].size;
    if (sizes->count == WITNESS_SIZES)
        return sizes->largest;
    struct witness_size size = size_of(t);
    sizes->item[sizes->count].of = t;
    sizes->item[sizes->count++].size = size;
    if (size.weights + size.activations > sizes->largest.weights + sizes->largest.activations)
        sizes->largest = size;
    return size;
}
