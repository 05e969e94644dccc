/* One line of results.csv.
 *
 * Invariant: fields are set by the name of their column and printed in the order of column_table,
 * so the table alone decides the order. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "encoding/encoding.h"
#include "run/evaluate.h"
#include "space/space.h"
#include "target/target.h"

enum { FIELDS_MAX = 64, FIELD_SIZE = 160, TIMING_DIGITS = 9 };

struct row {
    char field[FIELDS_MAX][FIELD_SIZE];
    int digits;
};

static char *field_of(struct row *r, const char *column)
{
    int k = column_index(column);
    assert(k >= 0 && k < FIELDS_MAX);
    return r->field[k];
}

static void set_text(struct row *r, const char *column, const char *value)
{
    char *field = field_of(r, column);
    size_t length = value ? strlen(value) : 0;
    if (length >= FIELD_SIZE)
        length = FIELD_SIZE - 1;
    if (length)
        memcpy(field, value, length);
    field[length] = '\0';
}

static void set_digits(struct row *r, const char *column, double value, int digits)
{
    char number[TEXT_NUMBER_MAX];
    if (!isnan(value))
        set_text(r, column, text_from_double(number, value, digits));
}

static void set_number(struct row *r, const char *column, double value)
{
    set_digits(r, column, value, r->digits);
}

static void set_int(struct row *r, const char *column, int64_t value)
{
    set_digits(r, column, (double)value, 17);
}

/* A key's value in the words of a spec. */
static void set_key(struct row *r, const char *column, const struct cell *c, const char *key)
{
    char value[FIELD_SIZE];
    if (spec_value(c, key, value, sizeof value))
        set_text(r, column, value);
}

static void set_configuration(struct row *r, const struct cell *c)
{
    const struct task *t = &c->task;
    char seed[24];
    set_text(r, "cell", c->id);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->seed);
    set_text(r, "seed", seed);
    set_text(r, "target", target_kinds.name(t->target.kind.kind));
    set_text(r, "encoding", encoding_kinds.name(t->model.encoding.kind));
    set_text(r, "space", space_kinds.name(t->space.kind.kind));
    if (target_of(&t->target)->tokens)
        set_int(r, "vocab", target_vocab(&t->target));
    else
        set_int(r, "channels", t->space.channels);
    set_key(r, "attention", c, "model.attention");
    set_key(r, "mask", c, "model.mask");
    set_key(r, "norm", c, "model.norm");
    set_key(r, "precision", c, "model.precision");
    set_int(r, "layers", t->model.layers);
    set_int(r, "heads", t->model.heads);
    set_int(r, "width", t->model.width);
    set_int(r, "ffn", t->model.ffn);
}

static void set_figures(struct row *r, const struct subset_figures *f)
{
    set_text(r, "verdict", f->verdict);
    set_number(r, "error_rms", f->error_rms);
    set_number(r, "error_rel", f->error_rel);
    set_number(r, "error_sup", f->error_sup);
    set_number(r, "error_worst", f->error_worst);
    set_number(r, "accuracy", f->accuracy);
    set_number(r, "accuracy_informative", f->accuracy_informative);
    set_number(r, "cross_entropy", f->cross_entropy);
    set_number(r, "floor_rms", f->floor_rms);
    set_number(r, "floor_rel", f->floor_rel);
    set_number(r, "floor_sup", f->floor_sup);
    set_number(r, "floor_worst", f->floor_worst);
    set_number(r, "accuracy_ceiling", f->accuracy_ceiling);
    set_number(r, "cross_entropy_floor", f->cross_entropy_floor);
    set_number(r, "gap_rel", f->gap_rel);
    set_text(r, "witness", f->witness);
    set_number(r, "witness_rms", f->witness_rms);
    set_number(r, "witness_rel", f->witness_rel);
    set_number(r, "witness_sup", f->witness_sup);
    set_number(r, "witness_accuracy", f->witness_accuracy);
    set_number(r, "informative_ceiling", f->informative_ceiling);
}

static void set_facts(struct row *r, const struct row_facts *facts)
{
    set_text(r, "experiment", facts->experiment);
    set_text(r, "spec_hash", facts->spec_hash);
    set_text(r, "status", facts->status);
    set_text(r, "version", URPE_VERSION);
    set_text(r, "cpu", facts->cpu);
    set_text(r, "blas", facts->blas);
    if (facts->parameters)
        set_int(r, "params", (int64_t)facts->parameters);
    if (facts->steps >= 0)
        set_int(r, "steps", facts->steps);
    if (facts->threads)
        set_int(r, "threads", facts->threads);
    set_number(r, "train_loss", facts->train_loss);
    set_digits(r, "seconds", facts->seconds, TIMING_DIGITS);
    set_digits(r, "tokens_per_second", facts->tokens_per_second, TIMING_DIGITS);
    set_digits(r, "peak_mib", facts->peak_mib, TIMING_DIGITS);
}

void row_append_header(struct text *t)
{
    for (const struct column *c = column_table; c->name; c++)
        csv_field(t, c->name);
    csv_end_row(t);
}

void row_append(struct text *t, const struct cell *c, int length, const char *subset,
                const struct subset_figures *f, const struct row_facts *facts)
{
    struct row r = {.digits = trainer_api_of(c->task.model.precision)->digits};
    assert(column_count() <= FIELDS_MAX);
    set_configuration(&r, c);
    set_int(&r, "length", length);
    set_text(&r, "subset", subset);
    if (f)
        set_figures(&r, f);
    if (f && target_of(&c->task.target)->bytes)
        set_number(&r, "bits_per_byte", f->cross_entropy / log(2));
    set_facts(&r, facts);
    struct text settings = {0};
    spec_cell_settings(c, &settings);
    t->failed |= settings.failed;
    for (int k = 0; k < column_count(); k++)
        csv_field(t, k == column_index("settings") && settings.data ? settings.data : r.field[k]);
    csv_end_row(t);
    text_close(&settings);
}
