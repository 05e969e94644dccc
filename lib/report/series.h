/* Which panel a line is in, and which of its series it is part of.
 *
 * Series are the values of one axis: of model.attention where the experiment has several, else of the
 * first other key of the model that names things and has a few values.  What depends on it, as model.c
 * does, is part of the series' name: "rpe", "urpe c=toeplitz", "urpe c=bucketed".  Panels tell
 * everything else apart. */
#ifndef REPORT_SERIES_H
#define REPORT_SERIES_H
#include "report/figure.h"

enum { SERIES_KEY = 128 };
struct series_key {
    char axis[SERIES_KEY]; /* without ".kind" */
    const char **own;    /* the axis, and what depends on it; ended by NULL */
    const char **except; /* these, and what else labels of panels leave out */
};
/* except: further axes that labels of panels leave out, with all below them, ended by NULL; or NULL.
 * The view's lines must outlive s. */
int series_open(struct series_key *s, const struct figure_view *v, const char *const *except,
                struct err *e);
void series_close(struct series_key *s);
/* "urpe c=bucketed"; "gain toeplitz layers=2". */
void series_append_name(struct text *out, const struct series_key *s, const struct summary_group *g);
void series_append_panel(struct text *out, const struct series_key *s, const struct summary_group *g);

#endif
