/* Growable text, and numbers as text in every locale: always '.' as decimal point, and printed so
 * that they read back exactly. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* NUL-terminated; zero-initialise, release with text_close.  A failed append sets `failed` and
 * leaves what was there, so a run of appends is checked once, with text_check. */
struct text {
    char *data;
    size_t length, capacity;
    bool failed;
    bool fixed; /* data is the caller's: appends fail where it is full, and nothing is allocated */
};

void text_append(struct text *t, const char *s);
void text_append_bytes(struct text *t, const void *bytes, size_t count);
/* As printf; where digits matter, floating-point numbers go through text_from_double. */
void text_append_format(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int text_check(const struct text *t, struct err *e); /* ERR_MEMORY if an append failed */
void text_clear(struct text *t);
void text_close(struct text *t);

enum { TEXT_NUMBER_MAX = 40 };
/* Writes value with `digits` significant digits ("%.*g"); 17 reads back any double, 9 any float.
 * Whole numbers below 1e15 have no exponent.  NaN and infinities are "nan", "inf", "-inf". */
const char *text_from_double(char out[TEXT_NUMBER_MAX], double value, int digits);
/* The fewest of 15, 16, 17 digits that read back exactly. */
const char *text_from_double_short(char out[TEXT_NUMBER_MAX], double value);
/* As C's %a writes it, with '.' in every locale: the value itself, "-0x1.8p-2". */
const char *text_from_double_exact(char out[TEXT_NUMBER_MAX], double value);

/* Whole string must be a number (YAML 1.2 core float or int); false otherwise.  text_to_double also
 * takes "nan", "inf" and "-inf" as text_from_double writes them, and refuses what is too large for
 * a double rather than make it infinite. */
bool text_to_double(const char *s, double *out);
bool text_to_int64(const char *s, int64_t *out);

/* Bytes of the UTF-8 character that s starts with; 0: a control character, one that changes the
 * order in which others are shown, or none that XML or a terminal takes. */
int text_character(const char *s);
/* What people read goes through these, whose words may be a stranger's: each byte that is no part
 * of a character becomes '?'; with `layout` newlines, tabs and changes of colour stay. */
char *text_clean(char *s, bool layout); /* in place; s */
void text_show(FILE *out, struct text *t);
/* As printf, one message on a line of its own, flushed. */
void text_say(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Edit distance (Damerau, adjacent transpositions count 1) of the first 127 bytes, for "did you
 * mean". */
int text_distance(const char *a, const char *b);
/* The name nearest to s among names[0..count) if it is close enough to be meant, else NULL. */
const char *text_nearest(const char *s, const char *const *names, int count);

#endif
