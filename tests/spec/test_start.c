/* model.init: witness: the cell has the witness's sizes, whatever the spec's, reads back to itself,
 * and is refused at its key where no witness is known.  train.polish: large models are refused. */
#include "spec/help_spec.h"

#include <string.h>

static void sizes_are_the_witness_s(void **state)
{
    struct spec *a = spec_of("target: gain\nmodel: {init: witness}\n", NULL);
    struct spec *b = spec_of("target: gain\nmodel: {init: witness, width: 32, layers: 5}\n", NULL);
    struct spec *plain = spec_of("target: gain\n", NULL);
    const struct model_config *m = &spec_cell(a, 0)->task.model;
    assert_int_equal(m->layers, 2);
    assert_int_not_equal(m->width, 64);
    assert_int_equal(m->norm, MODEL_NORM_NONE);
    assert_string_equal(spec_cell(a, 0)->id, spec_cell(b, 0)->id);
    assert_string_not_equal(spec_cell(a, 0)->id, spec_cell(plain, 0)->id);
    spec_close(a);
    spec_close(b);
    spec_close(plain);
}

/* Targets change while the section `model` does not. */
static void every_cell_has_its_own(void **state)
{
    struct spec *s = spec_of("model: {init: witness}\n"
                             "cases: [{target: gain}, {target: prefix_sum}, {target: reverse}]\n",
                             NULL);
    assert_int_equal(spec_cells(s), 3);
    for (int k = 0; k < 3; k++) {
        const struct cell *c = spec_cell(s, k);
        struct text t = {0};
        struct spec *back;
        struct err e = {0};
        assert_int_equal(spec_cell_text(c, "again", &t, &e), 0);
        assert_int_equal(spec_parse(&back, "again", t.data, t.length, NULL, 0, &e), 0);
        assert_string_equal(spec_cell(back, 0)->id, c->id);
        assert_int_equal(spec_cell(back, 0)->task.model.width, c->task.model.width);
        spec_close(back);
        text_close(&t);
    }
    assert_int_not_equal(spec_cell(s, 0)->task.model.width, spec_cell(s, 1)->task.model.width);
    spec_close(s);
}

static void no_witness_is_an_error_at_the_key(void **state)
{
    static const char yaml[] = "target: gain\nmodel:\n  attention: rpe\n  init: witness\n";
    struct spec *s;
    struct err e = {0};
    assert_int_equal(spec_parse(&s, "spec.yaml", yaml, strlen(yaml), NULL, 0, &e), ERR_USAGE);
    assert_string_equal(e.where, "spec.yaml:4:9");
    assert_non_null(strstr(e.msg, "model.init: no witness known for gain under "
                                  "encoding toeplitz and attention rpe; expected 'default'"));
}

static void large_models_are_not_polished(void **state)
{
    refused("spec.yaml:2:26", "parameters are too many to polish; expected at most 20000",
            "target: gain\ntrain: {polish: {method: bfgs}}\n", NULL);
    /* The witness is small, whatever the spec's width. */
    struct spec *s = spec_of("target: gain\nspace: {length: 8, channels: 1}\n"
                             "train: {polish: {method: bfgs}}\n"
                             "model: {init: witness}\n", NULL);
    value_is(s, 0, "train.polish.steps", "200");
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_models_are_not_polished),
                                       cmocka_unit_test(sizes_are_the_witness_s),
                                       cmocka_unit_test(every_cell_has_its_own),
                                       cmocka_unit_test(no_witness_is_an_error_at_the_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
