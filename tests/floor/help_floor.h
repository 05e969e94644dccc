/* Shared by the tests of lib/floor and of what names classes: model classes to loop over, layouts, and small sets of samples
 * with planted repetitions. */
#ifndef HELP_FLOOR_H
#define HELP_FLOOR_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"

/* A sequence layout in arena a. */
struct layout *help_layout(struct arena *a, int n);

/* A space with its default options, but for whole numbers named `key` (NULL: none); finished. */
struct space_config help_space(const char *name, const char *key, int value);
/* The layout of a sample in arena a: one of its own where the space draws them. */
struct layout *help_sample_layout(const struct space_config *c, struct stream *random,
                                  struct arena *a);

/* A kind with its default options. */
struct kind_config help_kind(const struct kind_table *table, const char *name);

/* Every encoding with its default options, then with each other value of each of its choices and
 * switches, and with its whole numbers small, so that clipping happens on short sequences. */
enum { HELP_ENCODINGS_MAX = 128 };
struct help_encoding {
    struct kind_config config;
    char label[96];
};
int help_encodings(struct help_encoding *out); /* how many */
/* The same of any table of kinds. */
int help_variants(const struct kind_table *table, struct help_encoding *out);

/* A model of 2 heads, in the precision of the test; c: the kind of C, -1 for rpe. */
/* c: a kind of C; -1: none; urpe_kinds.count: a formula of i and j. */
struct model_config help_model(const struct kind_config *encoding, int c, bool causal, int width);
/* Its class, with tables sized by `trained`. */
struct model_class help_class(const struct kind_config *encoding, int c, bool causal, int width,
                              const struct layout *trained);

/* Whether the class is defined at the evaluated length. */
bool help_defined(const struct model_class *c, const struct layout *evaluated);

/* A set of samples made of symbols; x (rows,channels) is the symbol's vector, unless channels is 0
 * and the set is one of tokens. */
enum { HELP_SAMPLES_MAX = 512, HELP_ROWS_MAX = 8192 };
struct help_set {
    struct arena arena;
    struct stream random;
    int count, channels;
    int first[HELP_SAMPLES_MAX + 1];
    const struct layout *layout[HELP_SAMPLES_MAX];
    int32_t token[HELP_ROWS_MAX];
    double *x; /* (HELP_ROWS_MAX,channels) */
};
void help_set_open(struct help_set *s, int channels, uint64_t seed);
void help_set_add(struct help_set *s, const struct layout *l, const int32_t *token);
/* Adds a random word over `symbols` symbols and, planted in it or beside it, what floors are about:
 * prefixes, periods, palindromes, blocks, constants, and of each the reversal, a cyclic shift and a
 * permutation.  Symbols are base .. base+symbols-1. */
void help_set_plant(struct help_set *s, const struct layout *l, int symbols, int base);
struct floor_set help_set_view(struct help_set *s); /* points into s */
void help_set_close(struct help_set *s);

/* Whether two labellings of rows are the same partition. */
bool help_same_partition(const int32_t *a, const int32_t *b, int rows);

#endif
