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
    char name[FIGURE_NAME_MAX]; /* of the first page of the figure that is being drawn */
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
};
extern const struct figure figure_floor, figure_pairs, figure_curves, figure_positions,
    figure_params, figure_depth, figure_width, figure_lengths, figure_tables, figure_matrices;

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
/* The lines that every script starts with: its two outputs, and their size in pixels. */
void figure_append_head(struct text *out, const char *name, int width, int height);
/* " 0.125": a number between others in a block of data, six digits. */
void figure_append_number(struct text *out, double value);
/* "n = 16, 3 seeds (0, 1, 2)" of lines first .. first+count-1. */
void figure_append_sample(struct text *out, const struct figure_view *v);
/* How a point or a curve of an attention looks: shapes and colours that stay apart for the
 * colour-blind and in grey (Okabe and Ito 2008). */
const char *figure_series_name(int attention);
const char *figure_series_style(int attention);
const char *figure_series_colour(int attention);
enum { FIGURE_SERIES = 2 };
extern const char *const figure_pair_key[]; /* what labels of pairs leave out */

#endif
