/* Which figures there are, which of them a spec wants, and the files that they become. */
#include <string.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/gnuplot.h"

enum { FILE_MAX = FIGURE_NAME_MAX + 16, LIST_MAX = 512 };

#define FIGURES(FIGURE)                                                                           \
    FIGURE(floor) FIGURE(pairs) FIGURE(params) FIGURE(depth) FIGURE(width) FIGURE(lengths)         \
    FIGURE(curves) FIGURE(positions) FIGURE(tables) FIGURE(matrices)
#define DECLARE(name) extern const struct figure figure_##name;
#define ADDRESS(name) &figure_##name,

FIGURES(DECLARE)
static const struct figure *const figure_table[] = {FIGURES(ADDRESS) NULL};

/* ---- lines of a view --------------------------------------------------------------------------*/
const struct summary_group *figure_group(const struct figure_view *v, int k)
{
    return report_line_any(&v->lines->line[v->first + k]);
}

const struct summary_group *figure_patterned(const struct figure_view *v, int k)
{
    return v->lines->line[v->first + k].patterned;
}

const struct summary_group *figure_generic(const struct figure_view *v, int k)
{
    const struct report_line *l = &v->lines->line[v->first + k];
    return l->generic ? l->generic : l->patterned ? NULL : l->all;
}

bool figure_has_seeds(const struct figure_view *v)
{
    for (int k = 0; k < v->count; k++)
        if (figure_group(v, k)->count > 1)
            return true;
    return false;
}

void figure_append_bars(struct text *note, const struct figure_view *v)
{
    int most = 0;
    for (int k = 0; k < v->count; k++)
        most = figure_group(v, k)->count > most ? figure_group(v, k)->count : most;
    if (strcmp(report_lines_measure(v->lines), "error") == 0) {
        report_lines_append_measure(note, v->lines);
        text_append(note, "; ");
    }
    if (most < 2)
        text_append(note, "marks: one seed");
    else if (most < STATS_INTERVAL_MIN)
        text_append_format(note, "marks: mean of %d seeds; bars: their range", most);
    else
        text_append_format(note, "marks: geometric mean of %d seeds; bars: its 95 %% interval, or their "
                                 "range", most);
}

/* ---- files ------------------------------------------------------------------------------------*/
void figure_name(char out[FIGURE_NAME_MAX], const char *kind, const char *experiment, int number)
{
    if (number > 1)
        snprintf(out, FIGURE_NAME_MAX, "%s%d-%s", kind, number, experiment);
    else
        snprintf(out, FIGURE_NAME_MAX, "%s-%s", kind, experiment);
}

static int note_drawn(struct figures *f, const char *name, struct err *e)
{
    if (memory_grow(f->name, (size_t)f->count + 1, e))
        return ERR_MEMORY;
    snprintf(f->name[f->count++], FIGURE_NAME_MAX, "%s", name);
    return 0;
}

/* gnuplot leaves it to the viewer whether an image of 16 x 16 becomes squares or a blur. */
static void append_sharp(struct text *out, const struct text *image)
{
    static const char mark[] = "<image ", sharp[] = "<image image-rendering='pixelated' ";
    const char *at = image->data;
    for (const char *next; (next = strstr(at, mark)); at = next + strlen(mark)) {
        text_append_bytes(out, at, (size_t)(next - at));
        text_append(out, sharp);
    }
    text_append(out, at);
}

/* The file takes its place when the picture is whole. */
static int draw_image(struct figure_sink *sink, const struct text *script, const char *name,
                      bool png, struct err *e)
{
    char file[FILE_MAX];
    struct figures *f = sink->out;
    struct text image = {0}, sharp = {0};
    bool absent;
    snprintf(file, sizeof file, "%s.%s", name, png ? "png" : "svg");
    int code = gnuplot_draw(script, png, &image, &absent, e);
    if (!code && absent) {
        f->drawn = false;
        snprintf(f->why, sizeof f->why, "gnuplot is not installed, so no figures were drawn "
                                        "(Debian: apt install gnuplot-nox)");
    }
    if (!code && !absent && !png)
        append_sharp(&sharp, &image);
    if (!code && !absent)
        code = file_write_text(sink->folder, file, png ? &image : &sharp, e);
    text_close(&image);
    text_close(&sharp);
    return code;
}

static int put(struct figure_sink *sink, const char *name, const struct text *script,
               struct err *e)
{
    char file[FILE_MAX];
    struct figures *f = sink->out;
    int code = 0;
    snprintf(file, sizeof file, "%s.gp", name);
    if (f->scripts)
        code = file_write_text(sink->folder, file, script, e);
    if (!code && f->drawn)
        code = draw_image(sink, script, name, false, e);
    if (!code && f->drawn)
        code = note_drawn(f, name, e);
    if (!code && f->drawn && f->png)
        code = draw_image(sink, script, name, true, e);
    return code;
}

/* What is wrong with a cell's file is said once, however often a figure looks at it. */
int figure_fail(struct figure_sink *sink, const char *name, const struct err *why, struct err *e)
{
    struct figures *f = sink->out;
    struct text line = {0};
    if (why->code == ERR_MEMORY)
        return err_set(e, ERR_MEMORY, why->where, "%s", why->msg);
    text_append_format(&line, "figure %s: %s%s%s\n", name, why->where, why->where[0] ? ": " : "",
                       why->msg);
    int code = text_check(&line, e);
    if (!code && (!f->failed || !strstr(f->failures.data, line.data))) {
        text_append(&f->failures, line.data);
        code = text_check(&f->failures, e);
        f->failed++;
    }
    text_close(&line);
    return code;
}

int figure_put(struct figure_sink *sink, const char *name, const struct text *script,
               struct err *e)
{
    struct err why = {0};
    int code = text_check(script, e);
    if (!code && put(sink, name, script, &why))
        code = figure_fail(sink, name, &why, e);
    return code;
}

/* ---- all of them ------------------------------------------------------------------------------*/
static bool is_wanted(const struct spec *s, const char *name)
{
    for (int k = 0; k < spec_figures(s); k++)
        if (strcmp(spec_figure(s, k), name) == 0)
            return true;
    return spec_figures(s) == 0;
}

bool report_figure_at(int index, const char **name, const char **title)
{
    const struct figure *f = figure_table[index];
    if (!f)
        return false;
    *name = f->name;
    *title = f->title;
    return true;
}

int report_figures_check(const struct spec *s, struct err *e)
{
    const char *names[sizeof figure_table / sizeof *figure_table];
    int count = 0;
    for (; figure_table[count]; count++)
        names[count] = figure_table[count]->name;
    for (int k = 0; k < spec_figures(s); k++) {
        const char *name = spec_figure(s, k);
        int known = 0;
        while (known < count && strcmp(names[known], name) != 0)
            known++;
        if (known < count)
            continue;
        char where[FILE_PATH_MAX], list[LIST_MAX] = "";
        struct text all = {.data = list, .capacity = sizeof list, .fixed = true};
        const char *near = text_nearest(name, names, count);
        spec_where(s, "figures", where, sizeof where);
        for (int m = 0; m < count; m++)
            text_append_format(&all, "%s%s", m ? ", " : "", names[m]);
        return err_set(e, ERR_USAGE, where, "figures: no figure %s; expected some of %s%s%s%s", name,
                       list, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return 0;
}

static const char *experiment_of(const struct report_lines *l, int k)
{
    return spec_name(report_line_any(&l->line[k])->spec);
}

static int draw_experiment(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    const struct spec *s = figure_group(v, 0)->spec;
    int code = 0;
    for (int k = 0; !code && figure_table[k]; k++) {
        struct err why = {0};
        sink->figure = figure_table[k];
        figure_name(sink->name, figure_table[k]->name, v->experiment, 1);
        if (is_wanted(s, figure_table[k]->name) && figure_table[k]->draw(sink, v, &why))
            code = figure_fail(sink, sink->name, &why, e);
    }
    return code;
}

int report_figures(const char *folder, const struct results *r, struct figures *f, struct err *e)
{
    char path[FILE_PATH_MAX];
    struct report_lines lines;
    struct figure_sink sink = {.folder = path, .out = f};
    struct figure_view v = {.lines = &lines};
    f->drawn = true;
    int code = file_join(path, sizeof path, folder, "figures", e);
    if (!code)
        code = report_lines_open(&lines, r, NULL, e);
    if (code)
        return code;
    if (lines.count)
        code = file_make_folder(path, e);
    for (int k = 0; !code && k < lines.count; k += v.count) {
        v.first = k;
        v.experiment = experiment_of(&lines, k);
        for (v.count = 1; k + v.count < lines.count; v.count++)
            if (strcmp(v.experiment, experiment_of(&lines, k + v.count)) != 0)
                break;
        code = draw_experiment(&sink, &v, e);
    }
    report_lines_close(&lines);
    return code;
}

void report_figures_close(struct figures *f)
{
    memory_free(f->name);
    text_close(&f->failures);
    *f = (struct figures){0};
}
