/* A small grammar of figures.  A plot is pages of panels; a panel has two axes and series of marks;
 * a page has a caption above and one legend below.
 *
 *     caption                             caption
 *       title      title                            title      title
 *     |    + o   |                        row 1   |    +  o  |
 *     |   o      |                        row 2   |  +o      |
 *     +--------  +--------                row 3   |__________|__________
 *       along      along                              value      value
 *          o rpe   + urpe                           o rpe   + urpe
 *        upright                              sideways: with labels of rows
 *
 * A figure says what is drawn, in calls: plot_panel, plot_series of it, plot_point of that.  Ranges,
 * tics, places and gnuplot's words are found here.  A panel or series that is named again goes on; a
 * panel without anything to draw is left out.
 *
 * Invariants: all that is written has a place of its own, measured before anything is drawn, so no
 * text lies on another; every axis has two tics or more.  A failure is kept in `code`: further calls
 * do nothing, and plot_finish returns it. */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H
#include "report/figure.h"

/* Whole: of whole numbers.  Sizes: logarithmic, with a tic at each place where something is.  Either:
 * logarithmic where the values, all positive, differ by more than a factor of ten, else linear. */
enum plot_scale { PLOT_LINEAR, PLOT_WHOLE, PLOT_LOG, PLOT_SIZES, PLOT_EITHER };

struct plot_axis {
    const char *label;     /* must outlive the plot */
    enum plot_scale scale;
    bool zero;             /* of `value`: 0 is on the axis, and has a line */
    double smallest;       /* of a logarithmic one; what is not above it is drawn on the edge */
};

/* What is drawn of each point; plot_page.c has the order and the looks. */
enum plot_mark {
    PLOT_POINTS = 1,   /* a mark, and a bar from low to high */
    PLOT_PALE = 2,     /* a pale bar from pale_low to pale_high */
    PLOT_LINE = 4,     /* through the values; interrupted where one is not above `smallest` */
    PLOT_JOIN = 8,     /* likewise through the mean of the values at each place, in order */
    PLOT_BAND = 16,    /* from low to high */
    PLOT_FLOOR = 32,   /* as PLOT_JOIN, in black dashes; "floor of NAME" in the legend */
    PLOT_BELOW = 64,   /* sideways: a grey box from the edge to the value */
    PLOT_EDGE = 128,   /* sideways: a black line across the row */
    PLOT_ASIDE = 256,  /* green crosses, for which the axis makes no room */
    PLOT_SQUARES = 512 /* black squares, with bars */
};

struct plot_point {
    double at, value, low, high, pale_low, pale_high; /* ends that are NaN are the value */
};

struct plot_series {
    int name;       /* in the plot's list */
    unsigned marks;
    struct plot_point *point;
    int points;
};

/* A matrix in place of series: rows downwards, from `top` on, columns from `left` on. */
struct plot_heat {
    int rows, columns, top, left;
    double low, high; /* of the colours */
    double *value;    /* (rows,columns); NaN: grey; taken over by the plot */
};

struct plot_panel {
    char *title;
    struct plot_axis along, value;
    struct plot_series *series;
    int count, current; /* current: the series that points go to */
    struct plot_heat heat;
};

struct plot {
    struct figure_sink *sink;
    const struct figure_view *view;
    int columns, lines, pages; /* of panels on a page; pages of them at most; 0: 3, 4, 4 */
    int number;                /* of the first page; 0: 1 */
    int places;                /* a panel needs points of one series at so many places */
    struct text what, note;    /* the caption: "EXPERIMENT: what; n, seeds", and lines behind it */
    char **row;                /* (rows) labels: the plot is sideways, `at` counts rows from 1 */
    char **name;               /* (names) of series, in the order in which they came */
    int *look;                 /* (names) colour and shape: the place among names that have these */
    struct plot_panel *panel;  /* (panels) */
    int rows, names, panels, current; /* current: the panel that calls are about */
    int code;
    struct err *e;
};
void plot_panel(struct plot *p, const char *title, struct plot_axis along, struct plot_axis value);
void plot_series(struct plot *p, const char *name, unsigned marks);
void plot_point(struct plot *p, struct plot_point point);
void plot_heat(struct plot *p, struct plot_heat heat);
void plot_row(struct plot *p, const char *label);
/* The data of t, for the calls above; "" after a failed append. */
const char *plot_text(struct plot *p, const struct text *t);
/* The error of a line, with its interval over seeds and its sampling error; a value alone. */
struct plot_point plot_error(double at, const struct line_figures *f);
struct plot_point plot_value(double at, double value);
/* Further panels would not be shown. */
bool plot_full(const struct plot *p);
/* Draws all pages and frees everything; code: of the caller, then nothing is drawn.  Returns the
 * first failure. */
int plot_finish(struct plot *p, int code);

/* ---- for plot.c, plot_page.c and plot_axis.c alone ----------------------------------------------*/
enum { PLOT_COLUMNS = 3, PLOT_LINES = 4, PLOT_PAGES = 4, PLOT_TICS_MAX = 24, PLOT_TIC_TEXT = 24 };
/* Whether gnuplot will show the point. */
bool plot_shows(const struct plot_panel *p, const struct plot_series *s, const struct plot_point *point);
/* Draws `panels` panels as page `number`, from 1.  more: further ones follow that are not shown. */
int plot_page(const struct plot *p, const struct plot_panel *panel, int panels, int number, bool more);

struct plot_range {
    double low, high; /* ends of the axis */
    double tic[PLOT_TICS_MAX];
    int tics;         /* two or more */
};
/* The panel's axis, drawn over so many pixels.  Labels of tics on the along axis are side by side, as
 * those on the value axis are where panels > 0: then it is that of all of these panels (panels) whose
 * value axis has the same label. */
void plot_range_along(struct plot_range *r, const struct plot_panel *p, int pixels);
void plot_range_value(struct plot_range *r, const struct plot_panel *p, int pixels,
                      const struct plot_panel *panel, int panels);
bool plot_is_log(const struct plot_axis *a);
/* A tic as text: "0.01", "1e-5". */
void plot_tic_text(char out[PLOT_TIC_TEXT], double tic);

#endif
