/* A target, opened by name on a space, with its options at their defaults. */
#ifndef TESTS_TARGET_HELP_H
#define TESTS_TARGET_HELP_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "space/space.h"
#include "target/target.h"

struct fixture {
    struct space_config space;
    struct target_config config;
    const struct target *target;
    struct arena arena;
    struct layout layout;
    void *state;
};

/* Index into target_table; the test fails when there is none. */
int fixture_kind(const char *name);
/* Configuration with every option at its default, V = 10, and a text of 1000 bytes of all values
 * where the target draws from one; nothing is opened.  space NULL: one that
 * the target is defined on.  A grid of n positions is as square as n allows, and not higher than
 * wide; a graph of n positions is the path. */
void fixture_configure(struct fixture *f, const char *space, int kind, int n, int d);
/* Sets one of the target's own options. */
void fixture_set(struct fixture *f, const char *key, double value);
/* Layout and state; the test fails when target_check refuses. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* Evaluates into y (n,d), or label (n), and checks that nothing was written beyond, that x is as
 * it was, and that a second call gives the same. */
void fixture_evaluate(struct fixture *f, const double *x, double *y);
void fixture_label(struct fixture *f, const int32_t *x, int32_t *label);

/* Draws a sample into x (n), label (n), with the same checks; for targets that bring their inputs. */
void fixture_draw(struct fixture *f, uint64_t number, uint64_t count, int32_t *x, int32_t *label);
/* Makes `bytes` the text of a target that draws from one; until the next call of this. */
void fixture_text(struct fixture *f, const void *bytes, size_t count);

/* Configures, opens, evaluates, closes. */
void evaluate(const char *name, int n, int d, const double *x, double *y);
void evaluate_with(const char *name, const char *key, double value, int n, int d, const double *x,
                   double *y);
void label(const char *name, int vocab, int n, const int32_t *x, int32_t *out);

/* Uniform numbers on [0,1) that depend on `number` alone. */
void fill_uniform(double *x, size_t count, uint64_t number);

/* Fails the test when |got - want| > tolerance, or when either is NaN. */
void check_near(const double *got, const double *want, size_t count, double tolerance);

#endif
