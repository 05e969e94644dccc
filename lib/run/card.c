/* What a card is made of (card.h). */
#include "run/card.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/system.h"
#include "run/bench.h"
#include "run/evaluate.h"
#include "run/network.h"
#include "run/samples_file.h"
#include "run/score.h"

enum { POSITIONS = 8 };
#define SECONDS 0.5

/* ---- rows -------------------------------------------------------------------------------------*/
static int folder_of(char out[FILE_PATH_MAX], const char *folder, const struct cell *c, struct err *e)
{
    char name[128];
    snprintf(name, sizeof name, "%s-%.8s", target_of(&c->task.target)->name, c->id);
    return file_join(out, FILE_PATH_MAX, folder, name, e);
}

static int predictions_of(char out[FILE_PATH_MAX], const char *folder, const struct cell *c, struct err *e)
{
    char own[FILE_PATH_MAX];
    int code = folder_of(own, folder, c, e);
    return code ? code : file_join(out, FILE_PATH_MAX, own, "predictions.safetensors", e);
}

static void add_finding(struct card_scores *scores, const struct cell *c, const struct score_finding *f,
                        double *worst)
{
    scores->targets++;
    scores->pairs += f->pairs;
    scores->apart += f->apart;
    if (!f->apart || f->difference <= *worst)
        return;
    *worst = f->difference;
    snprintf(scores->worst, sizeof scores->worst, "%s at length %lld, sample %d positions %d and %d, %.3g",
             target_of(&c->task.target)->name, (long long)f->length, f->sample[0] + 1,
             f->position[0] + 1, f->position[1] + 1, f->difference);
}

/* Rows without the header; of certified ones those of lengths and subsets that are not scored. */
static int append_unscored(struct text *rows, const struct text *certified, const struct csv *scored,
                           struct err *e)
{
    struct csv c = {0};
    int code = csv_parse("rows", certified->data, certified->length, &c, e);
    for (int k = 1; k < c.rows && !code; k++) {
        bool there = false;
        for (int i = 1; i < scored->rows; i++)
            there |= !strcmp(scored->row[i][RESULT_length], c.row[k][RESULT_length]) &&
                     !strcmp(scored->row[i][RESULT_subset], c.row[k][RESULT_subset]);
        for (int i = 0; i < c.columns && !there; i++)
            csv_field(rows, c.row[k][i]);
        if (!there)
            csv_end_row(rows);
    }
    csv_close(&c);
    return code;
}

static int append_scored(const struct card_work *w, const struct cell *c, struct pool *pool, const char *path,
                         struct text *rows, struct card_scores *scores, double *worst, struct err *e)
{
    const struct certify_options options = {.stop = w->stop};
    struct score_finding finding = {0};
    struct text scored = {0}, certified = {0};
    struct csv lines = {0};
    row_append_header(&scored);
    row_append_header(&certified);
    size_t header = scored.length;
    int code = score_cell(w->spec, c, pool, path, &scored, &finding, e);
    if (!code)
        code = certify_cell(w->spec, c, pool, NULL, &options, &certified, e);
    if (!code)
        code = text_check(&scored, e);
    if (!code)
        code = text_check(&certified, e);
    if (!code)
        code = csv_parse(path, scored.data, scored.length, &lines, e);
    if (!code)
        code = append_unscored(rows, &certified, &lines, e);
    if (!code) {
        text_append_bytes(rows, scored.data + header, scored.length - header);
        add_finding(scores, c, &finding, worst);
    }
    csv_close(&lines);
    score_finding_close(&finding);
    text_close(&scored);
    text_close(&certified);
    return code;
}

/* scored (cells): not 0 where there are predictions. */
static int find_predictions(const struct card_work *w, unsigned char *scored, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = w->predictions ? file_check_folder(w->predictions, "a folder of predictions", e) : 0, found = 0;
    for (int k = 0; k < spec_cells(w->spec) && w->predictions && !code; k++) {
        code = predictions_of(path, w->predictions, spec_cell(w->spec, k), e);
        found += scored[k] = !code && file_exists(path);
    }
    if (!code && w->predictions && !found)
        return err_set(e, ERR_IO, w->predictions, "has no predictions of this class; expected TARGET-CELL/"
                       "predictions.safetensors, in the folders that --samples made for the same class");
    return code;
}

/* The rows of cells that have predictions, in this process. */
static int score(const struct card_work *w, const unsigned char *scored, struct text *rows,
                 struct card_scores *scores, struct err *e)
{
    char path[FILE_PATH_MAX];
    struct pool *pool = NULL;
    double worst = 0;
    int code = pool_open(&pool, w->threads ? w->threads : system_cores(), e);
    for (int k = 0; k < spec_cells(w->spec) && !code; k++) {
        const struct cell *c = spec_cell(w->spec, k);
        if (!scored[k])
            continue;
        code = predictions_of(path, w->predictions, c, e);
        if (!code)
            code = append_scored(w, c, pool, path, &rows[k], scores, &worst, e);
    }
    pool_close(pool);
    return code;
}

int card_rows(const struct card_work *w, struct text *rows, struct certify_counts *counts,
              struct card_scores *scores, struct err *e)
{
    size_t cells = (size_t)spec_cells(w->spec);
    unsigned char *scored = memory_alloc(cells, sizeof *scored, e);
    struct text *each = memory_alloc(cells, sizeof *each, e);
    const struct certify_options options = {.jobs = w->jobs, .threads = w->threads, .left_out = scored,
                                            .messages = w->messages, .progress = w->progress, .stop = w->stop};
    *scores = (struct card_scores){0};
    int code = scored && each ? find_predictions(w, scored, e) : ERR_MEMORY;
    if (!code)
        code = certify_cells(w->spec, &options, each, counts, e);
    if (!code && w->predictions)
        code = score(w, scored, each, scores, e);
    row_append_header(rows);
    for (size_t k = 0; k < cells && each; k++) {
        text_append_bytes(rows, each[k].data, each[k].length);
        text_close(&each[k]);
    }
    memory_free(each);
    memory_free(scored);
    return code ? code : text_check(rows, e);
}

int card_samples(const struct spec *s, const char *folder, int64_t train, struct err *e)
{
    char own[FILE_PATH_MAX];
    int code = 0;
    for (int k = 0; k < spec_cells(s) && !code; k++) {
        code = folder_of(own, folder, spec_cell(s, k), e);
        if (!code)
            code = file_make_folder(own, e);
        if (!code)
            code = samples_write(spec_cell(s, k), own, train, e);
    }
    return code;
}

/* ---- conditions -------------------------------------------------------------------------------*/
static int test_on(const struct model_config *m, const struct layout *l, struct conditions *out,
                   struct err *e)
{
    enum condition_answer attentive;
    double distance;
    struct model_config plain = *m;
    int code = conditions_test_double(m, l, 0, out, e);
    if (code || normaliser_is_softmax(&m->normaliser))
        return code;
    option_set_kind(&encoding_kinds, "none", &plain.encoding);
    plain.attention = MODEL_RPE;
    code = conditions_rows_double(&plain, l, 0, &attentive, &distance, e);
    if (!code)
        conditions_weaken(m, attentive, distance, out);
    return code;
}

int card_conditions(const struct cell *c, struct conditions *out, const char **why, struct err *e)
{
    const struct model_config *m = &c->task.model;
    struct space_config space = c->task.space;
    struct arena arena;
    struct layout layout;
    struct model_io io = {.channels = 1};
    struct err refused = {0};
    *why = m->plan.turn ? "its layers differ" : model_before(m) ? "something stands before the sequence"
           : model_convolves(m) ? "something beside attention mixes positions"
           : strcmp(space_of(&space)->name, "sequence") ? "they are about sequences" : NULL;
    if (*why)
        return 0;
    space.length = POSITIONS;
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space_of(&space)->layout(&space, POSITIONS, &arena, &layout, e);
    if (!code && model_check(m, &io, &layout, &layout, &refused))
        *why = "the class is not defined on 8 positions";
    else if (!code)
        code = test_on(m, &layout, out, e);
    arena_close(&arena);
    return code;
}

/* ---- price ------------------------------------------------------------------------------------*/
static const char sizes[] = "name: price\nseeds: 1\ntarget: gain\nspace: {length: 128, channels: 4}\n"
                            "model: {layers: 2, heads: 4, width: 64, ffn: 256}\n"
                            "train: {steps: 1000000, batch: 8, lr: 0.0001}\n";

static void make_plain(struct model_config *m)
{
    m->plan.turn = 0;
    m->attention = MODEL_RPE;
    option_set_kind(&encoding_kinds, "toeplitz", &m->encoding);
    option_set_kind(&normaliser_kinds, "softmax", &m->normaliser);
    option_set_kind(&convolution_kinds, "none", &m->convolution);
    option_set_kind(&logits_kinds, "none", &m->logits);
}

static int measure(const struct task *own, struct card_cost *out, struct err *e)
{
    struct task plain = *own;
    struct bench_figures figures[2];
    struct train_price price[2];
    double ratio;
    make_plain(&plain.model);
    int code = trainer_api_of(own->model.precision)->price(own, &price[0], e);
    if (!code)
        code = trainer_api_of(plain.model.precision)->price(&plain, &price[1], e);
    if (!code)
        code = bench_tasks(own, &plain, SECONDS, figures, &ratio, e);
    if (code)
        return code;
    *out = (struct card_cost){.measured = true, .ratio = 1 / ratio};
    for (int k = 0; k < 2; k++) {
        out->ms[k] = figures[k].ms_per_step;
        out->parameters[k] = (double)price[k].parameters;
    }
    snprintf(out->size, sizeof out->size, "n %d, width %d, %d layers, batch %d, one thread",
             (int)own->space.length, (int)own->model.width, (int)own->model.layers, (int)own->train.batch);
    return 0;
}

int card_price(const char *path, const char *const *set, int sets, struct card_cost *out, struct err *e)
{
    struct spec *s = NULL;
    struct err refused = {0};
    *out = (struct card_cost){0};
    if (spec_parse_class(&s, "price", sizes, sizeof sizes - 1, path, set, sets, &refused))
        return 0;
    int code = measure(&spec_cell(s, 0)->task, out, e);
    spec_close(s);
    return code;
}
