/* What attention can tell of a pair (i,j) besides the two tokens: its relation class.
 *
 * The class is the encoding's relation, for URPE together with the row of C's table: the common
 * refinement, never one chosen of the two.  (|offset| alone, with ALiBi and a bucketed C, would
 * merge the mirror pairs of palindromes, which C tells apart.)
 * Invariant: ids are dense and shared by all layouts of a set, so that classes of different samples
 * can be compared. */
#ifndef THEORY_CLASSES_H
#define THEORY_CLASSES_H
#include <stdbool.h>
#include <stdint.h>

#include "theory/floor.h"
#include "theory/intern.h"

/* Classes on one layout: by relation where the encoding looks at nothing else, else by pair.  What
 * the mask hides is -1 and never read. */
struct layout_classes {
    const struct layout *layout;
    int32_t *of_relation; /* (relations), or NULL */
    int32_t *of_pair;     /* (n,n), or NULL */
    bool uniform;         /* all visible pairs are of one class */
};

struct classes {
    int layouts;
    struct layout_classes *item; /* (layouts) the distinct layouts of the set */
    int *of_sample;              /* (count) index into item */
    struct intern ids;           /* ids.count classes */
};

/* Fills t for all samples of s; released with classes_close, also after a failure. */
int classes_open(struct classes *t, const struct floor_class *c, const struct floor_set *s,
                 struct err *e);
void classes_close(struct classes *t);

/* Classes of (i,j), j = 0 .. visible-1; scratch (n) may be what is returned. */
const int32_t *classes_row(const struct layout_classes *l, int i, int visible, int32_t *scratch);

#endif
