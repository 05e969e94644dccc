/* A cell's witness (witness_cell.h). */
#include "run/witness_cell.h"

#include <math.h>

#include "base/file.h"
#include "run/adversary.h"
#include "spec/start.h"

enum { PATH_SIZE = 4096 };

struct work {
    const struct spec *spec;
    const struct trainer_api *api;
    struct start start;
    struct trainer *trainer;
    struct evaluation *evaluation;
};

/* The cell that the witness is: its sizes, no step of training, the training length alone. */
static void own_cell(const struct cell *c, const struct witness *w, struct cell *out) {
    *out = *c;
    out->task.model = w->config;
    out->task.train.steps = 0;
    out->task.train.batch = 1;
    out->task.evaluate.lengths.count = 0;
}

static int measure(struct work *w, struct pool *pool, struct witness_cell *out, struct err *e) {
    const struct task *own = &out->own.task;
    int code = w->api->open(&w->trainer, own, pool, e);
    if (code)
        return code;
    theory_api_of(own->model.precision)
        ->witness_write(w->start.witness, w->api->model(w->trainer), w->api->block(w->trainer));
    code = evaluation_open(&w->evaluation, own, (int)own->space.length, e);
    if (!code)
        code = evaluation_measure(w->evaluation, w->api, w->trainer, out->figures, e);
    if (!code)
        code = adversary_search(w->evaluation, w->api, w->trainer, NULL, out->figures, e);
    if (!code)
        out->subsets = evaluation_subsets(w->evaluation);
    return code;
}

static void append_rows(const struct work *w, const struct witness_cell *out, bool named,
                        struct text *rows) {
    struct row_facts facts = {.experiment = named ? spec_name(w->spec) : NULL,
                              .spec_hash = named ? spec_hash(w->spec) : NULL,
                              .status = "ok",
                              .parameters = w->api->parameters(w->trainer),
                              .train_loss = NAN,
                              .seconds = NAN,
                              .tokens_per_second = NAN,
                              .peak_mib = NAN};
    for (int k = 0; k < out->subsets; k++)
        row_append(rows, &out->own, evaluation_length(w->evaluation),
                   evaluation_subset_name(w->evaluation, k), &out->figures[k], &facts);
}

static int write_text(const char *folder, const char *name, const struct text *t, struct err *e) {
    char path[PATH_SIZE];
    int code = text_check(t, e);
    if (!code)
        code = file_join(path, sizeof path, folder, name, e);
    return code ? code : file_write(path, t->data, t->length, e);
}

static int write_folder(const struct work *w, const struct witness_cell *out, const char *folder,
                        struct err *e) {
    char weights[PATH_SIZE];
    struct text spec = {0}, rows = {0};
    row_append_header(&rows);
    append_rows(w, out, false, &rows);
    int code = file_make_folder(folder, e);
    if (!code)
        code = spec_cell_text(&out->own, spec_name(w->spec), &spec, e);
    if (!code)
        code = write_text(folder, "spec.yaml", &spec, e);
    if (!code)
        code = file_join(weights, sizeof weights, folder, "weights.safetensors", e);
    if (!code)
        code = w->api->export_weights(w->trainer, weights, e);
    if (!code)
        code = write_text(folder, "row.csv", &rows, e);
    text_close(&spec);
    text_close(&rows);
    return code;
}

int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *folder, struct witness_cell *out, struct text *rows, struct err *e) {
    struct work w = {.spec = s,
                     .api = trainer_api_of(c->task.model.precision)};
    *out = (struct witness_cell){.own = *c};
    int code = w.api->kernel_open(e);
    if (!code)
        code = start_open(&w.start, &c->task, e);
    out->known = !code && w.start.witness;
    if (out->known) {
        own_cell(c, w.start.witness, &out->own);
        code = measure(&w, pool, out, e);
        if (!code)
            append_rows(&w, out, true, rows);
        if (!code && folder)
            code = write_folder(&w, out, folder, e);
    }
    evaluation_close(w.evaluation);
    if (w.trainer)
        w.api->close(w.trainer);
    start_close(&w.start, &c->task);
    return code;
}
