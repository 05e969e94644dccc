/* Writing certificates (certificate.h).  Pairs are the rows of a sample, after what stands before it.
 *
 * Invariant: all rows of a sample are listed, or none.  A sample is left out when none of its
 * evaluated rows shares its group with another evaluated one: it adds nothing to any figure, and
 * what it holds decides nothing about the others, since a row sees its own sample only. */
#include "run/certificate.h"

#include <math.h>
#include <string.h>

#include "base/gzip.h"
#include "base/memory.h"
#include "floor/intern.h"
#include "spec/value.h"

enum { PLAIN_BYTES = 1 << 20 }; /* what is larger is compressed */

struct writer {
    const struct spec *spec;
    const struct cell *cell;
    const struct evaluation *ev;
    int subset;
    struct evaluation_part part;
    const struct samples *set;
    int before;
    bool deep; /* about networks of the cell's depth, else of any */
    const int32_t *front; /* (samples, before) groups of what stands before each, after those of rows */
    const int32_t *pair; /* (rows) groups of rows as others see them: part.group but under means */
    int pair_groups;
    int32_t *size;   /* (groups) evaluated rows */
    int32_t *first;  /* (pair_groups, and those of front) the first listed pair's number; -1: none yet */
    int32_t *id;     /* (rows) of its token; listed samples only */
    bool *listed;    /* (samples) */
    int alone, alone_rows, alone_informative;
    int32_t pairs;   /* listed so far */
    struct text text;
};

/* ---- which samples are listed -----------------------------------------------------------------*/

static bool evaluated(const struct writer *w, int row)
{
    return !w->part.mask || w->part.mask[row];
}

static bool informative(const struct writer *w, int row)
{
    return w->part.informative && w->part.informative[row];
}

static size_t first_groups(const struct writer *w)
{
    return (size_t)w->pair_groups + (size_t)w->set->count * (size_t)w->before;
}

static int open_writer(struct writer *w, struct err *e)
{
    w->size = memory_alloc((size_t)w->part.groups, sizeof *w->size, e);
    w->first = memory_alloc(first_groups(w), sizeof *w->first, e);
    w->id = memory_alloc((size_t)w->set->rows, sizeof *w->id, e);
    w->listed = memory_alloc((size_t)w->set->count, sizeof *w->listed, e);
    return w->size && w->first && w->id && w->listed ? 0 : ERR_MEMORY;
}

static void close_writer(struct writer *w)
{
    memory_free(w->size);
    memory_free(w->first);
    memory_free(w->id);
    memory_free(w->listed);
    text_close(&w->text);
}

/* A sample outside the subset is neither listed nor alone. */
static void take_sample(struct writer *w, int sample)
{
    int rows = 0, telling = 0;
    for (int r = w->set->first[sample]; r < w->set->first[sample + 1]; r++) {
        if (!evaluated(w, r))
            continue;
        rows++;
        telling += informative(w, r);
        w->listed[sample] |= w->size[w->part.group[r]] > 1;
    }
    if (w->listed[sample] || !rows)
        return;
    w->alone++;
    w->alone_rows += rows;
    w->alone_informative += telling;
}

static void choose_samples(struct writer *w)
{
    for (size_t g = 0; g < first_groups(w); g++)
        w->first[g] = -1;
    for (int r = 0; r < w->set->rows; r++)
        w->size[w->part.group[r]] += evaluated(w, r);
    for (int b = 0; b < w->set->count; b++)
        take_sample(w, b);
}

/* ---- the head ---------------------------------------------------------------------------------*/

static void append_number(struct text *t, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append_format(t, " %s", text_from_double_exact(number, value));
}

static void append_space(struct writer *w)
{
    const struct space_config *c = &w->cell->task.space;
    const struct space *space = space_of(c);
    const struct layout *l = w->set->layout[0];
    text_append_format(&w->text, "space %s", space->name);
    for (int axis = 0; space->axes > 1 && axis < space->axes; axis++)
        text_append_format(&w->text, " %d", layout_extent(l, axis));
    if (space->graph) /* relations: 0 .. M, and no path */
        text_append_format(&w->text, " %d", l->relations - 2);
    int on_line = model_own_relations(&w->cell->task.model);
    text_append_format(&w->text, "\ntrained %lld\nprefix %d\n%s%s", (long long)c->length + on_line,
                       w->before, w->before > on_line ? "registers\n" : "",
                       w->cell->task.model.pool == MODEL_POOL_MEAN ? "pool mean\n" : "");
}

/* One word of a line: bytes that are no part of one, and %, as in addresses (RFC 3986). */
static void append_word(struct text *t, const char *text)
{
    for (; *text; text++)
        text_append_format(t, *text > ' ' && *text < 127 && *text != '%' ? "%c" : "%%%02X",
                           (unsigned char)*text);
}

static void append_option(struct text *t, const char *key, const char *own,
                          const struct option *row, const struct option_value *v)
{
    text_append_format(t, own ? " %s.%s=" : " %s=", key, own);
    if (row->type == OPTION_TEXT)
        append_word(t, v->text);
    else
        value_write(row, v, VALUE_STORED, t);
}

/* A key of the class, and below it all options of the kind that it picks. */
static void append_key(struct text *t, const struct option *row, const struct model_config *m)
{
    struct option_value v;
    option_load(row, m, &v);
    append_option(t, row->key, NULL, row, &v);
    if (row->type != OPTION_KIND)
        return;
    const struct kind_config *kind = (const void *)((const char *)m + row->offset);
    const struct option *own = row->kinds->options(kind->kind);
    for (const struct option *o = own; o && o->key; o++) {
        if (o->type == OPTION_TEXT && o->applies && !o->applies(kind))
            continue; /* texts that are not given are of no formula */
        option_load_own(own, o, kind, &v);
        append_option(t, row->key, o->key, o, &v);
    }
}

/* Of all that a model is made of, what decides its class. */
static void append_layer(struct text *t, const struct model_config *m)
{
    static const char *const parts[] = {"heads", "encoding", "attention", "c",
                                        "mask", "normaliser", "convolution"};
    text_append(t, "layer");
    for (const struct option *row = model_options; row->key; row++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            if (!strcmp(row->key, parts[k]) && (!row->applies || row->applies(m)))
                append_key(t, row, m);
    text_append(t, "\n");
}

static int append_layers(struct text *t, const struct model_config *m, struct err *e)
{
    struct model_config *one = memory_alloc(1, sizeof *one, e);
    int turn = m->plan.turn ? m->plan.turn : 1;
    for (int k = 0; one && k < turn; k++) {
        model_kind_config(m, model_kind_of(m, k), one);
        append_layer(t, one);
    }
    memory_free(one);
    return one ? 0 : ERR_MEMORY;
}

/* Figures by the names of their columns, and those of the cell's depth; RESULT_COUNT: there is none. */
static const struct {
    int any, deep;
} claimed[] = {{RESULT_floor_rms, RESULT_depth_floor_rms},
               {RESULT_floor_rel, RESULT_depth_floor_rel},
               {RESULT_floor_sup, RESULT_depth_floor_sup},
               {RESULT_accuracy_ceiling, RESULT_depth_accuracy_ceiling},
               {RESULT_informative_ceiling, RESULT_COUNT},
               {RESULT_cross_entropy_floor, RESULT_depth_cross_entropy_floor}};

static void append_claims(struct writer *w)
{
    struct record r;
    evaluation_floors(w->ev, w->subset, &r);
    for (size_t k = 0; k < sizeof claimed / sizeof *claimed; k++) {
        int of = w->deep ? claimed[k].deep : claimed[k].any;
        const struct column *c = &column_table[of];
        double value;
        if (of == RESULT_COUNT)
            continue;
        memcpy(&value, (const char *)&r + c->offset, sizeof value);
        if (isnan(value))
            continue;
        text_append_format(&w->text, "claim %s", column_table[claimed[k].any].name);
        append_number(&w->text, value);
        text_append(&w->text, "\n");
    }
}

static int append_head(struct writer *w, const char *subset, struct err *e)
{
    char number[TEXT_NUMBER_MAX], depth[TEXT_NUMBER_MAX] = "any";
    struct text *t = &w->text;
    if (w->deep)
        snprintf(depth, sizeof depth, "%lld", (long long)w->cell->task.model.layers);
    text_append_format(t, "urpe-probe certificate 1\nexperiment %s\nspec %s\ncell %s\nseed %llu\n"
                       "length %s\nsubset %s\nversion %s\n", spec_name(w->spec),
                       spec_hash(w->spec), w->cell->id, (unsigned long long)w->cell->task.seed,
                       length_text(number, evaluation_length(w->ev)), subset, URPE_VERSION);
    append_space(w);
    int code = append_layers(t, &w->cell->task.model, e);
    text_append_format(t, "depth %s\nchannels %d\ntargets %s\nalone %d %d %d\n", depth,
                       w->set->outputs ? w->set->outputs : 1,
                       w->set->outputs ? "numbers" : "labels", w->alone, w->alone_rows,
                       w->alone_informative);
    if (w->part.deviation > 0) {
        text_append(t, "deviation");
        append_number(t, w->part.deviation);
        text_append(t, "\n");
    }
    append_claims(w);
    return code;
}

/* ---- tokens and samples -----------------------------------------------------------------------*/

/* Numbers (words) of a row's token, 0 for -0 as floors have it. */
static void token_key(const struct samples *s, int row, uint64_t *key)
{
    for (int c = 0; c < s->channels; c++) {
        double x = s->x[(size_t)row * (size_t)s->channels + (size_t)c];
        x = x == 0 ? 0 : x;
        memcpy(&key[c], &x, sizeof x);
    }
}

static void append_token(struct writer *w, int id, const uint64_t *key)
{
    text_append_format(&w->text, "token %d", id);
    for (int c = 0; c < w->set->channels; c++) {
        double x;
        memcpy(&x, &key[c], sizeof x);
        append_number(&w->text, x);
    }
    text_append(&w->text, "\n");
}

/* Ids of the tokens of listed samples, by first appearance, and what they stand for; a symbol is its
 * own id. */
static int append_tokens(struct writer *w, struct err *e)
{
    const struct samples *s = w->set;
    size_t words = (size_t)(s->channels ? s->channels : 1);
    struct intern seen = {0};
    uint64_t *key = memory_alloc(words, sizeof *key, e);
    int code = key ? intern_open(&seen, words, e) : ERR_MEMORY;
    for (int b = 0; b < s->count; b++)
        for (int r = s->first[b]; w->listed[b] && r < s->first[b + 1] && !code; r++) {
            int32_t known = seen.count;
            if (!s->channels) {
                w->id[r] = s->token[r];
                continue;
            }
            token_key(s, r, key);
            code = intern_id(&seen, key, &w->id[r], e);
            if (seen.count > known)
                append_token(w, w->id[r], key);
        }
    intern_close(&seen);
    memory_free(key);
    return code;
}

static void append_edges(struct text *t, const struct layout *l)
{
    for (int i = 0; l->steps && i < l->n; i++)
        for (int j = i + 1; j < l->n; j++)
            if (l->steps[(size_t)i * (size_t)l->n + (size_t)j] == 1)
                text_append_format(t, " %d-%d", i, j);
}

static void append_target(struct writer *w, int row)
{
    int channels = w->set->outputs;
    if (!channels && evaluated(w, row))
        text_append_format(&w->text, " %d%s", w->set->label[row], informative(w, row) ? "" : "~");
    else if (!evaluated(w, row))
        for (int c = 0; c < (channels ? channels : 1); c++)
            text_append(&w->text, " -");
    for (int c = 0; c < channels && evaluated(w, row); c++)
        append_number(&w->text, w->set->y[(size_t)row * (size_t)channels + (size_t)c]);
}

/* The first member of the next pair's group. */
static void append_first(struct writer *w, int32_t group)
{
    int32_t *first = &w->first[group];
    *first = *first < 0 ? w->pairs : *first;
    w->pairs++;
    text_append_format(&w->text, " %d", *first);
}

static void append_sample(struct writer *w, int sample)
{
    struct text *t = &w->text;
    int from = w->set->first[sample], end = w->set->first[sample + 1];
    text_append_format(t, "sample %d", end - from);
    append_edges(t, w->set->layout[sample]);
    text_append(t, "\nt");
    for (int r = from; r < end; r++)
        text_append_format(t, " %d", w->id[r]);
    text_append(t, "\ng");
    for (int i = 0; i < w->before; i++)
        append_first(w, w->front[sample * w->before + i]);
    for (int r = from; r < end; r++)
        append_first(w, w->pair[r]);
    text_append(t, "\ny");
    for (int r = from; r < end; r++)
        append_target(w, r);
    text_append(t, "\n");
}

/* ---- files ------------------------------------------------------------------------------------*/

/* Under the name that its size asks for; one of the other name would be older. */
static int write_file(const char *folder, const char *name, const struct text *t, struct err *e)
{
    char path[FILE_PATH_MAX], file[128], other[128];
    struct text packed = {0};
    bool pack = t->length > PLAIN_BYTES;
    snprintf(file, sizeof file, "%s%s", name, pack ? CERTIFICATE_PACKED : CERTIFICATE_PLAIN);
    snprintf(other, sizeof other, "%s%s", name, pack ? CERTIFICATE_PLAIN : CERTIFICATE_PACKED);
    int code = text_check(t, e);
    if (!code && pack)
        code = gzip_append(&packed, t->data, t->length, e);
    if (!code)
        code = file_write_text(folder, file, pack ? &packed : t, e);
    if (!code)
        code = file_join(path, sizeof path, folder, other, e);
    if (!code)
        code = file_remove(path, e);
    text_close(&packed);
    return code;
}

static int write_subset(struct writer *w, const char *folder, struct err *e)
{
    char name[96], number[TEXT_NUMBER_MAX];
    struct record r;
    evaluation_floors(w->ev, w->subset, &r);
    const char *subset = r.subset;
    int code = open_writer(w, e);
    if (code)
        return code;
    choose_samples(w);
    if ((code = append_head(w, subset, e)))
        return code;
    code = append_tokens(w, e);
    for (int b = 0; b < w->set->count && !code; b++)
        if (w->listed[b])
            append_sample(w, b);
    text_append(&w->text, "end\n");
    snprintf(name, sizeof name, "%s-%s%s", length_text(number, evaluation_length(w->ev)), subset,
             w->deep ? "-depth" : "");
    return code ? code : write_file(folder, name, &w->text, e);
}

/* Groups that an evaluation does not keep: at the cell's depth, and of what stands before samples. */
struct merged {
    const struct samples *set; /* of which they are; NULL: none yet */
    struct model_groups g;     /* of pairs */
    int32_t *deep;             /* (rows) of outputs: g.deep, or with means */
    int deep_groups;
};

static void close_merged(struct merged *m)
{
    memory_free(m->g.any);
    memory_free(m->g.deep);
    memory_free(m->g.front);
    memory_free(m->g.deep_front);
    memory_free(m->deep);
    *m = (struct merged){.set = NULL};
}

static int merge_set(struct merged *m, const struct task *t, const struct samples *set,
                     struct err *e)
{
    size_t rows = (size_t)set->rows, before = (size_t)model_before(&t->model);
    struct task pairs = *t;
    pairs.model.pool = MODEL_POOL_NONE; /* a mean takes the place of its sample's first pair */
    if (m->set == set)
        return 0;
    close_merged(m);
    m->set = set;
    m->g.any = memory_alloc(rows, sizeof *m->g.any, e);
    m->g.deep = memory_alloc(rows, sizeof *m->g.deep, e);
    m->g.front = memory_alloc((size_t)set->count * before + 1, sizeof *m->g.front, e);
    m->g.deep_front = memory_alloc((size_t)set->count * before + 1, sizeof *m->g.front, e);
    m->deep = memory_alloc(rows, sizeof *m->deep, e);
    if (!m->g.any || !m->g.deep || !m->g.front || !m->g.deep_front || !m->deep)
        return ERR_MEMORY;
    int code = evaluation_merge_depth(&pairs, set, &m->g, e);
    if (code || t->model.pool != MODEL_POOL_MEAN) {
        memcpy(m->deep, m->g.deep, code ? 0 : rows * sizeof *m->deep);
        m->deep_groups = m->g.deep_groups;
        return code;
    }
    struct model_groups means = {.any = memory_alloc(rows, sizeof *means.any, e), .deep = m->deep};
    code = means.any ? evaluation_merge_depth(t, set, &means, e) : ERR_MEMORY;
    m->deep_groups = means.deep_groups;
    memory_free(means.any);
    return code;
}

/* Whether networks of the cell's depth have a floor of their own. */
static bool has_depth(const struct record *r)
{
    return r->depth_floor_rms > r->floor_rms || r->depth_floor_sup > r->floor_sup ||
           r->depth_accuracy_ceiling < r->accuracy_ceiling ||
           r->depth_cross_entropy_floor > r->cross_entropy_floor;
}

static int write_one(struct writer *w, const char *folder, struct err *e)
{
    int code = write_subset(w, folder, e);
    close_writer(w);
    return code;
}

/* That of any depth, and that of the cell's where this claims more. */
static int write_both(const struct writer *w, struct merged *m, const char *folder, struct err *e)
{
    struct writer any = *w, deep = *w;
    struct record r;
    evaluation_floors(w->ev, w->subset, &r);
    int code = 0;
    bool means = w->cell->task.model.pool == MODEL_POOL_MEAN;
    if (w->before || means || has_depth(&r))
        code = merge_set(m, &w->cell->task, w->set, e);
    any.front = m->g.front;
    any.pair = means ? m->g.any : w->part.group;
    any.pair_groups = means ? m->g.any_groups : w->part.groups;
    deep.deep = true;
    deep.front = m->g.deep_front;
    deep.pair = m->g.deep;
    deep.pair_groups = m->g.deep_groups;
    code = code ? code : write_one(&any, folder, e);
    if (!code && has_depth(&r)) {
        deep.part.group = m->deep;
        deep.part.groups = m->deep_groups;
        code = write_one(&deep, folder, e);
    }
    return code;
}

int certificates_write(const char *folder, const struct spec *s, const struct cell *c,
                       const struct evaluation *ev, struct err *e)
{
    char own[FILE_PATH_MAX];
    struct merged merged = {.set = NULL};
    if (space_draws(&c->task.space) && !space_of(&c->task.space)->given)
        return err_set(e, ERR_USAGE, "space.positions.random", "certificates do not say where positions "
                       "stand; expected 0");
    int code = file_join(own, sizeof own, folder, c->id, e);
    if (!code)
        code = file_make_folder(own, e);
    for (int k = 0; k < evaluation_subsets(ev) && !code; k++) {
        struct writer w = {.spec = s, .cell = c, .ev = ev, .subset = k,
                           .part = evaluation_part(ev, k),
                           .before = model_before(&c->task.model)};
        w.set = w.part.set;
        code = write_both(&w, &merged, own, e);
    }
    close_merged(&merged);
    return code;
}

int certificates_write_cell(const char *folder, const struct spec *s, const struct cell *c,
                            struct err *e)
{
    int code = 0;
    for (int k = 0; k < evaluation_count(&c->task) && !code; k++) {
        struct evaluation *ev = NULL;
        code = evaluation_open_number(&ev, &c->task, k, e);
        if (!code)
            code = certificates_write(folder, s, c, ev, e);
        evaluation_close(ev);
    }
    return code;
}
