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
/* Appends the value as a spec would say it.  exact: every real number with 17 digits, for hashing;
 * otherwise with as few as read back. */
void value_write(const struct option *o, const struct option_value *v, bool exact, struct text *t);

#endif
