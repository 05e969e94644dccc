/* What a plot holds, and which of it becomes a page. */
#include "report/plot.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { BUILT_PER_SHOWN = 8 }; /* panels, of which those with nothing to draw are left out */

/* ---- building ---------------------------------------------------------------------------------*/
/* Appends a copy of the text to a list. */
static void append(struct plot *p, char ***list, int *count, const char *text)
{
    if (!p->code)
        p->code = memory_grow(*list, (size_t)*count + 1, p->e);
    if (p->code)
        return;
    (*list)[*count] = memory_text(text, p->e);
    p->code = (*list)[*count] ? 0 : ERR_MEMORY;
    *count += !p->code;
}

void plot_row(struct plot *p, const char *label) { append(p, &p->row, &p->rows, label); }

void plot_panel(struct plot *p, const char *title, struct plot_axis along, struct plot_axis value)
{
    for (p->current = 0; !p->code && p->current < p->panels; p->current++)
        if (strcmp(p->panel[p->current].title, title) == 0)
            return;
    if (!p->code)
        p->code = memory_grow(p->panel, (size_t)p->panels + 1, p->e);
    if (p->code)
        return;
    struct plot_panel *panel = &p->panel[p->panels];
    *panel = (struct plot_panel){memory_text(title, p->e), along, value, NULL, 0, 0, {0}};
    p->panels += panel->title != NULL;
    p->code = panel->title ? 0 : ERR_MEMORY;
}

void plot_series(struct plot *p, const char *name, unsigned marks)
{
    int place = 0;
    while (place < p->names && strcmp(p->name[place], name) != 0)
        place++;
    if (place == p->names)
        append(p, &p->name, &p->names, name);
    if (p->code)
        return;
    struct plot_panel *panel = &p->panel[p->current];
    for (panel->current = 0; panel->current < panel->count; panel->current++)
        if (panel->series[panel->current].name == place && panel->series[panel->current].marks == marks)
            return;
    p->code = memory_grow(panel->series, (size_t)panel->count + 1, p->e);
    if (!p->code)
        panel->series[panel->count++] = (struct plot_series){place, marks, NULL, 0};
}

void plot_point(struct plot *p, struct plot_point point)
{
    if (p->code)
        return;
    struct plot_series *s = &p->panel[p->current].series[p->panel[p->current].current];
    p->code = memory_grow(s->point, (size_t)s->points + 1, p->e);
    if (!p->code)
        s->point[s->points++] = point;
}

void plot_heat(struct plot *p, struct plot_heat heat)
{
    if (p->code)
        memory_free(heat.value);
    else
        p->panel[p->current].heat = heat;
}

const char *plot_text(struct plot *p, const struct text *t)
{
    if (!p->code)
        p->code = text_check(t, p->e);
    return p->code || !t->data ? "" : t->data;
}

struct plot_point plot_error(double at, const struct line_figures *f)
{
    return (struct plot_point){at, f->error.centre, f->error.low, f->error.high, f->sampling_low,
                               f->sampling_high};
}

struct plot_point plot_value(double at, double value)
{
    return (struct plot_point){at, value, NAN, NAN, NAN, NAN};
}

/* ---- pages ------------------------------------------------------------------------------------*/
static int page_size(const struct plot *p)
{
    return (p->columns ? p->columns : PLOT_COLUMNS) * (p->lines ? p->lines : PLOT_LINES);
}

static int pages_of(const struct plot *p) { return p->pages ? p->pages : PLOT_PAGES; }

bool plot_full(const struct plot *p)
{
    return p->panels >= BUILT_PER_SHOWN * pages_of(p) * page_size(p);
}

bool plot_shows(const struct plot_panel *p, const struct plot_series *s, const struct plot_point *point)
{
    const unsigned edge = PLOT_POINTS | PLOT_ASIDE | PLOT_SQUARES; /* there it is drawn on the edge */
    return isfinite(point->at) && isfinite(point->value) &&
           (s->marks & edge || !plot_is_log(&p->value) || point->value > p->value.smallest);
}

/* Floors alone are nothing to draw. */
static bool is_worth(const struct plot *p, const struct plot_panel *panel)
{
    for (int s = 0; s < panel->count; s++) {
        const struct plot_series *series = &panel->series[s];
        double first = NAN;
        for (int k = 0; k < series->points && !(series->marks & PLOT_FLOOR); k++) {
            if (!plot_shows(panel, series, &series->point[k]))
                continue;
            if (p->places < 2 || (!isnan(first) && first != series->point[k].at))
                return true;
            first = series->point[k].at;
        }
    }
    return panel->heat.rows > 0;
}

static void close_panel(struct plot_panel *panel)
{
    for (int s = 0; s < panel->count; s++)
        memory_free(panel->series[s].point);
    memory_free(panel->series);
    memory_free(panel->heat.value);
    memory_free(panel->title);
}

static void find_scale(struct plot_panel *panel)
{
    double low = INFINITY, high = -INFINITY;
    for (int s = 0; s < panel->count; s++)
        for (int k = 0; k < panel->series[s].points; k++) {
            low = fmin(low, panel->series[s].point[k].value);
            high = fmax(high, panel->series[s].point[k].value);
        }
    if (panel->value.scale == PLOT_EITHER)
        panel->value.scale = low > 0 && high > 10 * low ? PLOT_LOG : PLOT_LINEAR;
}

static void keep_worthy(struct plot *p)
{
    int kept = 0;
    for (int k = 0; k < p->panels; k++) {
        find_scale(&p->panel[k]);
        if (is_worth(p, &p->panel[k]))
            p->panel[kept++] = p->panel[k];
        else
            close_panel(&p->panel[k]);
    }
    p->panels = kept;
}

/* By the alphabet, so that a name looks the same in all figures that have the same names. */
static int find_looks(struct plot *p)
{
    const unsigned own = PLOT_POINTS | PLOT_PALE | PLOT_LINE | PLOT_JOIN | PLOT_BAND;
    bool *has = memory_alloc((size_t)p->names, sizeof *has, p->e);
    p->look = memory_alloc((size_t)p->names, sizeof *p->look, p->e);
    for (int k = 0; has && k < p->panels; k++)
        for (int s = 0; s < p->panel[k].count; s++)
            has[p->panel[k].series[s].name] |= (p->panel[k].series[s].marks & own) != 0;
    for (int k = 0; has && p->look && k < p->names; k++)
        for (int m = 0; m < p->names; m++)
            p->look[k] += has[m] && strcmp(p->name[m], p->name[k]) < 0;
    memory_free(has);
    return has && p->look ? 0 : ERR_MEMORY;
}

static void close_list(char **list, int count)
{
    for (int k = 0; k < count; k++)
        memory_free(list[k]);
    memory_free(list);
}

int plot_finish(struct plot *p, int code)
{
    int size = page_size(p), pages = pages_of(p);
    plot_text(p, &p->what), plot_text(p, &p->note);
    code = code ? code : p->code;
    keep_worthy(p);
    if (!code)
        code = find_looks(p);
    for (int k = 0; !code && k < pages && k * size < p->panels; k++) {
        int left = p->panels - k * size;
        code = plot_page(p, p->panel + k * size, left < size ? left : size,
                         (p->number ? p->number : 1) + k, k + 1 == pages && left > size);
    }
    for (int k = 0; k < p->panels; k++)
        close_panel(&p->panel[k]);
    memory_free(p->panel);
    memory_free(p->look);
    close_list(p->row, p->rows);
    close_list(p->name, p->names);
    text_close(&p->what);
    text_close(&p->note);
    return code;
}
