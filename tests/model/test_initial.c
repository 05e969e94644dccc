/* Initial values: what the descriptor table says, and what the block then holds. */
#include <math.h>

#include "base/option.h"
#include "help_model.h"

/* The embedding has the standard deviation asked for; the output weights, when they are not the
 * embedding's, do not depend on it. */
static void check_embedding(double std)
{
    enum { SYMBOLS = 500, WIDTH = 16, COUNT = SYMBOLS * WIDTH };
    struct arena arena;
    struct err e = {0};
    struct model m;
    struct model_config c = {0};
    struct space_config space = {0};
    struct layout trained;
    double sum = 0, squares = 0;
    assert_int_equal(arena_open(&arena, 0, &e), 0);
    option_defaults(space_options, &space);
    assert_int_equal(space_of(&space)->layout(&space, 4, &arena, &trained, &e), 0);
    option_defaults(model_options, &c);
    c.width = WIDTH;
    c.embed_std = std;
    const struct model_io io = {.symbols = SYMBOLS, .labels = 3};
    assert_int_equal(model_open(&m, &c, &io, &trained, &e), 0);
    real *p = arena_alloc(&arena, m.tensors.elements, sizeof *p, &e);
    assert_non_null(p);
    model_initialise(&m, 7, p);
    const struct tensor *embed = &m.tensors.item[m.embed], *head = &m.tensors.item[m.head];
    assert_int_equal(embed->count, COUNT);
    assert_true(embed->deviation == std && head->deviation == 0.25);
    for (int i = 0; i < COUNT; i++) {
        double v = (double)p[embed->offset + (size_t)i];
        sum += v;
        squares += v * v;
    }
    /* Five standard errors: std / sqrt(COUNT) of the mean, std / sqrt(2 COUNT) of the deviation. */
    assert_true(fabs(sum / COUNT) <= 5 * std / sqrt(COUNT));
    assert_true(fabs(sqrt(squares / COUNT) / std - 1) <= 5 / sqrt(2.0 * COUNT));
    model_close(&m);
    arena_close(&arena);
}

static void test_embedding(void **state)
{
    struct model_config c = {0};
    option_defaults(model_options, &c);
    assert_true(c.embed_std == 0.02);
    check_embedding(0.02);
    check_embedding(0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_embedding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
