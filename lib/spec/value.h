/* One value of one option row: from a node, into a struct, and back to text. */
#ifndef SPEC_VALUE_H
#define SPEC_VALUE_H
#include "base/option.h"
#include "base/text.h"
#include "spec/node.h"

struct value {
    int64_t integer;   /* INT */
    double real;       /* REAL */
    bool truth;        /* BOOL */
    int choice;        /* CHOICE, KIND */
    const char *text;  /* TEXT */
    struct option_ints ints;
};

/* Reads a node as row o asks.  n NULL: the row's default; ERR_USAGE at `absent` if it has none.
 * `key` is the full name for messages. */
int value_read(const struct option *o, const char *key, const struct node *n,
               const struct node *absent, struct value *v, struct err *e);
/* To and from the owner's struct (not KIND). */
void value_store(const struct option *o, const struct value *v, void *owner);
void value_load(const struct option *o, const void *owner, struct value *v);
/* To and from a kind's own values; see kind_row for index and text. */
void value_store_own(const struct option *o, const struct value *v, struct kind_config *c,
                     int index, int text);
void value_load_own(const struct option *o, const struct kind_config *c, int index, int text,
                    struct value *v);
/* Appends the value as a spec would say it.  exact: every real number with 17 digits, for hashing;
 * otherwise with as few as read back. */
void value_write(const struct option *o, const struct value *v, bool exact, struct text *t);
/* What the row accepts: "a number from 0 to 1". */
void value_expected(const struct option *o, char *out, size_t size);

#endif
