/* Passes: memory, and a batch's parts (pass.h). */
#include "train/pass.h"

enum { CHUNK_ELEMENTS = 1 << 19 };

static int chunk_rows(const struct model_io *io, int rows)
{
    if (!io->labels)
        return rows;
    int chunk = CHUNK_ELEMENTS / io->labels;
    chunk = chunk < 16 ? 16 : chunk;
    return chunk < rows ? chunk : rows;
}

int pass_first(const struct pass *p, int samples, int k)
{
    return (int)((int64_t)k * samples / p->microbatches);
}

static int carve_microbatch(const struct pass *p, struct microbatch *micro, int samples,
                            struct arena *a, struct err *e)
{
    int n = p->state.n;
    const struct model_io *io = &p->model->io;
    size_t rows, channels = (size_t)io->channels, outputs = (size_t)model_io_outputs(io);
    bool labels = io->labels > 0;
    if (!memory_multiply((size_t)samples, (size_t)n, &rows) || rows > INT32_MAX)
        return err_set(e, ERR_MEMORY, "", "%d samples of %d positions are too many", samples, n);
    *micro = (struct microbatch){.chunk = chunk_rows(io, (int)rows)};
    micro->first = arena_alloc(a, (size_t)samples + 1, sizeof *micro->first, e);
    micro->layout = arena_alloc(a, (size_t)samples, sizeof *micro->layout, e);
    micro->x = arena_alloc(a, rows * channels, sizeof *micro->x, e);
    micro->target = arena_alloc(a, rows * (labels || channels > outputs ? channels : outputs),
                                sizeof *micro->target, e);
    micro->out = arena_alloc(a, (size_t)micro->chunk * outputs, sizeof *micro->out, e);
    if (labels && !p->backward)
        micro->logits = arena_alloc(a, (size_t)micro->chunk * outputs, sizeof *micro->logits, e);
    if (p->backward) {
        micro->gradient = arena_alloc(a, p->model->tensors.elements, sizeof *micro->gradient, e);
        micro->dstate = arena_alloc(a, p->state.elements, sizeof *micro->dstate, e);
    }
    return arena_check(a);
}

static int carve(struct pass *p, const struct layout *longest, struct arena *a, struct err *e)
{
    int most = 0, code = model_state_open(&p->state, p->model, longest, a, e);
    for (int k = 0; k < p->microbatches && !code; k++) {
        int samples = pass_first(p, p->samples, k + 1) - pass_first(p, p->samples, k);
        code = carve_microbatch(p, &p->micro[k], samples, a, e);
        most = samples > most ? samples : most;
    }
    for (int k = 0; k < p->workspaces && !code; k++)
        code = workspace_open(&p->w[k], p->model, &p->state, most * p->state.n, p->backward, a, e);
    for (int k = 0; k < p->microbatches; k++)
        p->micro[k].w = p->w[k % p->workspaces];
    return code;
}

int pass_bytes(struct pass *p, const struct layout *longest, size_t *bytes, struct err *e)
{
    struct arena measure;
    arena_open_measure(&measure);
    int code = carve(p, longest, &measure, e);
    *bytes = measure.peak;
    return code;
}

int pass_open(struct pass *p, const struct layout *longest, struct err *e)
{
    size_t bytes;
    int code = pass_bytes(p, longest, &bytes, e);
    if (!code)
        code = arena_open(&p->arena, bytes, e);
    return code ? code : carve(p, longest, &p->arena, e);
}

void pass_fill(struct pass *p, int k, const struct samples *s, int first, int count)
{
    struct microbatch *micro = &p->micro[k];
    int row = s->first[first], rows = s->first[first + count] - row;
    size_t channels = (size_t)s->channels, outputs = (size_t)s->outputs;
    for (int i = 0; i <= count; i++)
        micro->first[i] = s->first[first + i] - row;
    for (int i = 0; i < count; i++)
        micro->layout[i] = s->layout[first + i];
    for (size_t i = 0; i < (size_t)rows * channels; i++)
        micro->x[i] = (real)s->x[(size_t)row * channels + i];
    for (size_t i = 0; i < (size_t)rows * outputs; i++)
        micro->target[i] = (real)s->y[(size_t)row * outputs + i];
    micro->counts = s->counts ? s->counts + row : NULL;
    micro->label = s->label ? s->label + row : NULL;
    micro->batch = (struct batch){.samples = count, .rows = rows, .first = micro->first,
                                  .layout = micro->layout, .x = channels ? micro->x : NULL,
                                  .token = s->token ? s->token + row : NULL};
}
