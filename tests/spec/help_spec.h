/* Opening specs from text within tests. */
#ifndef TESTS_SPEC_HELP_SPEC_H
#define TESTS_SPEC_HELP_SPEC_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spec/spec.h"

/* Opens "spec.yaml" from text with --set texts, ended by NULL; a refusal fails the test. */
struct spec *spec_of(const char *yaml, ...);
/* Expects a refusal at `place` ("spec.yaml:2:3", "--set seeds:1:1") whose message holds phrase. */
void refused(const char *place, const char *phrase, const char *yaml, ...);
/* Expects a dotted key to have a value in a cell; NULL: not to apply. */
void value_is(const struct spec *s, int cell, const char *key, const char *value);
/* Expects so many cells of a spec with at most three --set texts, separated by '|', and values in
 * them: "0 train.lr 0.1" ..., ended by NULL. */
void cells_are(int cells, const char *yaml, const char *sets, ...);

#endif
