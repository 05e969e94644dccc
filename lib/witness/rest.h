/* An encoding, and C, at rest: what they do to attention when all their tensors are zero, or ones, and
 * what these can be asked for.  Found out by calling their hooks, never by a name.
 *
 * Invariant: `known` is set only where a zero query's logits depend on the relation alone and the
 * encoding adds nothing to the input or to the values; all else in the struct is then exact. */
#ifndef WITNESS_REST_H
#define WITNESS_REST_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "model/model.h"

struct rest {
    bool known;
    bool scores; /* scale * q.k reaches the logits as it is */
    bool places; /* tensor 0 (positions,width) is added to the input row by row, as it stands */
    int relations, table_rows;
    double scale;       /* of q.k */
    double at, c_at;    /* what all tensors hold at rest, C's too; NAN: the mean of their start */
    const double *bias; /* (heads,relations) logits of a zero query; hidden pairs 0 */
    const int32_t *row; /* (relations) tensor 0 is (heads,table_rows) and logits are its entry at
                           row[relation]; NULL: B cannot be asked for */
    const double *c;      /* (heads,relations) C; NULL: 1 */
    const int32_t *c_row; /* as row, of C; NULL: it cannot be asked for, or there is none */
};

/* Of m's encoding and C, for the given shape and under m's mask, by the hooks of one precision; the
 * layout is the shape's trained one.  shown (relations): some pair that is seen has it.  What r points to
 * lives in `arena`. */
int rest_open(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
              const bool *shown, struct arena *arena, struct err *e);
int rest_open_double(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
                     const bool *shown, struct arena *arena, struct err *e);

#endif
