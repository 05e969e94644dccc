/* Pages of panels.  Invariant: a page that is drawn has at least one panel. */
#include "report/figure_panels.h"

#include "report/gnuplot.h"

enum { COLUMNS = 3, WIDTH = 900, PANEL_HEIGHT = 286, TITLE_HEIGHT = 34,
       LINE_HEIGHT = 18 };
enum { CHARACTER = 8 }; /* of a title, in pixels */

/* ---- pages ------------------------------------------------------------------------------------*/
static int columns_of(const struct panels *p) { return p->columns ? p->columns : COLUMNS; }

static int capacity_of(const struct panels *p)
{
    return p->rows ? p->rows * columns_of(p) : PANELS_PER_PAGE;
}

static int pages_of(const struct panels *p) { return p->pages ? p->pages : PANEL_PAGES_MAX; }

static bool has_seeds(const struct figure_view *v)
{
    for (int k = 0; k < v->count; k++)
        if (report_line_any(&v->lines->line[v->first + k])->count > 1)
            return true;
    return false;
}

/* Returns the number of lines. */
static int append_page_title(struct text *out, const struct panels *p)
{
    struct text title = {0};
    text_append_format(&title, "%s: %s; ", p->view->experiment, p->what);
    figure_append_sample(&title, p->view);
    if (p->page + 1 == pages_of(p) && p->count == capacity_of(p))
        text_append(&title, "; last page, further data are in the CSV files");
    int lines = gnuplot_lines(out, title.data ? title.data : "", WIDTH / CHARACTER);
    text_append(out, " . \"\\n\" . ");
    lines += gnuplot_lines(out, p->alone && !has_seeds(p->view) ? p->alone : p->band,
                           WIDTH / CHARACTER);
    out->failed |= title.failed;
    text_close(&title);
    return lines;
}

static int draw_page(struct panels *p, struct err *e)
{
    char name[FIGURE_NAME_MAX];
    struct text script = {0}, title = {0};
    int lines = append_page_title(&title, p), columns = p->count < columns_of(p) ? p->count : columns_of(p);
    int rows = (p->count + columns - 1) / columns;
    figure_name(name, p->kind, p->view->experiment, p->page + 1);
    figure_append_head(&script, name, WIDTH, TITLE_HEIGHT + lines * LINE_HEIGHT + rows * PANEL_HEIGHT);
    text_append(&script, "set grid lc rgb '#BBBBBB'\nset tics font ',9'\n"
                         "set key bmargin center horizontal samplen 1.5 height 1.2 font ',9'\n"
                         "set xlabel offset 0,0.5\n");
    text_append(&script, p->settings);
    text_append_format(&script, "set multiplot layout %d,%d title ", rows, columns);
    if (title.data)
        text_append(&script, title.data);
    text_append(&script, "\n");
    text_append_bytes(&script, p->body.data, p->body.length);
    text_append(&script, "unset multiplot\n");
    script.failed |= p->body.failed || title.failed;
    text_close(&title);
    int code = figure_put(p->sink, name, &script, e);
    text_close(&script);
    return code;
}

bool panels_full(const struct panels *p) { return p->page == pages_of(p); }

int panels_finish(struct panels *p, struct err *e)
{
    int code = p->count ? draw_page(p, e) : 0;
    text_clear(&p->body);
    p->count = 0;
    p->page++;
    return code;
}

int panels_next(struct panels *p, struct err *e)
{
    return ++p->count == capacity_of(p) ? panels_finish(p, e) : 0;
}

int panels_end_row(struct panels *p, struct err *e)
{
    int code = 0;
    while (!code && p->count % columns_of(p)) {
        text_append(&p->body, "set multiplot next\n");
        code = panels_next(p, e);
    }
    return code;
}

void panels_close(struct panels *p) { text_close(&p->body); }

void panels_append_title(struct panels *p, const char *label)
{
    text_append(&p->body, "set title ");
    gnuplot_lines(&p->body, label, WIDTH / columns_of(p) / CHARACTER);
    text_append(&p->body, " font ',10'\n");
}
