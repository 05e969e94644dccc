/* Floors over orbits without keeping the images: what is found with all of them kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/help_run.h"

static void same(double a, double b, const char *what)
{
    if (!(isnan(a) && isnan(b)) && !(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%s: %.17g, with images kept %.17g", what, a, b);
}

/* Returns how many subsets have a floor. */
static int compare(const char *text)
{
    struct spec *s = help_spec(text);
    const struct task *t = &spec_cell(s, 0)->task;
    struct evaluation *kept, *ev;
    struct err e = {0};
    int floors = 0;
    if (evaluation_open_number(&kept, t, 0, &e) || evaluation_open_floors(&ev, t, 0, 0, NULL, &e))
        fail_msg("%s: %s: %s", text, e.where, e.msg);
    assert_int_equal(evaluation_subsets(ev), evaluation_subsets(kept));
    assert_true(evaluation_samples(ev)->count < evaluation_samples(kept)->count);
    for (int k = 0; k < evaluation_subsets(ev); k++) {
        struct record a, b;
        evaluation_floors(ev, k, &a);
        evaluation_floors(kept, k, &b);
        assert_string_equal(a.subset, b.subset);
        assert_string_equal(a.verdict, b.verdict);
        for (int c = 0; column_table[c].name; c++)
            if (column_table[c].from == FROM_REAL) {
                double left, right;
                memcpy(&left, (char *)&a + column_table[c].offset, sizeof left);
                memcpy(&right, (char *)&b + column_table[c].offset, sizeof right);
                same(left, right, text);
            }
        floors += b.floor_rms > 0 || b.accuracy_ceiling < 1;
    }
    evaluation_close(kept);
    evaluation_close(ev);
    spec_close(s);
    return floors;
}

static void kept_or_not(void **unused)
{
    static const char *const data[] = {
        "space: {length: 7, channels: 2, inputs: {identical: 0.2, palindrome: 0.2, periodic: 0.2}}\n"
        "target: gain\nevaluate: {samples: 20, orbit: shifts}\n",
        "space: {length: 6, channels: 1, inputs: {constant: 0.4}}\n"
        "target: prefix_sum\nevaluate: {samples: 10, orbit: dihedral}\n",
        "space: {length: 6, inputs: {identical: 0.5}}\n"
        "target: {kind: token_reverse, vocab: 2}\nevaluate: {samples: 12, orbit: shifts}\n",
        "space: {length: 6, inputs: {periodic: 0.5}}\n"
        "target: {kind: etp, vocab: 900}\nevaluate: {samples: 8, orbit: reversal}\n",
        "space: {kind: grid, height: 2, width: 3, channels: 2, inputs: {identical: 0.3, mirror: 0.3}}\n"
        "target: grid_gain\nevaluate: {samples: 10, orbit: mirrors}\n",
        "space: {length: 8, channels: 1}\n"
        "target: reverse\nevaluate: {samples: 16, orbit: shifts, images: 4}\n"};
    static const char *const model[] = {
        "model: {encoding: toeplitz, attention: rpe}\n", "model: {encoding: none, attention: rpe}\n",
        "model: {encoding: toeplitz, attention: urpe, normaliser: sink}\n",
        "model: {encoding: sinusoidal, attention: rpe, layers: 1}\n",
        "model: {encoding: shaw, mask: {kind: window, past: 2}, attention: rpe, layers: 1}\n"};
    int floors = 0;
    for (size_t k = 0; k < sizeof data / sizeof *data; k++)
        for (size_t m = 0; m < sizeof model / sizeof *model; m++) {
            char text[512];
            if (k == 4 && m > 2)
                continue; /* no such models of grids */
            snprintf(text, sizeof text, "%s%s", data[k], model[m]);
            floors += compare(text);
        }
    print_message("%d subsets with a floor\n", floors);
    assert_true(floors > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept_or_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
