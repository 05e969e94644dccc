/* Pages of panels.  Invariant: a page that is drawn has at least one panel. */
#include "report/figure_panels.h"

#include <string.h>

#include "report/gnuplot.h"

enum { COLUMNS = 3, WIDTH = 900, PANEL_HEIGHT = 270, TITLE_HEIGHT = 70 };
enum { CHARACTER = 8, TITLE_MAX = 160 }; /* a title's character in pixels; a title's line */

/* ---- pages ------------------------------------------------------------------------------------*/
static int columns_of(const struct panels *p) { return p->columns ? p->columns : COLUMNS; }

static int capacity_of(const struct panels *p) {
    return p->rows ? p->rows * columns_of(p) : PANELS_PER_PAGE;
}

static int pages_of(const struct panels *p) { return p->pages ? p->pages : PANEL_PAGES_MAX; }

static bool has_seeds(const struct figure_view *v) {
    for (int k = 0; k < v->count; k++)
        if (report_line_any(&v->lines->line[v->first + k])->count > 1) return true;
    return false;
}

static void append_page_title(struct text *out, const struct panels *p) {
    struct text title = {0};
    text_append_format(&title, "%s: %s; ", p->view->experiment, p->what);
    figure_append_sample(&title, p->view);
    if (p->page + 1 == pages_of(p) && p->count == capacity_of(p))
        text_append(&title, "; last page, further data are in the CSV files");
    gnuplot_string(out, title.data ? title.data : "");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, p->alone && !has_seeds(p->view) ? p->alone : p->band);
    out->failed |= title.failed;
    text_close(&title);
}

static int draw_page(struct panels *p, struct err *e) {
    char name[FIGURE_NAME_MAX];
    struct text script = {0};
    int columns = p->count < columns_of(p) ? p->count : columns_of(p);
    int rows = (p->count + columns - 1) / columns;
    figure_name(name, p->kind, p->view->experiment, p->page + 1);
    figure_append_head(&script, name, WIDTH, TITLE_HEIGHT + rows * PANEL_HEIGHT);
    text_append(&script, "set grid lc rgb '#BBBBBB'\nset tics font ',9'\n"
                         "set key bmargin center horizontal samplen 1.5\n"
                         "set xlabel offset 0,0.5\n");
    text_append(&script, p->settings);
    text_append_format(&script, "set multiplot layout %d,%d title ", rows, columns);
    append_page_title(&script, p);
    text_append(&script, "\n");
    text_append_bytes(&script, p->body.data, p->body.length);
    text_append(&script, "unset multiplot\n");
    script.failed |= p->body.failed;
    int code = figure_put(p->sink, name, &script, e);
    text_close(&script);
    return code;
}

bool panels_full(const struct panels *p) { return p->page == pages_of(p); }

int panels_finish(struct panels *p, struct err *e) {
    int code = p->count ? draw_page(p, e) : 0;
    text_clear(&p->body);
    p->count = 0;
    p->page++;
    return code;
}

int panels_next(struct panels *p, struct err *e) {
    return ++p->count == capacity_of(p) ? panels_finish(p, e) : 0;
}

int panels_end_row(struct panels *p, struct err *e) {
    int code = 0;
    while (!code && p->count % columns_of(p)) {
        text_append(&p->body, "set multiplot next\n");
        code = panels_next(p, e);
    }
    return code;
}

void panels_close(struct panels *p) { text_close(&p->body); }

void panels_append_title(struct panels *p, const char *label) {
    struct text *out = &p->body;
    char line[TITLE_MAX + 1];
    size_t room = (size_t)(WIDTH / columns_of(p) / CHARACTER);
    if (room > TITLE_MAX) room = TITLE_MAX;
    text_append(out, "set title ");
    while (strlen(label) > room) {
        size_t length = room;
        while (length && label[length] != ' ') length--;
        if (!length) break; /* one long word */
        snprintf(line, sizeof line, "%.*s", (int)length, label);
        gnuplot_string(out, line);
        text_append(out, " . \"\\n\" . ");
        label += length + 1;
    }
    gnuplot_string(out, label);
    text_append(out, " font ',10'\n");
}
