/* Small multiples: pages of panels. */
#ifndef REPORT_FIGURE_PANELS_H
#define REPORT_FIGURE_PANELS_H
#include "report/figure.h"
#include "report/trace.h"

/* Cells that have a line in every page would take too many; what is beyond is in the CSV files. */
enum { PANELS_PER_PAGE = 12, PANEL_PAGES_MAX = 4 };

/* A page under construction.  A panel is appended to `body`; then panels_next counts it and, where
 * the page is full, draws it.  panels_finish draws the rest. */
struct panels {
    struct figure_sink *sink;
    const struct figure_view *view;
    const char *kind, *what;   /* the figure's name; what its title says before n and seeds */
    const char *band;          /* and after: what the marks and the band are */
    const char *alone;         /* the same where no line has two seeds; NULL: `band` */
    const char *settings;      /* gnuplot's, for all panels */
    int columns, rows, pages;  /* of panels on a page; 0: 3, as many rows as make 12; 4 pages */
    struct text body;
    int count, page;
};
int panels_next(struct panels *p, struct err *e);
int panels_finish(struct panels *p, struct err *e);
/* Leaves the rest of a row empty. */
int panels_end_row(struct panels *p, struct err *e);
bool panels_full(const struct panels *p); /* no further panel will be shown */
void panels_close(struct panels *p);
/* Appends "set title 'LABEL'" to the body, in lines that a panel is wide enough for. */
void panels_append_title(struct panels *p, const char *label);

#endif
