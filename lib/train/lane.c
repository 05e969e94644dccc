/* Lanes: a batch's parts that are computed apart. */
#include <string.h>

#include "kernel/kernel.h"
#include "train/trainer.h"

enum { CHUNK_ELEMENTS = 1 << 19 };

static int chunk_rows(const struct trainer *t, int rows)
{
    if (t->io.channels > 0)
        return rows;
    int chunk = CHUNK_ELEMENTS / t->io.labels;
    chunk = chunk < 16 ? 16 : chunk;
    return chunk < rows ? chunk : rows;
}

int lane_open(struct lane *lane, const struct trainer *t, const struct model_state *s, int samples,
              int n, bool backward, struct arena *a, struct err *e)
{
    size_t rows, channels = (size_t)t->io.channels;
    if (!memory_multiply((size_t)samples, (size_t)n, &rows) || rows > INT32_MAX)
        return err_set(e, ERR_MEMORY, "", "%d samples of %d positions are too many", samples, n);
    size_t outputs = channels ? channels : (size_t)t->io.labels;
    *lane = (struct lane){.chunk = chunk_rows(t, (int)rows)};
    int code = workspace_open(&lane->w, &t->model, s, (int)rows, backward, a, e);
    if (code)
        return code;
    lane->first = arena_alloc(a, (size_t)samples + 1, sizeof *lane->first, e);
    lane->layout = arena_alloc(a, (size_t)samples, sizeof *lane->layout, e);
    lane->x = arena_alloc(a, rows * channels, sizeof *lane->x, e);
    lane->target = arena_alloc(a, rows * channels, sizeof *lane->target, e);
    lane->out = arena_alloc(a, (size_t)lane->chunk * outputs, sizeof *lane->out, e);
    if (!channels && !backward)
        lane->logits = arena_alloc(a, (size_t)lane->chunk * outputs, sizeof *lane->logits, e);
    if (backward) {
        lane->gradient = arena_alloc(a, t->model.tensors.elements, sizeof *lane->gradient, e);
        lane->dstate = arena_alloc(a, s->elements, sizeof *lane->dstate, e);
    }
    bool failed = !lane->first || !lane->layout || !lane->x || !lane->target || !lane->out ||
                  (backward && (!lane->gradient || !lane->dstate)) ||
                  (!channels && !backward && !lane->logits);
    return failed && !a->measuring ? ERR_MEMORY : 0;
}

void lane_fill(struct lane *lane, const struct trainer *t, const struct samples *s, int first,
               int count)
{
    int row = s->first[first], rows = s->first[first + count] - row;
    size_t channels = (size_t)t->io.channels, from = (size_t)row * channels;
    for (int k = 0; k <= count; k++)
        lane->first[k] = s->first[first + k] - row;
    for (int k = 0; k < count; k++)
        lane->layout[k] = s->layout[first + k];
    for (size_t i = 0; i < (size_t)rows * channels; i++) {
        lane->x[i] = (real)s->x[from + i];
        lane->target[i] = (real)s->y[from + i];
    }
    lane->token = s->token ? s->token + row : NULL;
    lane->label = s->label ? s->label + row : NULL;
    lane->batch = (struct batch){.samples = count, .rows = rows, .first = lane->first,
                                 .layout = lane->layout, .x = channels ? lane->x : NULL,
                                 .token = lane->token};
}
