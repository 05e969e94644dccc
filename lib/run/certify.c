/* Certified rows (certify.h). */
#include "run/certify.h"

#include "base/file.h"
#include "run/certificate.h"
#include "run/evaluate.h"
#include "run/prove.h"

enum { ROWS_KEPT = 1 << 21 }; /* of images under an orbit: some 200 MB */

struct work {
    const struct spec *spec;
    const struct cell *cell;
    struct pool *pool;
    const struct certify_options *options;
    int64_t parameters;
};

static int append_rows(const struct work *w, struct evaluation *ev, struct text *rows, struct err *e)
{
    struct record witness[SUBSETS_MAX];
    char own[FILE_PATH_MAX], *folder = w->options->networks ? own : NULL;
    bool whole = evaluation_is_whole(ev);
    int code = folder ? file_join(own, sizeof own, w->options->networks, w->cell->id, e) : 0;
    if (!code && folder)
        code = file_make_folder(folder, e);
    if (!code && whole)
        code = prove_class(ev, w->pool, folder, w->options->stop, witness, e);
    for (int k = 0; !code && k < evaluation_subsets(ev); k++) {
        struct record r;
        evaluation_floors(ev, k, &r);
        if (whole)
            evaluation_set_witness(&r, &witness[k]);
        r.experiment = spec_name(w->spec);
        r.spec_hash = spec_hash(w->spec);
        r.params = w->parameters;
        row_append(rows, w->cell, &r);
    }
    return code;
}

int certify_cell(const struct spec *s, const struct cell *c, struct pool *pool,
                 const struct certify_options *o, struct text *rows, struct err *e)
{
    struct train_price price;
    int code = trainer_api_of(c->task.model.precision)->price(&c->task, &price, e);
    const struct work w = {s, c, pool, o, code ? 0 : (int64_t)price.parameters};
    for (int k = 0; !code && k < evaluation_count(&c->task); k++) {
        struct evaluation *ev = NULL;
        if (o->certificate)
            code = evaluation_open_number(&ev, &c->task, k, e);
        else
            code = evaluation_open_floors(&ev, &c->task, k, ROWS_KEPT, e);
        if (!code)
            code = append_rows(&w, ev, rows, e);
        if (!code && o->certificate)
            code = certificates_write(o->certificate, s, c, ev, e);
        evaluation_close(ev);
    }
    return code;
}
