/* See help_target.h. */
#include "target/help_target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/named_file.h"
#include "base/random.h"
#include "base/text.h"
#include "help_temporary.h"

int fixture_kind(const char *name)
{
    for (int k = 0; target_table[k]; k++)
        if (strcmp(target_table[k]->name, name) == 0)
            return k;
    fail_msg("no target '%s'", name);
    return -1;
}

static double fallback_of(const struct option *o)
{
    double value = 0;
    if (o->type != OPTION_CHOICE) {
        assert_true(text_to_double(o->fallback, &value));
        return value;
    }
    for (int k = 0; o->names[k]; k++)
        if (strcmp(o->names[k], o->fallback) == 0)
            return k;
    fail_msg("default '%s' of '%s' is not among its names", o->fallback, o->key);
    return 0;
}

static const char *text_path(void)
{
    static char path[256];
    help_temporary(path, sizeof path, "target.txt");
    return path;
}

static void remove_text(void)
{
    file_remove(text_path(), NULL);
}

void fixture_text(struct fixture *f, const void *bytes, size_t count)
{
    static bool registered;
    struct err e = {0};
    if (!registered)
        assert_int_equal(atexit(remove_text), 0);
    registered = true;
    assert_int_equal(file_write(text_path(), bytes, count, &e), 0);
    assert_int_equal(named_file_resolve(f->config.kind.text[0].text, OPTION_TEXT_MAX, "",
                                        text_path(), &e),
                     0);
}

static void default_text(struct fixture *f)
{
    unsigned char bytes[1000];
    for (int k = 0; k < 1000; k++)
        bytes[k] = (unsigned char)(k * 37 + k / 256 * 11);
    fixture_text(f, bytes, sizeof bytes);
}

void fixture_configure(struct fixture *f, const char *space, int kind, int n, int d)
{
    *f = (struct fixture){.space = {.length = n, .channels = d}, .config = {.vocab = 10}};
    if (!space)
        space = target_table[kind]->needs & TARGET_NEEDS_GRID    ? "grid"
                : target_table[kind]->needs & TARGET_NEEDS_GRAPH ? "graph"
                                                                 : "sequence";
    while (strcmp(space_table[f->space.kind.kind]->name, space) != 0)
        assert_non_null(space_table[++f->space.kind.kind]);
    if (strcmp(space, "grid") == 0) {
        int height = 1;
        for (int h = 1; h * h <= n; h++)
            height = n % h ? height : h;
        f->space.kind.number[0] = height;
        f->space.kind.number[1] = n / height;
    }
    if (strcmp(space, "graph") == 0) {
        option_set_kind(&space_kinds, space, &f->space.kind);
        f->space.kind.number[1] = n; /* nodes */
    }
    f->target = target_table[kind];
    f->config.kind.kind = kind;
    int texts = 0;
    for (int k = 0; f->target->options && f->target->options[k].key; k++)
        if (f->target->options[k].type == OPTION_TEXT)
            snprintf(f->config.kind.text[texts++].text, OPTION_TEXT_MAX, "%s",
                     f->target->options[k].fallback);
        else
            f->config.kind.number[k] = fallback_of(&f->target->options[k]);
    if (f->target->bytes)
        default_text(f);
}

void fixture_set(struct fixture *f, const char *key, double value)
{
    const struct option *o = f->target->options;
    assert_non_null(o);
    int k = 0;
    while (o[k].key && strcmp(o[k].key, key) != 0)
        k++;
    assert_non_null(o[k].key);
    f->config.kind.number[k] = value;
}

void fixture_open(struct fixture *f)
{
    struct err e = {0};
    if (target_check(&f->config, &f->space, &e))
        fail_msg("%s: %s", f->target->name, e.msg);
    int n = (int)space_positions(&f->space);
    assert_int_equal(arena_open(&f->arena, 0, &e), 0);
    assert_int_equal(
        space_of(&f->space)->layout(&f->space, n, &f->arena, &f->layout, &e), 0);
    if (f->target->open)
        assert_int_equal(
            f->target->open(&f->config, &f->space, n, &f->arena, &f->state, &e), 0);
}

void fixture_close(struct fixture *f)
{
    if (f->state && f->target->close)
        f->target->close(f->state);
    arena_close(&f->arena);
}

void fixture_evaluate(struct fixture *f, const double *x, double *y)
{
    int n = f->layout.n, d = (int)f->space.channels;
    size_t count = (size_t)n * (size_t)d;
    double *copy = memory_alloc(count, sizeof *copy, NULL);
    double *again = memory_alloc(count + 1, sizeof *again, NULL);
    assert_true(copy && again);
    memcpy(copy, x, count * sizeof *copy);
    again[count] = -1234.5;
    struct err e = {0};
    struct target_sample t = target_sample(f->state, &f->config, &f->layout);
    assert_int_equal(f->target->evaluate(&t, d, x, y, &e), 0);
    assert_int_equal(f->target->evaluate(&t, d, x, again, &e), 0);
    assert_memory_equal(x, copy, count * sizeof *copy);
    assert_memory_equal(y, again, count * sizeof *copy);
    assert_true(again[count] == -1234.5);
    memory_free(copy);
    memory_free(again);
}

void fixture_label(struct fixture *f, const int32_t *x, int32_t *out)
{
    size_t n = (size_t)f->layout.n;
    int32_t *copy = memory_alloc(n, sizeof *copy, NULL);
    int32_t *again = memory_alloc(n + 1, sizeof *again, NULL);
    assert_true(copy && again);
    memcpy(copy, x, n * sizeof *copy);
    again[n] = -1234;
    struct err e = {0};
    struct target_sample t = target_sample(f->state, &f->config, &f->layout);
    assert_int_equal(f->target->label(&t, x, out, &e), 0);
    assert_int_equal(f->target->label(&t, x, again, &e), 0);
    assert_memory_equal(x, copy, n * sizeof *copy);
    assert_memory_equal(out, again, n * sizeof *copy);
    assert_int_equal(again[n], -1234);
    memory_free(copy);
    memory_free(again);
}

void fixture_draw(struct fixture *f, uint64_t number, uint64_t count, int32_t *x,
                  int32_t *label)
{
    size_t n = (size_t)f->layout.n;
    struct target_sample t = target_sample(f->state, &f->config, &f->layout);
    int32_t *again = memory_alloc(2 * n + 2, sizeof *again, NULL), *label_again = again + n + 1;
    assert_non_null(again);
    again[n] = label_again[n] = -1234;
    for (int k = 0; k < 2; k++) {
        struct stream random;
        struct err e = {0};
        stream_open(&random, 7, "test", number);
        assert_int_equal(f->target->draw(&t, &random, number, count,
                                         k ? again : x, k ? label_again : label, &e),
                         0);
    }
    assert_memory_equal(again, x, n * sizeof *x);
    assert_memory_equal(label_again, label, n * sizeof *x);
    assert_true(again[n] == -1234 && label_again[n] == -1234);
    memory_free(again);
}

void evaluate(const char *name, int n, int d, const double *x, double *y)
{
    evaluate_with(name, NULL, 0, n, d, x, y);
}

void evaluate_with(const char *name, const char *key, double value, int n, int d, const double *x,
                   double *y)
{
    struct fixture f;
    fixture_configure(&f, "sequence", fixture_kind(name), n, d);
    if (key)
        fixture_set(&f, key, value);
    fixture_open(&f);
    fixture_evaluate(&f, x, y);
    fixture_close(&f);
}

void label(const char *name, int vocab, int n, const int32_t *x, int32_t *out)
{
    struct fixture f;
    fixture_configure(&f, "sequence", fixture_kind(name), n, 1);
    f.config.vocab = vocab;
    fixture_open(&f);
    fixture_label(&f, x, out);
    fixture_close(&f);
}

void fill_uniform(double *x, size_t count, uint64_t number)
{
    struct stream random;
    stream_open(&random, 11, "test", number);
    for (size_t k = 0; k < count; k++)
        x[k] = stream_uniform24(&random);
}

void check_near(const double *got, const double *want, size_t count, double tolerance)
{
    for (size_t k = 0; k < count; k++)
        if (!(fabs(got[k] - want[k]) <= tolerance))
            fail_msg("number %zu is %.17g; expected %.17g +- %g", k, got[k], want[k], tolerance);
}
