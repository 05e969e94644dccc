/* Why a cell is impossible, or too shallow: one group of pairs that no network of the class, or none of
 * the cell's depth, tells apart, from the colours of each round to the arithmetic of the floor, in words,
 * as JSON and as a picture. */
#ifndef REPORT_WHY_H
#define REPORT_WHY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "floor/rounds.h"
#include "report/report.h"
#include "spec/column.h"

enum { WHY_ROWS = 512 }; /* the most that is shown */

/* All pointers are the caller's. */
struct why {
    const char *cell, *target, *formula, *encoding, *attention;
    const char *inputs;             /* what the subset is, in words, or "" */
    int sample;                     /* asked for, from 1; 0: none was */
    int samples;                    /* that are shown: those of the group's first members */
    const int *first, *number;      /* (samples+1) rows; (samples) in the evaluation set, from 0 */
    const struct layout *const *layout; /* (samples) */
    const struct floor_rounds *rounds;
    enum floor_view view;
    bool matrix;                    /* C multiplies the weights */
    bool marked;                    /* the first state of a position has its place in it */
    const bool *member;             /* (rows) of the group */
    const int32_t *token, *label;   /* (rows) of token targets */
    int channels;                   /* of others */
    const double *x, *y;            /* (rows,channels) */
    int shown, members;             /* of the group: in these samples, and in the subset; 1: there is none */
    double mean, square, sup;       /* over its members: of y's channel `channel`; of y about the mean,
                                     * over members and channels; half the largest spread */
    int channel;                    /* the one that differs most within the group */
    int32_t commonest;              /* label, and how many members have it */
    int commonest_members;
    int pairs, merged, groups;      /* of the subset; in groups of several; these groups */
    double deviation;               /* floor_rms / floor_rel */
    double tolerance;
    int depth;                      /* it is about networks of so many layers alone; 0: of any depth */
    int layers;
    struct record floors;           /* of the subset */
};

/* Appends.  width: of the text's lines. */
void why_text(struct text *out, const struct why *w, const struct report_screen *screen);
void why_json(struct text *out, const struct why *w);
void why_svg(struct text *out, const struct why *w);

#endif
