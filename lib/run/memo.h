/* What cells of one class of models have in common though their targets differ: the merged rows of equal
 * inputs, and which of them random networks do not tell apart.
 *
 * Invariant: what is remembered is what would be computed again, to the bit. */
#ifndef RUN_MEMO_H
#define RUN_MEMO_H
#include "base/err.h"
#include "train/train.h"

struct memo;       /* of the class asked about last */
struct memo_entry; /* of one set of inputs; NULL is fine: nothing is remembered */

int memo_open(struct memo **out, struct err *e);
void memo_close(struct memo *m); /* NULL is fine */
/* g as model_merge_depth fills it for s under t's class, deep too.  m NULL: it is computed.  *entry: the
 * inputs', which lives as long as the class is not another; NULL: they are not remembered. */
int memo_merge(struct memo *m, const struct task *t, const struct samples *s, struct model_groups *g,
               struct memo_entry **entry, struct err *e);
/* near (groups) of network `number`, as prove.c marks it; NULL: not known. */
const unsigned char *memo_near(const struct memo_entry *x, int number);
/* Keeps a copy, where there is room. */
void memo_keep_near(struct memo_entry *x, int number, const unsigned char *near);

#endif
