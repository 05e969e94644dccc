/* One line on a terminal that says how far a run is; nothing anywhere else.
 *
 * Invariant: the line is cleared before anything else is printed to the same terminal. */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H
#include <stdbool.h>
#include <stdio.h>

#include "run/run.h"

struct progress {
    FILE *out; /* NULL: no terminal, nothing is drawn */
    double drawn;
    bool visible;
};

/* out may be NULL or no terminal. */
void progress_open(struct progress *p, FILE *out);
/* cells done of `cells`; the cell `label` at c; seconds_left NaN while unknown.  Draws at most ten
 * times a second. */
void progress_draw(struct progress *p, int done, int cells, const char *label,
                   const struct cell_progress *c, double seconds_left);
/* The same without a word of any cell. */
void progress_draw_cells(struct progress *p, int done, int cells, double seconds_left);
void progress_clear(struct progress *p);

#endif
