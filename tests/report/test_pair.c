/* Pairs: any two values of any key, seed by seed, found from the spec. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "report/help_report.h"
#include "report/pair.h"

#define SPEC(more) \
    "name: p\nseeds: 3\nspace: {length: 4, channels: 2, inputs: {identical: 0.5}}\n" \
    "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4}\n" more

/* error_rel: 0.1 (seed + 1) more for t5 than for others, 0.5 more for rpe, 0.25 for C in buckets; a
 * hundredth of lr. */
static const char *invented(const struct cell *c, int64_t length, const char *subset,
                            const char *column, char *buffer)
{
    char value[64];
    double error = 1;
    if (strcmp(column, "error_rel") != 0)
        return help_figures(c, length, subset, column, buffer);
    if (spec_value(c, "model.encoding", value, sizeof value) && !strcmp(value, "t5"))
        error += 0.1 * (double)(c->task.seed + 1);
    if (c->task.model.attention == MODEL_RPE)
        error += 0.5;
    if (spec_value(c, "model.c", value, sizeof value) && !strcmp(value, "bucketed"))
        error += 0.25;
    error += c->task.train.lr / 100;
    return text_from_double(buffer, error, 12);
}

static void summary_of(const char *yaml, struct csv *out)
{
    struct help_report h;
    struct err e = {0};
    char path[HELP_PATH + 16];
    help_report_open(&h, yaml, invented);
    snprintf(path, sizeof path, "%s/summary.csv", h.folder);
    assert_int_equal(csv_read(path, out, &e), 0);
    help_report_close(&h);
}

static const char *field(const struct csv *c, int row, const char *column)
{
    return c->row[row][csv_column(c, column)];
}

/* How many lines about error_rel of all inputs have this pair; *row: of the last of them. */
static int lines_of(const struct csv *c, const char *pair, int *row)
{
    int count = 0;
    for (int k = 1; k < c->rows; k++)
        if (!strcmp(field(c, k, "pair"), pair) && !strcmp(field(c, k, "figure"), "error_rel") &&
            !strcmp(field(c, k, "subset"), "all")) {
            *row = k;
            count++;
        }
    return count;
}

static void number_is(const struct csv *c, int row, const char *column, double expected)
{
    double value;
    assert_true(text_to_double(field(c, row, column), &value));
    if (fabs(value - expected) > 1e-8)
        fail_msg("%s is %.12g, not %.12g", column, value, expected);
}

/* t5 - rope in each seed 0.1, 0.2, 0.3, whatever the attention; rpe - urpe always 0.5. */
static void two_values_of_any_key_are_compared(void **state)
{
    struct csv c;
    int row;
    summary_of(SPEC("grid: {model.encoding: [t5, rope], model.attention: [urpe, rpe]}\n"), &c);
    assert_int_equal(lines_of(&c, "model.encoding=t5-rope", &row), 2);
    assert_string_equal(field(&c, row, "encoding"), "t5-rope");
    number_is(&c, row, "seeds", 3);
    number_is(&c, row, "mean", 0.2);
    number_is(&c, row, "sd", 0.1);
    number_is(&c, row, "least", 0.1);
    number_is(&c, row, "greatest", 0.3);
    assert_string_equal(field(&c, row, "ci95_low"), "");
    assert_int_equal(lines_of(&c, "model.attention=rpe-urpe", &row), 2);
    assert_string_equal(field(&c, row, "attention"), "rpe-urpe");
    number_is(&c, row, "mean", 0.5);
    number_is(&c, row, "sd", 0);
    assert_int_equal(lines_of(&c, "", &row), 4);
    csv_close(&c);
}

/* RPE has no C, and is the partner of either kind; kinds of C have no column, layers none of names, and
 * three values are no pair, so nothing else is compared unasked. */
static void a_key_that_depends_on_the_pairs_does_not_tell_apart(void **state)
{
    struct csv c;
    int row;
    summary_of(SPEC("cases:\n  - {model.attention: rpe}\n"
                    "  - {model.attention: urpe, model.c: toeplitz}\n"
                    "  - {model.attention: urpe, model.c: bucketed}\n"
                    "grid: {model.encoding: [t5, rope, alibi], model.layers: [1, 2]}\n"), &c);
    assert_int_equal(lines_of(&c, "model.attention=rpe-urpe", &row), 12);
    assert_non_null(strstr(field(&c, row, "axes"), "model.c=bucketed"));
    number_is(&c, row, "mean", 0.25);
    assert_int_equal(lines_of(&c, "", &row), 18);
    for (int k = 1; k < c.rows; k++)
        assert_true(!*field(&c, k, "pair") ||
                    !strcmp(field(&c, k, "pair"), "model.attention=rpe-urpe"));
    csv_close(&c);
}

/* Two kinds of t5 beside one rope: the line says which. */
static void options_of_the_first_value_are_named(void **state)
{
    struct csv c;
    int row;
    summary_of(SPEC("grid:\n  model.encoding: [{kind: t5, buckets: 8}, {kind: t5, buckets: 16}, rope]\n"),
               &c);
    assert_int_equal(lines_of(&c, "model.encoding=t5-rope", &row), 2);
    assert_string_equal(field(&c, row, "axes"), "model.encoding=rope model.encoding.buckets=16");
    csv_close(&c);
}

/* What a claim is about is compared, too: here in a column of numbers, which stays one. */
static void claimed_pairs_are_compared(void **state)
{
    struct csv c;
    int row;
    summary_of(SPEC("grid: {train.lr: [0.1, 0.2, 0.3], model.layers: [1, 2, 3]}\nclaims:\n"
                    "  - {pair: {train.lr: [0.3, 0.1]}, expect: {error_rel: '> 0'}}\n"
                    "  - {pair: {layers: [1, 3]}, expect: {error_rel: 0}}\n"), &c);
    assert_int_equal(lines_of(&c, "train.lr=0.3-0.1", &row), 3);
    number_is(&c, row, "mean", 0.002);
    assert_int_equal(lines_of(&c, "model.layers=1-3", &row), 3);
    assert_string_equal(field(&c, row, "layers"), "");
    number_is(&c, row, "mean", 0);
    csv_close(&c);
}

/* A difference is of one seed: where a cell has none, its partner's does not count. */
static void seeds_meet_their_own(void **state)
{
    struct spec *s = help_spec(SPEC("grid: {model.attention: [rpe, urpe]}\n"));
    struct results r;
    struct summary sum;
    struct group_pairs p;
    struct interval i;
    struct err e = {0};
    char folder[HELP_PATH];
    help_folder(folder);
    help_write_spec(folder, s);
    for (int k = 1; k < spec_cells(s); k++) /* not rpe of seed 0 */
        if (k != 4)                         /* nor urpe of seed 1 */
            help_write_cell(folder, spec_cell(s, k), invented);
    help_open(&r, folder);
    assert_int_equal(summary_open(&sum, &r, NULL, &e), 0);
    assert_int_equal(group_pairs_open(&p, sum.group, sum.groups, &e), 0);
    assert_int_equal(p.pairs, 1);
    assert_int_equal(p.count, 3); /* all, generic, identical */
    for (int k = 0; k < p.count; k++) {
        assert_null(pair_row(&p.match[k], 0));
        assert_string_equal(result_text(pair_row(&p.match[k], 1), "seed"), "2");
        assert_int_equal(pair_difference(&p.match[k], NULL, &i, &e), 0);
        assert_int_equal(i.n, 1);
        assert_true(fabs(i.mean - 0.5) < 1e-12);
    }
    group_pairs_close(&p);
    summary_close(&sum);
    results_close(&r);
    help_remove(folder);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_values_of_any_key_are_compared),
        cmocka_unit_test(a_key_that_depends_on_the_pairs_does_not_tell_apart),
        cmocka_unit_test(options_of_the_first_value_are_named),
        cmocka_unit_test(claimed_pairs_are_compared),
        cmocka_unit_test(seeds_meet_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
