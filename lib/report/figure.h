/* What the figures share.  A figure is a row of figure_table (figures.c): it writes scripts for
 * gnuplot about the lines of one experiment, and leaves out what has no data.
 *
 * Invariant: a script holds its data, so that it draws the same figure wherever it lies. */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H
#include "report/lines.h"

struct figure_sink {
    const char *folder; /* where the files go */
    struct figures *out;
    const struct figure *figure; /* that is being drawn */
    char name[FIGURE_NAME_MAX];  /* of its first page */
};

/* The lines first .. first+count-1 are those of one experiment. */
struct figure_view {
    const struct report_lines *lines;
    int first, count;
    const char *experiment;
};

struct figure {
    const char *name, *title; /* in `figures:`; one line for people */
    int (*draw)(struct figure_sink *sink, const struct figure_view *v, struct err *e);
    const void *kind;         /* what tells figures of one file apart */
};

/* Draws one script as NAME.svg, and NAME.png where that is wanted; keeps NAME.gp where that is
 * wanted.  What goes wrong is said in `failures`, not returned, so that the other figures are drawn;
 * only a lack of memory is.  Where there is no gnuplot it is not started again. */
int figure_put(struct figure_sink *sink, const char *name, const struct text *script,
               struct err *e);
/* Adds a line to `failures`: what is wrong with figure `name`, once. */
int figure_fail(struct figure_sink *sink, const char *name, const struct err *why, struct err *e);
/* "KIND-EXPERIMENT"; "KINDNUMBER-EXPERIMENT" from the second page on.  What follows the first '-'
 * is the experiment. */
void figure_name(char out[FIGURE_NAME_MAX], const char *kind, const char *experiment, int number);
/* What line k of the view has: one of its groups; that of patterned inputs; that of generic ones,
 * which are all inputs where there are no patterns; NULL where it has none. */
const struct summary_group *figure_group(const struct figure_view *v, int k);
const struct summary_group *figure_patterned(const struct figure_view *v, int k);
const struct summary_group *figure_generic(const struct figure_view *v, int k);
/* Whether some line has two seeds or more. */
bool figure_has_seeds(const struct figure_view *v);
/* Appends what marks and bars are; where lines differ in what their errors are, that too. */
void figure_append_bars(struct text *note, const struct figure_view *v);

#endif
