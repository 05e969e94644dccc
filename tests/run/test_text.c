/* A cell on a text from end to end: its figures against a network opened from its weights and fed
 * with windows that are cut here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/help_run.h"

enum { SIZE = 3000, N = 12, SAMPLES = 20, TEST = 300 };

struct place {
    char root[HELP_PATH], text[HELP_PATH], folder[HELP_PATH];
    unsigned char byte[SIZE];
};

static void open_place(struct place *p)
{
    help_folder(p->root);
    snprintf(p->text, HELP_PATH, "%.900s/novel.txt", p->root);
    snprintf(p->folder, HELP_PATH, "%.900s/cell", p->root);
    for (int k = 0; k < SIZE; k++)
        p->byte[k] = (unsigned char)((k * k + k / 7) % 11 * 23);
    assert_int_equal(file_write(p->text, p->byte, SIZE, NULL), 0);
    assert_int_equal(file_make_folder(p->folder, NULL), 0);
}

static struct spec *spec_of(const struct place *p, const char *more)
{
    char yaml[2 * HELP_PATH];
    snprintf(yaml, sizeof yaml,
             "space: {length: %d}\ntarget: {kind: text, file: \"%s\"%s}\nseeds: [2]\n"
             "model: {mask: causal, layers: 1, heads: 2, width: 8, ffn: 8, precision: double}\n"
             "train: {steps: 30, batch: 8, warmup: 5, lr: 0.01}\n"
             "evaluate: {samples: %d, every: 10}\n",
             N, p->text, more, SAMPLES);
    return help_spec(yaml);
}

static void execute(const struct cell *c, const char *folder)
{
    struct err e = {0};
    bool diverged;
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9};
    if (cell_execute(&r, &diverged, &e))
        fail_msg("%s: %s", e.where, e.msg);
    assert_false(diverged);
}

/* Column of the row of subset all. */
static double figure(const char *folder, const char *column)
{
    char path[HELP_PATH];
    struct csv csv;
    double value;
    snprintf(path, sizeof path, "%.1000s/row.csv", folder);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    assert_string_equal(csv.row[1][csv_column(&csv, "subset")], "all");
    if (!text_to_double(csv.row[1][csv_column(&csv, column)], &value))
        fail_msg("%s is '%s'", column, csv.row[1][csv_column(&csv, column)]);
    csv_close(&csv);
    return value;
}

struct direct {
    const unsigned char *window[SAMPLES];
    double bits, hits;
};

static void add_logits(void *context, int first, int rows, int labels, const double *logits)
{
    struct direct *d = context;
    assert_int_equal(labels, 256);
    for (int k = 0; k < rows; k++, logits += labels) {
        int row = first + k, best = 0;
        double z = 0;
        for (int v = 0; v < labels; v++) {
            z += exp2(logits[v] / log(2));
            best = logits[v] > logits[best] ? v : best;
        }
        int next = d->window[row / N][row % N + 1];
        d->bits += log2(z) - logits[next] / log(2);
        d->hits += best == next;
    }
}

/* The last tenth of the text, in windows from its first byte to its last but one. */
static void measure(const struct place *p, const struct task *t, struct direct *d)
{
    struct samples s = {0};
    struct network x;
    struct pool *pool;
    struct err e = {0};
    int first[SAMPLES + 1];
    int32_t token[SAMPLES * N], label[SAMPLES * N] = {0};
    struct layout layout, *layouts[SAMPLES];
    assert_int_equal(arena_open(&s.arena, 0, &e), 0);
    assert_int_equal(space_of(&t->space)->layout(&t->space, N, &s.arena, &layout, &e), 0);
    for (int k = 0; k <= SAMPLES; k++)
        first[k] = k * N;
    for (int k = 0; k < SAMPLES; k++) {
        d->window[k] = p->byte + SIZE - TEST + k * (TEST - N - 1) / (SAMPLES - 1);
        layouts[k] = &layout;
        for (int i = 0; i < N; i++)
            token[k * N + i] = d->window[k][i];
    }
    s.count = SAMPLES;
    s.rows = SAMPLES * N;
    s.first = first;
    s.layout = layouts;
    s.token = token;
    s.label = label;
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    assert_int_equal(network_open(&x, t, pool, &e), 0);
    assert_int_equal(network_import(&x, p->folder, &e), 0);
    assert_int_equal(x.api->outputs(x.trainer, &s, NULL, add_logits, d, &e), 0);
    network_close(&x);
    pool_close(pool);
    arena_close(&s.arena);
}

static void test_bits_per_byte(void **state)
{
    struct place p;
    struct direct d = {0};
    open_place(&p);
    struct spec *s = spec_of(&p, "");
    execute(spec_cell(s, 0), p.folder);
    measure(&p, &spec_cell(s, 0)->task, &d);
    double rows = SAMPLES * N, bits = figure(p.folder, "bits_per_byte");
    assert_true(fabs(bits - d.bits / rows) < 1e-12 * bits);
    assert_true(fabs(figure(p.folder, "cross_entropy") - bits * log(2)) < 1e-12);
    assert_true(fabs(figure(p.folder, "accuracy") - d.hits / rows) < 1e-12);
    assert_true(figure(p.folder, "vocab") == 256);
    assert_true(bits > 1 && bits < 8); /* neither known nor unlearned */
    assert_true(figure(p.folder, "cross_entropy") >= figure(p.folder, "cross_entropy_floor"));
    assert_true(figure(p.folder, "cross_entropy_floor") > 0);
    spec_close(s);
    help_remove(p.root);
}

/* What is trained is the same whichever part is looked at, and the parts differ. */
static void test_selection_part(void **state)
{
    struct place p;
    char other[HELP_PATH];
    open_place(&p);
    snprintf(other, sizeof other, "%.900s/other", p.root);
    assert_int_equal(file_make_folder(other, NULL), 0);
    struct spec *test = spec_of(&p, ""), *selection = spec_of(&p, ", evaluate: selection");
    assert_string_not_equal(spec_cell(test, 0)->id, spec_cell(selection, 0)->id);
    execute(spec_cell(test, 0), p.folder);
    execute(spec_cell(selection, 0), other);
    assert_true(figure(p.folder, "train_loss") == figure(other, "train_loss"));
    assert_true(figure(p.folder, "bits_per_byte") != figure(other, "bits_per_byte"));
    spec_close(test);
    spec_close(selection);
    help_remove(p.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_per_byte),
        cmocka_unit_test(test_selection_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
