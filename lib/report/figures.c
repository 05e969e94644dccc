/* Which figures there are, which of them a spec wants, and the files that they become. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/gnuplot.h"
#include "report/output.h"

enum { SEEDS_NAMED = 5, FILE_MAX = FIGURE_NAME_MAX + 16, IMAGE_BYTES_MAX = 64 << 20 };

static const struct figure *const figure_table[] = {
    &figure_floor,  &figure_pairs,     &figure_params, &figure_depth,    &figure_width, &figure_lengths,
    &figure_curves, &figure_positions, &figure_tables, &figure_matrices, NULL};

const char *const figure_pair_key[] = {"model.attention", NULL};

/* Indexed by enum model_attention. */
static const struct {
    const char *name, *style, *colour;
} series[FIGURE_SERIES] = {{"rpe", "pt 7 ps 0.9 lw 1.5 lc rgb '#D55E00'", "#D55E00"},
                           {"urpe", "pt 9 ps 1.0 lw 1.5 lc rgb '#0072B2'", "#0072B2"}};

const char *figure_series_name(int attention) { return series[attention].name; }
const char *figure_series_style(int attention) { return series[attention].style; }
const char *figure_series_colour(int attention) { return series[attention].colour; }

/* ---- pieces of scripts ------------------------------------------------------------------------*/
void figure_name(char out[FIGURE_NAME_MAX], const char *kind, const char *experiment, int number)
{
    if (number > 1)
        snprintf(out, FIGURE_NAME_MAX, "%s%d-%s", kind, number, experiment);
    else
        snprintf(out, FIGURE_NAME_MAX, "%s-%s", kind, experiment);
}

void figure_append_head(struct text *out, const char *name, int width, int height)
{
    text_append_format(out,
                       "# `gnuplot %s.gp` draws %s.svg, `gnuplot -c %s.gp FILE` draws FILE,\n"
                       "# `gnuplot -c %s.gp FILE png` draws FILE as PNG.\n"
                       "out = (ARGC > 0) ? ARG1 : '%s.svg'\n",
                       name, name, name, name, name);
    text_append_format(out,
                       "if (ARGC > 1) {\n  set terminal pngcairo size %d,%d font 'sans,10' "
                       "background '#ffffff' noenhanced\n} else {\n  set terminal svg size %d,%d "
                       "font 'sans-serif,12' background '#ffffff' noenhanced\n}\n"
                       "set output out\n",
                       width, height, width, height);
}

void figure_append_number(struct text *out, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append_format(out, " %s", text_from_double(number, value, 6));
}

void figure_append_sample(struct text *out, const struct figure_view *v)
{
    const struct summary_group *g = report_line_any(&v->lines->line[v->first]);
    int64_t length = g->length;
    bool lengths = false;
    int seeds = 0;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *here = report_line_any(&v->lines->line[v->first + k]);
        if (here->count > seeds)
            seeds = here->count, g = here;
        lengths |= here->length != length;
    }
    if (lengths)
        text_append(out, "n as given");
    else
        text_append_format(out, "n = %lld", (long long)length);
    text_append_format(out, ", %d seed%s (", seeds, seeds == 1 ? "" : "s");
    for (int k = 0; k < seeds && k < SEEDS_NAMED; k++)
        text_append_format(out, "%s%s", k ? ", " : "", result_text(g->row[k], "seed"));
    text_append_format(out, "%s)", seeds > SEEDS_NAMED ? ", ..." : "");
}

/* ---- files ------------------------------------------------------------------------------------*/
static int note_drawn(struct figures *f, const char *name, struct err *e)
{
    if (f->count == f->capacity) {
        int capacity = f->capacity ? 2 * f->capacity : 8;
        void *grown = memory_resize(f->name, (size_t)capacity, sizeof *f->name, e);
        if (!grown)
            return ERR_MEMORY;
        f->name = grown;
        f->capacity = capacity;
    }
    snprintf(f->name[f->count++], FIGURE_NAME_MAX, "%s", name);
    return 0;
}

/* gnuplot leaves it to the viewer whether an image of 16 x 16 becomes squares or a blur. */
static int sharpen(const char *image, struct err *e)
{
    static const char mark[] = "<image ", sharp[] = "<image image-rendering='pixelated' ";
    struct text out = {0};
    char *bytes = NULL;
    size_t count;
    int code = file_read(image, IMAGE_BYTES_MAX, &bytes, &count, e);
    if (!code && strstr(bytes, mark)) {
        const char *at = bytes;
        for (const char *next; (next = strstr(at, mark)); at = next + strlen(mark)) {
            text_append_bytes(&out, at, (size_t)(next - at));
            text_append(&out, sharp);
        }
        text_append(&out, at);
        code = text_check(&out, e);
        if (!code)
            code = file_write(image, out.data, out.length, e);
    }
    text_close(&out);
    memory_free(bytes);
    return code;
}

/* Draws into a hidden file, which takes its place when it is whole. */
static int draw_image(struct figure_sink *sink, const char *script, const char *name, bool png,
                      struct err *e)
{
    char file[FILE_MAX], image[OUTPUT_PATH_MAX], hidden[OUTPUT_PATH_MAX];
    struct figures *f = sink->out;
    snprintf(file, sizeof file, "%s.%s", name, png ? "png" : "svg");
    int code = file_join(image, sizeof image, sink->folder, file, e);
    snprintf(file, sizeof file, ".%s.%s.new", name, png ? "png" : "svg");
    if (!code)
        code = file_join(hidden, sizeof hidden, sink->folder, file, e);
    if (!code)
        code = gnuplot_run(script, hidden, png, &f->drawn, f->why, sizeof f->why, e);
    if (!code && f->drawn && !png)
        code = sharpen(hidden, e);
    if (!code && f->drawn && rename(hidden, image) != 0)
        code = err_set(e, ERR_IO, image, "%s", err_system(errno));
    if (code || !f->drawn)
        unlink(hidden);
    return code;
}

int figure_put(struct figure_sink *sink, const char *name, const struct text *script,
               struct err *e)
{
    char file[FILE_MAX], path[OUTPUT_PATH_MAX];
    struct figures *f = sink->out;
    snprintf(file, sizeof file, f->scripts ? "%s.gp" : ".%s.gp", name);
    int code = text_check(script, e);
    if (code || (!f->drawn && !f->scripts))
        return code;
    code = file_join(path, sizeof path, sink->folder, file, e);
    if (!code)
        code = file_write(path, script->data, script->length, e);
    if (code)
        return code;
    if (f->drawn)
        code = draw_image(sink, path, name, false, e);
    if (!code && f->drawn)
        code = note_drawn(f, name, e);
    if (!code && f->drawn && f->png)
        code = draw_image(sink, path, name, true, e);
    if (!f->scripts)
        unlink(path);
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
        bool known = false;
        for (int m = 0; m < count; m++)
            known |= strcmp(names[m], name) == 0;
        if (known)
            continue;
        char where[OUTPUT_PATH_MAX];
        struct text all = {0};
        const char *near = text_nearest(name, names, count);
        spec_where(s, "figures", where, sizeof where);
        for (int m = 0; m < count; m++)
            text_append_format(&all, "%s%s", m ? ", " : "", names[m]);
        int code = text_check(&all, e);
        if (!code)
            code = err_set(e, ERR_USAGE, where, "figures: no figure %s; expected some of %s%s%s%s",
                           name, all.data, near ? "; did you mean " : "", near ? near : "",
                           near ? "?" : "");
        text_close(&all);
        return code;
    }
    return 0;
}

static const char *experiment_of(const struct report_lines *l, int k)
{
    return spec_name(report_line_any(&l->line[k])->spec);
}

static int draw_experiment(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    const struct spec *s = report_line_any(&v->lines->line[v->first])->spec;
    int code = 0;
    for (int k = 0; !code && figure_table[k]; k++)
        if (is_wanted(s, figure_table[k]->name))
            code = figure_table[k]->draw(sink, v, e);
    return code;
}

int report_figures(const char *folder, const struct results *r, struct figures *f, struct err *e)
{
    char path[OUTPUT_PATH_MAX];
    struct report_lines lines;
    struct figure_sink sink = {path, f};
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
    *f = (struct figures){0};
}
