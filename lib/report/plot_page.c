/* Where everything on a page lies, and gnuplot's words for it.
 *
 * Pixels are counted from the left and from the top; gnuplot is given shares of the page. */
#include <math.h>
#include <string.h>

#include "report/gnuplot.h"
#include "report/listing.h"
#include "report/plot.h"

/* Pixels, at the width of a page of text.  Letters are taken to be as wide as those of the usual wide
 * fonts. */
enum { WIDTH = 900, FRAME = 200, EDGE = 12, LINE = 18, LETTER = 8, TITLE_LINE = 15, TITLE_LETTER = 7 };
enum { TIC_LETTER = 7, TICS = 20, AXIS_LABEL = 22, SAMPLE = 32, MOVE = 4 };
enum { SEEDS_NAMED = 5, ROW_ROOM = 54, ROW_GAP = 4 }; /* letters of a line of a row's label; pixels between rows */

struct page {
    const struct plot *plot;
    const struct plot_panel *panel; /* (panels) */
    int panels, columns, lines;
    int top, bottom, height;        /* of the panels: below the caption, above the legend */
    int left, row_height;           /* sideways: what labels of rows take; pixels of a row, else 0 */
    double panel_width, panel_height;
    int frame_height, title_lines;
    struct text caption;            /* lines */
    int legend_columns;
};

/* ---- text -------------------------------------------------------------------------------------*/
/* Appends the text in lines of at most `room` letters, each ended by \n, and returns how many; a word
 * that is longer is cut.  out NULL: only counts. */
static int break_text(struct text *out, const char *s, int room)
{
    int lines = 0;
    for (; *s; lines++) {
        size_t whole = strcspn(s, "\n"), end = 0, blank = 0;
        for (int letters = 0; end < whole; end++) {
            letters += (s[end] & 0xC0) != 0x80;
            if (letters > room)
                break;
            blank = s[end] == ' ' ? end : blank;
        }
        if (end < whole && s[end] != ' ' && blank)
            end = blank;
        if (out) {
            text_append_bytes(out, s, end);
            text_append(out, "\n");
        }
        s += end + (s[end] == ' ' || s[end] == '\n');
    }
    return lines;
}

static const char *next_line(const char *s)
{
    s += strcspn(s, "\n");
    return s + (*s == '\n');
}

/* Labels for lines of text, the middle of the first at y. */
static void append_lines(struct text *out, const struct page *g, const struct text *lines, double x,
                         double y, int line, const char *justified)
{
    const char *s = lines->data;
    out->failed |= lines->failed;
    for (; s && *s; s = next_line(s), y += line) {
        text_append(out, "set label ");
        gnuplot_string(out, s, strcspn(s, "\n"));
        text_append_format(out, " at screen %.5f,%.5f %s\n", x / WIDTH, 1 - y / g->height, justified);
    }
}

/* " 0.125": a number between others in a block of data, six digits. */
static void append_number(struct text *out, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append_format(out, " %s", text_from_double(number, value, 6));
}

/* "n = 16, 3 seeds (0, 1, 2)" of the view's lines. */
static void append_seeds(struct text *out, const struct figure_view *v)
{
    char number[TEXT_NUMBER_MAX];
    const struct summary_group *g = figure_group(v, 0);
    int64_t length = g->length;
    bool lengths = false;
    int seeds = 0;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *here = figure_group(v, k);
        if (here->count > seeds)
            seeds = here->count, g = here;
        lengths |= here->length != length;
    }
    if (lengths)
        text_append(out, "n as given");
    else
        text_append_format(out, "n = %s", length_text(number, length));
    text_append_format(out, ", %d seed%s (", seeds, seeds == 1 ? "" : "s");
    for (int k = 0; k < seeds && k < SEEDS_NAMED; k++)
        text_append_format(out, "%s%s", k ? ", " : "", result_text(g->row[k], "seed"));
    text_append_format(out, "%s)", seeds > SEEDS_NAMED ? ", ..." : "");
}

/* ---- what a series looks like -----------------------------------------------------------------*/
/* From the back to the front.  @ stands for the colour, ^ for the shape, & for the dashes, ~ for the
 * place, which is moved a little so that bars at one place do not hide each other. */
static const struct {
    unsigned mark;
    const char *upright, *sideways, *style;
} mark_table[] = {
    {PLOT_BELOW, "", "2:1:3:2:($1-0.4):($1+0.4) with boxxyerror", "fs solid 1 noborder lc rgb '#D9D9D9'"},
    {PLOT_EDGE, "", "2:($1-0.4):(0):(0.8) with vectors nohead", "lw 2 lc rgb '#000000'"},
    {PLOT_BAND, "1:3:4 with filledcurves", "", "fs transparent solid 0.25 noborder lc rgb '#@'"},
    {PLOT_PALE, "~:2:5:6 with yerrorbars", "2:1:5:6 with xerrorbars", "pt -1 lw 7 lc rgb '#A0@'"},
    {PLOT_LINE, "1:2 with lines", "", "lw 2 lc rgb '#@'"},
    {PLOT_JOIN, "~:2 smooth unique with lines", "", "lw 2 lc rgb '#@'"},
    {PLOT_FLOOR, "1:2 smooth unique with lines", "", "lw 2 dt & lc rgb '#000000'"},
    {PLOT_ASIDE, "", "2:1 with points", "pt 2 ps 0.8 lw 1.5 lc rgb '#009E73'"},
    {PLOT_SQUARES, "", "2:1:3:4 with xerrorbars", "pt 5 ps 0.8 lw 1.5 lc rgb '#000000'"},
    {PLOT_POINTS, "~:2:3:4 with yerrorbars", "2:1:3:4 with xerrorbars", "pt ^ ps 0.9 lw 1.5 lc rgb '#@'"}};
enum { MARKS = sizeof mark_table / sizeof *mark_table };

/* Colours stay apart for the colour-blind and in grey (Okabe and Ito 2008); shapes do so besides. */
static void append_style(struct text *out, const char *style, int look, double move)
{
    static const char *const colour[] = {"D55E00", "0072B2", "CC79A7", "E69F00",
                                         "56B4E9", "7A5195", "999999", "5D4A1F"};
    static const int shape[] = {7, 9, 5, 13, 11, 15, 4};
    for (; *style; style++)
        switch (*style) {
        case '@': text_append(out, colour[look % 8]); break;
        case '^': text_append_format(out, "%d", shape[look % 7]); break;
        case '&': text_append_format(out, "%d", 2 + look % 4); break;
        case '~': text_append_format(out, "($1*%.6g)", move); break;
        default: text_append_bytes(out, style, 1);
        }
}

/* ---- the legend -------------------------------------------------------------------------------*/
static bool shows_any(const struct plot_panel *p, const struct plot_series *s)
{
    for (int k = 0; k < s->points; k++)
        if (plot_shows(p, s, &s->point[k]))
            return true;
    return false;
}

/* All marks that gnuplot shows of a name on the page: those of its floor, or the others. */
static unsigned marks_of(const struct page *g, int name, bool floor)
{
    unsigned marks = 0;
    for (int k = 0; k < g->panels; k++)
        for (int s = 0; s < g->panel[k].count; s++) {
            const struct plot_series *series = &g->panel[k].series[s];
            if (series->name == name && floor == ((series->marks & PLOT_FLOOR) != 0) &&
                shows_any(&g->panel[k], series))
                marks |= series->marks;
        }
    return marks;
}

/* A sample of the marks, from x on. */
static void append_sample(struct text *out, const struct page *g, unsigned marks, int look, double x,
                          double y)
{
    double left = x / WIDTH, right = (x + SAMPLE - EDGE / 2.0) / WIDTH, middle = (left + right) / 2;
    double at = 1 - y / g->height, half = 5.0 / g->height;
    for (int m = 0; m < MARKS; m++) {
        unsigned mark = mark_table[m].mark & marks;
        if (mark == PLOT_BELOW)
            text_append_format(out, "set object rectangle from screen %.5f,%.5f to screen %.5f,%.5f ",
                               left, at - half, right, at + half);
        else if (mark == PLOT_EDGE)
            text_append_format(out, "set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead ",
                               middle, at - half, middle, at + half);
        else if (mark & (PLOT_LINE | PLOT_JOIN | PLOT_FLOOR))
            text_append_format(out, "set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead ", left,
                               at, right, at);
        else if (mark & (PLOT_POINTS | PLOT_ASIDE | PLOT_SQUARES))
            text_append_format(out, "set label '' at screen %.5f,%.5f point ", middle, at);
        else
            continue;
        append_style(out, mark == PLOT_BELOW ? "fs solid noborder fc rgb '#D9D9D9'" : mark_table[m].style,
                     look, 1);
        text_append(out, "\n");
    }
}

/* Entry `place` of the legend. */
static void append_entry(struct text *out, const struct page *g, int name, bool floor, unsigned marks,
                         int place)
{
    struct text label = {0};
    double x = EDGE + (double)(WIDTH - EDGE) / g->legend_columns * (place % g->legend_columns);
    double y = g->bottom + (place / g->legend_columns + 0.5) * LINE;
    text_append_format(&label, "%s%s", floor ? "floor of " : "", g->plot->name[name]);
    append_sample(out, g, marks, g->plot->look[name], x, y);
    append_lines(out, g, &label, x + SAMPLE, y, LINE, "left");
    text_close(&label);
}

/* Entries in columns, the names first, then their floors; returns how many.  out NULL: counts, and
 * *widest is the letters of the longest. */
static int append_legend(struct text *out, const struct page *g, int *widest)
{
    int entries = 0;
    for (int k = 0; k < 2 * g->plot->names; k++) {
        bool floor = k >= g->plot->names;
        int name = floor ? k - g->plot->names : k;
        unsigned marks = marks_of(g, name, floor);
        if (!marks || !*g->plot->name[name])
            continue;
        if (out)
            append_entry(out, g, name, floor, marks, entries);
        else
            *widest = (int)fmax(*widest, text_columns(g->plot->name[name]) + (floor ? 9 : 0));
        entries++;
    }
    return entries;
}

/* ---- measuring --------------------------------------------------------------------------------*/
static void measure_rows(struct page *g)
{
    int letters = 8, lines = 1;
    for (int k = 0; k < g->plot->rows; k++) {
        int columns = text_columns(g->plot->row[k]), broken = break_text(NULL, g->plot->row[k], ROW_ROOM);
        letters = columns > letters ? columns : letters;
        lines = broken > lines ? broken : lines;
    }
    g->left = TITLE_LETTER * (letters < ROW_ROOM ? letters : ROW_ROOM) + 2 * EDGE;
    g->row_height = lines * TITLE_LINE + ROW_GAP;
}

/* Letters of a title that lies over the middle of its frame. */
static int title_room(const struct page *g)
{
    return (int)(g->panel_width - (g->row_height ? 2 * EDGE : 5 * EDGE)) / TITLE_LETTER;
}

/* gnuplot's lines are 1.5 pixels more than TITLE_LINE: beyond IN_EDGE lines, the label above has no room for that. */
static int title_height(const struct page *g)
{
    enum { IN_EDGE = 6 };
    int beyond = g->title_lines > IN_EDGE ? g->title_lines - IN_EDGE : 0;
    return g->title_lines * TITLE_LINE + 2 * beyond;
}

static void measure(struct page *g, bool more)
{
    const struct plot *p = g->plot;
    struct text all = {0};
    int most = p->columns ? p->columns : PLOT_COLUMNS, widest = 1;
    g->columns = g->panels < most ? g->panels : most;
    g->lines = (g->panels + g->columns - 1) / g->columns;
    if (p->rows)
        measure_rows(g);
    g->panel_width = (double)(WIDTH - g->left) / g->columns;
    g->title_lines = 1;
    for (int k = 0; k < g->panels; k++) {
        int lines = break_text(NULL, g->panel[k].title, title_room(g));
        g->title_lines = lines > g->title_lines ? lines : g->title_lines;
    }
    g->frame_height = p->rows                ? p->rows * g->row_height
                      : g->panel->heat.rows ? (int)g->panel_width - 5 * EDGE : FRAME;
    g->panel_height = g->frame_height + title_height(g) + TICS + AXIS_LABEL + EDGE;
    text_append_format(&all, "%s: %s; ", p->view->experiment, p->what.length ? p->what.data : "");
    append_seeds(&all, p->view);
    text_append_format(&all, "%s\n%s", more ? "; last page, further data are in the CSV files" : "",
                       p->note.length ? p->note.data : "");
    g->top = 2 * EDGE + LINE * break_text(&g->caption, all.failed ? "" : all.data, WIDTH / LETTER);
    g->caption.failed |= all.failed;
    text_close(&all);
    g->bottom = g->top + (int)(g->lines * g->panel_height);
    int entries = append_legend(NULL, g, &widest);
    g->legend_columns = (WIDTH - EDGE) / (SAMPLE + LETTER * widest + EDGE);
    g->legend_columns += g->legend_columns == 0;
    g->height = g->bottom + (entries + g->legend_columns - 1) / g->legend_columns * LINE + EDGE;
}

/* ---- one panel --------------------------------------------------------------------------------*/
struct drawn {
    double left, right, top, bottom; /* of the frame */
    struct plot_range along, value;
};

static int widest_tic(const struct plot_range *r)
{
    size_t widest = 1;
    for (int k = 0; k < r->tics; k++) {
        char text[PLOT_TIC_TEXT];
        plot_tic_text(text, r->tic[k]);
        widest = strlen(text) > widest ? strlen(text) : widest;
    }
    return (int)widest;
}

static void place(struct drawn *d, const struct page *g, int k)
{
    const struct plot_panel *p = &g->panel[k];
    d->left = g->left + k % g->columns * g->panel_width;
    d->right = d->left + g->panel_width - 2 * EDGE;
    d->top = g->top + k / g->columns * g->panel_height + title_height(g);
    d->bottom = d->top + g->frame_height;
    if (g->row_height) {
        plot_range_value(&d->value, p, (int)(d->right - d->left), g->panel, g->panels);
        return;
    }
    plot_range_value(&d->value, p, g->frame_height, NULL, 0);
    d->left += AXIS_LABEL + 3 * EDGE / 2 + TIC_LETTER * widest_tic(&d->value);
    if (p->heat.rows) { /* its cells are square */
        double cell = fmin((d->right - d->left) / p->heat.columns, (d->bottom - d->top) / p->heat.rows);
        d->right = d->left + cell * p->heat.columns;
        d->bottom = d->top + cell * p->heat.rows;
    }
    plot_range_along(&d->along, p, (int)(d->right - d->left));
}

/* "at value low high pale_low pale_high" of each point; a blank line where a line is interrupted.
 * What is not on a logarithmic axis lies on its edge. */
static void append_data(struct text *out, const struct plot_panel *p, const struct drawn *d, int number,
                        int series)
{
    const struct plot_series *s = &p->series[series];
    bool gap = false, any = false;
    text_append_format(out, "$data_%d_%d << EOD\n", number, series);
    for (int k = 0; k < s->points; k++) {
        const struct plot_point *point = &s->point[k];
        const double y[] = {point->value, point->low, point->high, point->pale_low, point->pale_high};
        if (!plot_shows(p, s, point)) {
            gap = any;
            continue;
        }
        text_append(out, gap ? "\n" : "");
        append_number(out, point->at);
        for (int m = 0; m < 5; m++) {
            double here = isnan(y[m]) ? y[0] : y[m];
            bool edge = here <= p->value.smallest || (s->marks & PLOT_ASIDE && here < d->value.low);
            if (edge && plot_is_log(&p->value))
                text_append_format(out, " %.10g", d->value.low);
            else
                append_number(out, here);
        }
        text_append(out, "\n");
        gap = false;
        any = true;
    }
    text_append(out, "EOD\n");
}

static void append_heat(struct text *out, const struct plot_heat *h, int number)
{
    text_append_format(out, "$data_%d << EOD\n", number);
    for (int k = 0; k < h->rows * h->columns; k++) {
        append_number(out, h->value[k]);
        text_append(out, (k + 1) % h->columns ? "" : "\n");
    }
    text_append_format(out,
                       "EOD\nset cbrange [%.6g:%.6g]\nset object rectangle from graph 0,0 to graph 1,1 "
                       "behind fc rgb '#BBBBBB' fs solid noborder\n"
                       "plot $data_%d matrix using ($1+%d):($2+%d):3 with image notitle\n",
                       h->low, h->high, number, h->left, h->top);
}

static void append_axis(struct text *out, char axis, const struct plot_axis *a,
                        const struct plot_range *r, bool down)
{
    text_append_format(out, "%s logscale %c\nset %crange [%.10g:%.10g]\nset %ctics (",
                       plot_is_log(a) ? "set" : "unset", axis, axis, down ? r->high : r->low,
                       down ? r->low : r->high, axis);
    for (int k = 0; k < r->tics; k++) {
        char text[PLOT_TIC_TEXT];
        plot_tic_text(text, r->tic[k]);
        text_append_format(out, "%s'%s' %.10g", k ? ", " : "", text, r->tic[k]);
    }
    text_append_format(out, ")\nset %clabel '%s'\n", axis, a->label);
}

static void append_title(struct text *out, const struct page *g, const char *title)
{
    struct text lines = {0};
    break_text(&lines, title, title_room(g));
    text_append(out, "set title ");
    for (const char *s = lines.data; s && *s; s = next_line(s)) {
        text_append(out, s == lines.data ? "" : " . \"\\n\" . ");
        gnuplot_string(out, s, strcspn(s, "\n"));
    }
    text_append(out, "\n");
    out->failed |= lines.failed;
    text_close(&lines);
}

static void append_series(struct text *out, const struct page *g, const struct plot_panel *p,
                          const struct drawn *d, int number)
{
    for (int s = 0; s < p->count; s++)
        append_data(out, p, d, number, s);
    text_append(out, "plot NaN notitle");
    for (int m = 0; m < MARKS; m++)
        for (int s = 0; s < p->count; s++) {
            int look = g->plot->look[p->series[s].name];
            if (!(p->series[s].marks & mark_table[m].mark) || !shows_any(p, &p->series[s]))
                continue;
            text_append_format(out, ", \\\n  $data_%d_%d using ", number, s);
            append_style(out, g->row_height ? mark_table[m].sideways : mark_table[m].upright, look,
                         pow(d->along.high / d->along.low, MOVE * look / (d->right - d->left)));
            text_append(out, " ");
            append_style(out, mark_table[m].style, look, 1);
            text_append(out, " notitle");
        }
    text_append(out, "\n");
}

static void append_panel(struct text *out, const struct page *g, int number)
{
    const struct plot_panel *p = &g->panel[number];
    struct drawn d = {0};
    place(&d, g, number);
    text_append_format(out,
                       "set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
                       "set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
                       d.left / WIDTH, d.right / WIDTH, 1 - d.top / g->height, 1 - d.bottom / g->height);
    append_title(out, g, p->title);
    append_axis(out, 'x', g->row_height ? &p->value : &p->along, g->row_height ? &d.value : &d.along, false);
    if (g->row_height)
        text_append_format(out, "unset ytics\nset yrange [%d.5:0.5]\n", g->plot->rows);
    else
        append_axis(out, 'y', &p->value, &d.value, p->heat.rows > 0);
    if (p->value.zero)
        text_append(out, g->row_height ? "set arrow from first 0,graph 0 to first 0,graph 1 nohead lw 2\n"
                                       : "set arrow from graph 0,first 0 to graph 1,first 0 nohead lw 2\n");
    if (p->heat.rows)
        append_heat(out, &p->heat, number);
    else
        append_series(out, g, p, &d, number);
    text_append(out, "unset label\nunset arrow\nunset object\n");
}

/* ---- the page ---------------------------------------------------------------------------------*/
static void append_rows(struct text *out, const struct page *g)
{
    double y = g->top + title_height(g) + g->row_height / 2.0;
    for (int k = 0; k < g->plot->rows; k++, y += g->row_height) {
        struct text lines = {0};
        int count = break_text(&lines, g->plot->row[k], ROW_ROOM);
        append_lines(out, g, &lines, g->left - EDGE, y - (count - 1) * TITLE_LINE / 2.0, TITLE_LINE,
                     "right font ',11'");
        text_close(&lines);
    }
}

/* Two outputs, and their size in pixels. */
static void append_head(struct text *out, const char *name, int height)
{
    text_append_format(out,
                       "# `gnuplot %s.gp` draws %s.svg, `gnuplot -c %s.gp FILE` draws FILE,\n"
                       "# `gnuplot -c %s.gp FILE png` draws FILE as PNG; `-` is the standard output.\n"
                       "out = (ARGC > 0) ? ARG1 : '%s.svg'\n",
                       name, name, name, name, name);
    text_append_format(out,
                       "if (ARGC > 1) {\n  set terminal pngcairo size %d,%d font 'sans,10' "
                       "background '#ffffff' noenhanced\n} else {\n  set terminal svg size %d,%d "
                       "font 'sans-serif,12' background '#ffffff' noenhanced\n}\n"
                       "if (out eq '-') { set output } else { set output out }\n",
                       WIDTH, height, WIDTH, height);
}

static void append_script(struct text *out, const struct page *g, const char *name)
{
    append_head(out, name, g->height);
    text_append(out,
                "set border 3 lc rgb '#444444'\nset tics nomirror font ',10'\nset title font ',11' "
                "offset 0,-0.4\nset xlabel font ',11' offset 0,0.7\nset ylabel font ',11'\n"
                "set grid lc rgb '#CCCCCC'\nset errorbars small\nset palette maxcolors 33 defined "
                "(-1 '#0072B2', 0 '#FFFFFF', 1 '#D55E00')\nunset key\nunset colorbox\nset multiplot\n");
    append_lines(out, g, &g->caption, WIDTH / 2.0, EDGE, LINE, "center");
    append_rows(out, g);
    append_legend(out, g, NULL);
    for (int k = 0; k < g->panels; k++)
        append_panel(out, g, k);
    text_append(out, "unset multiplot\n");
}

int plot_page(const struct plot *p, const struct plot_panel *panel, int panels, int number, bool more)
{
    char name[FIGURE_NAME_MAX];
    struct text script = {0};
    struct page g = {.plot = p, .panel = panel, .panels = panels};
    figure_name(name, p->sink->figure->name, p->view->experiment, number);
    measure(&g, more);
    append_script(&script, &g, name);
    int code = figure_put(p->sink, name, &script, p->e);
    text_close(&script);
    text_close(&g.caption);
    return code;
}
