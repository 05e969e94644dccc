/* One value of one option row: from a node, and back to text. */
#ifndef SPEC_VALUE_H
#define SPEC_VALUE_H
#include "base/option.h"
#include "base/text.h"
#include "spec/node.h"

/* Reads a node as row o asks.  n NULL: the row's default; ERR_USAGE at `absent` if it has none.
 * `key` is the full name for messages; texts are the node's. */
int value_read(const struct option *o, const char *key, const struct node *n,
               const struct node *absent, struct option_value *v, struct err *e);
enum value_form {
    VALUE_EXACT,  /* for hashing: real numbers with 17 digits, files by their content */
    VALUE_STORED, /* as few digits as read back; files where a copy lies beside the spec */
    VALUE_HERE    /* the same, files where they were read from */
};
/* Appends the value as a spec would say it. */
void value_write(const struct option *o, const struct option_value *v, enum value_form form,
                 struct text *t);

#endif
