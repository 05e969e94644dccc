/* Error against its floor: a line per group of cells, a panel per kind of input.
 *
 *     position toeplitz rpe  |##########################|o     ### out of reach (below the floor)
 *     position toeplitz urpe |      +                          o rpe   + urpe, with t intervals
 *                            1e-4     1e-2     1     error_rel
 *
 * Invariant: a script holds its data, so that it draws the same figure wherever it lies. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/gnuplot.h"
#include "report/lines.h"
#include "report/listing.h"
#include "report/output.h"
#include "report/rows.h"

enum { PAGE_LINES = 60, LINE_HEIGHT = 18, FRAME_HEIGHT = 230, LABEL_MAX = 44, CHARACTER = 8 };
enum { WIDTH = 900, ATTENTIONS = 2, SEEDS_NAMED = 5 };
#define SMALLEST 1e-9 /* of the axis: what lies below it is drawn on its edge */

/* Shapes and colours that stay apart for the colour-blind and in grey (Okabe and Ito 2008); indexed
 * by enum model_attention. */
static const struct {
    const char *name, *style;
} series[ATTENTIONS] = {{"rpe", "pt 7 ps 0.9 lw 1.5 lc rgb '#D55E00'"},
                        {"urpe", "pt 9 ps 1.0 lw 1.5 lc rgb '#0072B2'"}};

/* Lines first .. first+count-1 of one experiment. */
struct page {
    const struct report_lines *lines;
    int first, count;
    const char *experiment;
    double smallest, largest; /* of the axis */
};

typedef const struct summary_group *(*panel_pick)(const struct report_line *line);
static const struct summary_group *pick_patterned(const struct report_line *l) {
    return l->patterned;
}
static const struct summary_group *pick_generic(const struct report_line *l) {
    /* Without patterns all inputs are generic. */
    return l->generic ? l->generic : l->patterned ? NULL : l->all;
}
static const panel_pick panel[] = {pick_patterned, pick_generic};
enum { PANELS = sizeof panel / sizeof *panel };

/* ---- the axis ---------------------------------------------------------------------------------*/
static void include(struct page *p, double value) {
    if (!isfinite(value) || value <= SMALLEST) return;
    if (value < p->smallest) p->smallest = value;
    if (value > p->largest) p->largest = value;
}

/* From a power of ten below everything that is drawn to a little above it. */
static int measure_axis(struct page *p, struct err *e) {
    p->smallest = INFINITY;
    p->largest = 0;
    for (int k = 0; k < p->count; k++)
        for (int m = 0; m < PANELS; m++) {
            const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
            struct line_figures f;
            int code = g ? line_figures_of(g, &f, e) : 0;
            if (code) return code;
            if (!g) continue;
            include(p, f.error.mean);
            include(p, f.error.high);
            include(p, f.floor.mean);
        }
    if (p->largest == 0) p->smallest = p->largest = 1;
    p->smallest = pow(10, floor(log10(p->smallest) - 0.1));
    p->largest *= 1.6; /* so that marks on the largest floor are whole */
    return 0;
}

/* ---- data -------------------------------------------------------------------------------------*/
static void append_number(struct text *out, const struct page *p, double value) {
    char number[TEXT_NUMBER_MAX];
    double shown = isfinite(value) && value > p->smallest ? value : p->smallest;
    text_append_format(out, " %s", text_from_double(number, shown, 6));
}

/* The floors of one panel ("y floor"), or the points of one series ("y error low high"). */
static int append_block(struct text *out, const struct page *p, int m, int attention, int *points,
                        struct err *e) {
    *points = 0;
    text_append_format(out, "$data_%d_%d << EOD\n", m, attention + 1);
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
        struct line_figures f;
        if (!g || (attention >= 0 && g->cell->task.model.attention != attention)) continue;
        int code = line_figures_of(g, &f, e);
        if (code) return code;
        double shown = attention < 0 ? f.floor.mean : f.error.mean;
        if (!isfinite(shown) || (attention < 0 && shown <= p->smallest)) continue;
        text_append_format(out, "%d", k + 1);
        append_number(out, p, shown);
        if (attention >= 0) {
            append_number(out, p, isnan(f.error.low) ? shown : f.error.low);
            append_number(out, p, isnan(f.error.high) ? shown : f.error.high);
        }
        text_append(out, "\n");
        ++*points;
    }
    text_append(out, "EOD\n");
    return 0;
}

/* ---- the script -------------------------------------------------------------------------------*/
static int label_width(const struct page *p, struct err *e) {
    int widest = 8;
    for (int k = 0; k < p->count; k++) {
        struct text label = {0};
        line_append_label(&label, report_line_any(&p->lines->line[p->first + k]),
                          p->lines->lengths);
        int code = text_check(&label, e);
        int columns = code ? 0 : text_columns(label.data);
        text_close(&label);
        if (code) return code;
        if (columns > widest) widest = columns;
    }
    return widest > LABEL_MAX ? LABEL_MAX : widest;
}

static int append_labels(struct text *out, const struct page *p, struct err *e) {
    text_append(out, "set ytics scale 0 (");
    for (int k = 0; k < p->count; k++) {
        struct text label = {0};
        line_append_label(&label, report_line_any(&p->lines->line[p->first + k]),
                          p->lines->lengths);
        int code = text_check(&label, e);
        text_append(out, k ? ", " : "");
        if (!code) gnuplot_string(out, label.data);
        text_append_format(out, " %d", k + 1);
        text_close(&label);
        if (code) return code;
    }
    text_append(out, ")\n");
    return 0;
}

/* n, seeds, and what the marks are. */
static void append_title(struct text *out, const struct page *p) {
    const struct summary_group *g = report_line_any(&p->lines->line[p->first]);
    struct text title = {0};
    int seeds = 0;
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *here = report_line_any(&p->lines->line[p->first + k]);
        if (here->count > seeds) seeds = here->count, g = here;
    }
    text_append_format(&title, "%s: %s against its certified floor; ", p->experiment,
                       p->lines->tokens ? "error" : "error_rel");
    if (p->lines->lengths)
        text_append(&title, "n as given");
    else
        text_append_format(&title, "n = %lld", (long long)g->length);
    text_append_format(&title, ", %d seed%s (", seeds, seeds == 1 ? "" : "s");
    for (int k = 0; k < seeds && k < SEEDS_NAMED; k++)
        text_append_format(&title, "%s%s", k ? ", " : "", result_text(g->row[k], "seed"));
    text_append_format(&title, "%s)", seeds > SEEDS_NAMED ? ", ..." : "");
    gnuplot_string(out, title.data ? title.data : "");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, seeds > 1 ? "marks: mean over seeds; bars: 95 % t interval over seeds"
                                  : "marks: error");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, "grey: below the floor, out of reach of every network of the class");
    out->failed |= title.failed;
    text_close(&title);
}

/* What the panel shows, for its title. */
static const char *panel_name(const struct page *p, int m) {
    const char *name = NULL;
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
        const char *mine = g ? result_text(g->row[0], "subset") : NULL;
        if (mine && name && strcmp(mine, name) != 0) return "patterned";
        if (mine) name = mine;
    }
    return name;
}

static int append_panel(struct text *out, const struct page *p, int m, double left, double right,
                        struct err *e) {
    int floors, points[ATTENTIONS], code = append_block(out, p, m, -1, &floors, e);
    for (int a = 0; !code && a < ATTENTIONS; a++) code = append_block(out, p, m, a, &points[a], e);
    if (code) return code;
    text_append_format(out, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", left,
                       right);
    text_append(out, "set title ");
    gnuplot_string(out, panel_name(p, m));
    text_append(out, " . ' inputs'\nplot NaN notitle");
    if (floors)
        text_append_format(out,
                           ", \\\n  $data_%d_0 using 2:1:(%g):2:($1-0.4):($1+0.4) with boxxyerror "
                           "fs solid 1 noborder lc rgb '#D9D9D9' title 'below the floor'"
                           ", \\\n  $data_%d_0 using 2:($1-0.4):(0):(0.8) with vectors nohead lw 2 "
                           "lc rgb '#000000' title 'floor'",
                           m, p->smallest, m);
    for (int a = 0; a < ATTENTIONS; a++)
        if (points[a])
            text_append_format(
                out, ", \\\n  $data_%d_%d using 2:1:3:4 with xerrorbars %s title '%s'", m, a + 1,
                series[a].style, series[a].name);
    text_append(out, "\n");
    return 0;
}

static int append_frame(struct text *out, const struct page *p, const char *name, struct err *e) {
    int height = FRAME_HEIGHT + LINE_HEIGHT * p->count;
    text_append_format(out, "# `gnuplot %s.gp` draws %s.svg, `gnuplot -c %s.gp FILE` draws FILE.\n",
                       name, name, name);
    text_append_format(out, "out = (ARGC > 0) ? ARG1 : '%s.svg'\n", name);
    text_append_format(out,
                       "set terminal svg size %d,%d font 'sans-serif,12' background '#ffffff' "
                       "noenhanced\nset output out\n",
                       WIDTH, height);
    text_append_format(out, "set logscale x\nset xrange [%g:%g]\nset yrange [%d.5:0.5]\n",
                       p->smallest, p->largest, p->count);
    text_append(out, "set format x '%g'\nset grid x lc rgb '#BBBBBB'\nset xlabel ");
    text_append(out, p->lines->tokens ? "'error'\n" : "'error_rel'\n");
    text_append_format(out, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                       1 - 100.0 / height, 125.0 / height);
    text_append(out, "set key at screen 0.5,0.01 center bottom samplen 2\n");
    int code = append_labels(out, p, e);
    text_append(out, "set multiplot title ");
    append_title(out, p);
    text_append(out, "\n");
    return code;
}

static int append_script(struct text *out, const struct page *p, const char *name, struct err *e) {
    int labels = label_width(p, e), shown = 0;
    if (labels < 0) return labels;
    for (int m = 0; m < PANELS; m++) shown += panel_name(p, m) != NULL;
    double left = (double)(labels * CHARACTER + 20) / WIDTH;
    double width = (0.98 - left) / (shown ? shown : 1);
    int code = append_frame(out, p, name, e);
    for (int m = 0, at = 0; !code && m < PANELS; m++) {
        if (!panel_name(p, m)) continue;
        code = append_panel(out, p, m, left + at * width, left + (at + 1) * width - 0.02, e);
        text_append(out, "unset ytics\nunset key\n"); /* the first panel's serve all */
        at++;
    }
    text_append(out, "unset multiplot\n");
    return code ? code : text_check(out, e);
}

/* ---- files ------------------------------------------------------------------------------------*/
/* Writes folder/name.gp and, through it, folder/name.svg. */
static int draw_page(const char *folder, const struct page *p, const char *name, bool *drawn,
                     char *why, size_t why_size, struct err *e) {
    char script[OUTPUT_PATH_MAX], image[OUTPUT_PATH_MAX], hidden[OUTPUT_PATH_MAX], file[128];
    struct text text = {0};
    snprintf(file, sizeof file, "%s.gp", name);
    int code = file_join(script, sizeof script, folder, file, e);
    snprintf(file, sizeof file, "%s.svg", name);
    if (!code) code = file_join(image, sizeof image, folder, file, e);
    snprintf(file, sizeof file, ".%s.svg.new", name);
    if (!code) code = file_join(hidden, sizeof hidden, folder, file, e);
    if (!code) code = append_script(&text, p, name, e);
    if (!code) code = file_write(script, text.data, text.length, e);
    text_close(&text);
    if (code || !*drawn) return code; /* no gnuplot: scripts only */
    code = gnuplot_run(script, hidden, drawn, why, why_size, e);
    if (!code && *drawn && rename(hidden, image) != 0)
        code = err_set(e, ERR_IO, image, "%s", err_system(errno));
    if (code || !*drawn) unlink(hidden);
    return code;
}

static const char *experiment_of(const struct report_lines *l, int k) {
    return spec_name(report_line_any(&l->line[k])->spec);
}

int report_figures(const char *folder, const struct results *r, bool *drawn, char *why,
                   size_t why_size, struct err *e) {
    char figures[OUTPUT_PATH_MAX], name[SPEC_NAME_MAX + 32];
    struct report_lines lines;
    struct page page = {.lines = &lines};
    int number = 0, code = file_join(figures, sizeof figures, folder, "figures", e);
    *drawn = true;
    if (!code) code = report_lines_open(&lines, r, NULL, e);
    if (code) return code;
    if (lines.count) code = file_make_folder(figures, e);
    for (int k = 0; !code && k < lines.count; k = page.first + page.count) {
        bool fresh = k == 0 || strcmp(page.experiment, experiment_of(&lines, k)) != 0;
        page.first = k;
        page.experiment = experiment_of(&lines, k);
        for (page.count = 0; k + page.count < lines.count && page.count < PAGE_LINES; page.count++)
            if (strcmp(page.experiment, experiment_of(&lines, k + page.count)) != 0) break;
        number = fresh ? 1 : number + 1;
        snprintf(name, sizeof name, number > 1 ? "floor-%s-%d" : "floor-%s", page.experiment,
                 number);
        code = measure_axis(&page, e);
        if (!code) code = draw_page(figures, &page, name, drawn, why, why_size, e);
    }
    report_lines_close(&lines);
    return code;
}
