/* The grammar of figures: axes have tics, and on a page no text lies on another, whatever is drawn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "report/help_report.h"
#include "report/plot.h"

/* ---- axes -------------------------------------------------------------------------------------*/
static void check_tics(const struct plot_range *r, int pixels, bool log)
{
    assert_true(isfinite(r->low) && isfinite(r->high) && r->low < r->high);
    assert_true(r->tics >= 2);
    double end = -INFINITY, slack = 1e-9 * (r->high - r->low);
    for (int k = 0; k < r->tics; k++) {
        char text[PLOT_TIC_TEXT];
        double share = log ? log10(r->tic[k] / r->low) / log10(r->high / r->low)
                           : (r->tic[k] - r->low) / (r->high - r->low);
        assert_true(r->tic[k] >= r->low - slack && r->tic[k] <= r->high + slack);
        assert_true(k == 0 || r->tic[k] > r->tic[k - 1]);
        plot_tic_text(text, r->tic[k]);
        double half = 3 * (double)strlen(text); /* six pixels a letter */
        if (share * pixels - half <= end)
            fail_msg("%g .. %g: the label %s lies on the one before", r->low, r->high, text);
        end = share * pixels + half;
    }
}

/* Of points of many sizes, near each other and far apart, one or several, on every kind of axis. */
static void axes_have_tics(void **state)
{
    static const enum plot_scale scale[] = {PLOT_LINEAR, PLOT_WHOLE, PLOT_LOG, PLOT_SIZES};
    struct stream random;
    stream_open(&random, 1, "tics", 0);
    for (int k = 0; k < 4000; k++) {
        struct plot_point point[4];
        struct plot_series series = {0, PLOT_POINTS, point, 1 + k % 4};
        struct plot_axis axis = {.label = "", .scale = scale[k / 4 % 4], .smallest = 1e-12, .zero = k % 7 == 0};
        struct plot_panel panel = {.along = axis, .value = axis, .series = &series, .count = 1};
        double size = pow(10, 16 * stream_uniform24(&random) - 8), spread = stream_uniform24(&random);
        for (int m = 0; m < series.points; m++) {
            double at = size * (1 + spread * stream_uniform24(&random));
            if (axis.scale == PLOT_WHOLE)
                at = round(100 * spread * stream_uniform24(&random));
            point[m] = (struct plot_point){at, at, at * (k % 3 ? 1 : -5), at * 3, NAN, NAN};
        }
        struct plot_range r;
        bool log = axis.scale == PLOT_LOG || axis.scale == PLOT_SIZES;
        plot_range_along(&r, &panel, 200);
        check_tics(&r, 200, log);
        plot_range_value(&r, &panel, 180, NULL, 0);
        assert_true(r.tics >= 2 && r.low < r.high);
        plot_range_value(&r, &panel, 240, &panel, 1);
        check_tics(&r, 240, log);
    }
}

/* Nothing to see, nothing on a logarithmic axis, and the largest numbers that there are. */
static void extremes_have_tics(void **state)
{
    static const double value[] = {NAN, 0, -1, 1, INFINITY, 1e308, -1e308, 1e-300};
    for (size_t k = 0; k < sizeof value / sizeof *value; k++)
        for (int scale = PLOT_LINEAR; scale <= PLOT_SIZES; scale++) {
            struct plot_point point = {value[k], value[k], NAN, value[k], NAN, NAN};
            struct plot_series series = {0, PLOT_POINTS, &point, 1};
            struct plot_axis axis = {.label = "", .scale = (enum plot_scale)scale};
            struct plot_panel panel = {.along = axis, .value = axis, .series = &series, .count = 1};
            struct plot_range r;
            plot_range_along(&r, &panel, 200);
            check_tics(&r, 200, plot_is_log(&axis));
            plot_range_value(&r, &panel, 180, NULL, 0);
            assert_true(r.tics >= 2 && r.low < r.high);
        }
}

static void tics_are_short(void **state)
{
    static const struct {
        double tic;
        const char *text;
    } known[] = {{0.01, "0.01"}, {1e-5, "1e-5"}, {2e-10, "2e-10"}, {1e20, "1e20"}, {-2.5e-4, "-2.5e-4"}, {3e8, "3e8"}, {0, "0"},
                 {16, "16"}, {-0.5, "-0.5"}, {200000, "200000"}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        char text[PLOT_TIC_TEXT];
        plot_tic_text(text, known[k].tic);
        assert_string_equal(text, known[k].text);
    }
}

/* ---- pages ------------------------------------------------------------------------------------*/
enum { BOXES_MAX = 2000 };
struct text_box {
    double left, right, top, bottom;
    char text[64];
};

/* What gnuplot wrote about a text: its place, size and justification. */
static struct text_box box_of(const char *g)
{
    struct text_box b;
    double x, y, size, width;
    assert_int_equal(sscanf(g, "<g transform=\"translate(%lf,%lf)", &x, &y), 2);
    size = atof(strstr(g, "font-size=\"") + strlen("font-size=\""));
    const char *anchor = strstr(g, "text-anchor=\""), *text = strstr(g, "<text>") + strlen("<text>");
    size_t length = strcspn(text, "<");
    width = 0.58 * size * (double)length; /* letters of a usual font, on average */
    double before = strncmp(anchor, "text-anchor=\"end", 16) == 0      ? 1
                    : strncmp(anchor, "text-anchor=\"middle", 19) == 0 ? 0.5
                                                                       : 0;
    b = (struct text_box){x - before * width, x + (1 - before) * width, y - 0.75 * size, y + 0.2 * size, ""};
    if (strstr(g, "rotate(270)") && strstr(g, "rotate(270)") < anchor)
        b = (struct text_box){x - 0.75 * size, x + 0.2 * size, y - width / 2, y + width / 2, ""};
    snprintf(b.text, sizeof b.text, "%.*s", (int)length, text);
    return b;
}

static void check_picture(const char *name, const char *svg)
{
    static struct text_box box[BOXES_MAX];
    int boxes = 0;
    double width = 0, height = 0;
    const char *size = strstr(svg, "viewBox=\"0 0 ");
    assert_non_null(size);
    assert_int_equal(sscanf(size, "viewBox=\"0 0 %lf %lf", &width, &height), 2);
    assert_true(width == 900);
    for (const char *g = svg; (g = strstr(g, "<g transform=\"translate(")); g++) {
        const char *end = strstr(g, "</g>"), *text = strstr(g, "<text>");
        if (!text || text > end || text[strlen("<text>")] == '<')
            continue;
        assert_true(boxes < BOXES_MAX);
        box[boxes++] = box_of(g);
    }
    assert_true(boxes > 4);
    for (int k = 0; k < boxes; k++) {
        const struct text_box *a = &box[k];
        if (a->left < 0 || a->right > width || a->top < 0 || a->bottom > height)
            fail_msg("%s: \"%s\" leaves the page", name, a->text);
        for (int m = 0; m < k; m++) {
            const struct text_box *b = &box[m];
            if (a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom)
                fail_msg("%s: \"%s\" lies on \"%s\"", name, a->text, b->text);
        }
    }
}

/* Whether the line, which begins with `set xtics` or `set ytics`, has two labels or more. */
static bool has_two(const char *line)
{
    const char *end = strchr(line, '\n'), *comma = strstr(line, "', ");
    comma = comma ? comma : strstr(line, ", '");
    return comma && comma < end;
}

/* Each plot is preceded by tics and labels of both its axes, or by rows, which have labels. */
static void check_script(const char *name, const char *script)
{
    int plots = 0;
    for (const char *plot = script, *from = script; (plot = strstr(plot, "\nplot ")); from = ++plot) {
        const char *x = strstr(from, "\nset xtics ("), *y = strstr(from, "\nset ytics (");
        const char *label = strstr(from, "\nset ylabel '"), *rows = strstr(from, "\nunset ytics");
        if (!x || x > plot || !has_two(x + 1))
            fail_msg("%s: an axis has less than two tics", name);
        x = strstr(from, "\nset xlabel '");
        assert_true(x && x < plot && x[strlen("\nset xlabel '")] != '\'');
        if (!(rows && rows < plot) && (!y || y > plot || !has_two(y + 1)))
            fail_msg("%s: a y axis has less than two tics", name);
        if (!(rows && rows < plot))
            assert_true(label && label < plot && label[strlen("\nset ylabel '")] != '\'');
        plots++;
    }
    assert_true(plots > 0);
}

/* Errors of all sizes, and sizes that are near each other. */
static const char *of_all_sizes(const struct cell *c, int64_t length, const char *subset,
                                const char *column, char *buffer)
{
    if (strcmp(column, "params") == 0)
        snprintf(buffer, 64, "%d", 10000 + 3 * (int)c->task.model.width);
    else if (strcmp(column, "error_rel") == 0 || strcmp(column, "witness_rel") == 0)
        snprintf(buffer, 64, "%g", pow(10, -(c->index % 9)) * (1 + (double)c->task.seed));
    else if (strcmp(column, "floor_rel") == 0)
        snprintf(buffer, 64, "%g", c->index % 2 ? 0 : 0.37);
    else if (strcmp(column, "accuracy") == 0 || strcmp(column, "accuracy_ceiling") == 0)
        snprintf(buffer, 64, "%g", 1 - 0.1 * (c->index % 3));
    else
        return help_figures(c, length, subset, column, buffer);
    return buffer;
}

/* Curves, positions and, for `relations` relations and two heads, tables. */
static void write_parts(const char *folder, const struct spec *s, int relations)
{
    for (int k = 0; k < spec_cells(s); k++) {
        const char *id = spec_cell(s, k)->id;
        struct text t = {0};
        char file[64];
        snprintf(file, sizeof file, "cells/%s/curve.csv", id);
        help_write(folder, file, "step,train_loss,error_rel,lr,grad_norm\n0,,4,,\n5000,,0.00002,,\n");
        snprintf(file, sizeof file, "cells/%s/position.csv", id);
        help_write(folder, file, "position,error_rms,floor_rms\n1,0.5,0.25\n2,0,\n3,125,0\n");
        text_append(&t, "layer,head,relation,b,c,offset\n");
        for (int r = 0; r < 2 * relations; r++)
            text_append_format(&t, "\"\",%d,%d,%g,%g,\n", r / relations, r % relations, 0.01 * r, 1e-6 * r);
        snprintf(file, sizeof file, "cells/%s/table.csv", id);
        help_write(folder, file, relations ? t.data : "layer,head,relation,b,c,offset\n");
        text_close(&t);
    }
}

static void draw_and_check(const char *yaml, int relations, int least)
{
    char folder[HELP_PATH], file[HELP_PATH];
    struct spec *s = help_spec(yaml);
    struct results r;
    struct figures f = {.scripts = true};
    struct err e = {0};
    help_folder(folder);
    help_write_all(folder, s, of_all_sizes);
    write_parts(folder, s, relations);
    help_open(&r, folder);
    assert_int_equal(report_figures(folder, &r, &f, &e), 0);
    if (f.failed)
        fail_msg("%s", f.failures.data);
    assert_true(!f.drawn || f.count >= least);
    for (int k = 0; k < f.count; k++) {
        snprintf(file, sizeof file, "figures/%s.gp", f.name[k]);
        char *script = help_read(folder, file);
        check_script(f.name[k], script);
        snprintf(file, sizeof file, "figures/%s.svg", f.name[k]);
        char *picture = help_read(folder, file);
        check_picture(f.name[k], picture);
        memory_free(script);
        memory_free(picture);
    }
    report_figures_close(&f);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

static void no_text_lies_on_another(void **state)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0)
        skip();
    draw_and_check( /* long labels, several sizes that go with each other, patterns, seeds */
        "name: long-name-of-an-experiment\nseeds: 2\n"
        "space: {length: 3, channels: 1, inputs: {identical: 0.5}}\n"
        "model: {encoding: toeplitz, heads: 2}\ncases:\n  - {model.width: 8, model.ffn: 8}\n"
        "  - {model.width: 16, model.ffn: 16}\n  - {model.width: 1024, model.ffn: 32}\ngrid:\n"
        "  target:\n    - gain\n    - kind: lua\n"
        "      y: math.sin(2*math.pi*i/n)*x[i][c]+math.cos(2*math.pi*i/n)*x[1][c] and x[n][c] or 0\n"
        "  model.layers: [1, 2]\n  model.attention: [rpe, urpe]\n", 5, 9);
    draw_and_check( /* many series, of another axis, evaluated at many lengths */
        "name: f\nspace: {length: 16, channels: 1}\ntarget: position\n"
        "model: {attention: rpe, heads: 2, width: 8, ffn: 8}\n"
        "evaluate: {lengths: [2, 15, 16, 17, 256]}\n"
        "grid: {model.encoding: [toeplitz, t5, alibi, rope, transformer-xl, kerple-log]}\n", 31, 4);
    draw_and_check( /* tokens, with their sampling error; one size of several */
        "name: f\nseeds: 3\nspace: {length: 4}\ntarget: token_reverse\n"
        "model: {heads: 2, width: 8, ffn: 8}\ngrid: {model.layers: [1, 2], model.mask: [none, causal]}\n",
        7, 4);
#define TERM "math.sin(2*x[i][c])+ "
    draw_and_check( /* titles of a dozen lines, a term in each */
        "name: f\nspace: {length: 4, channels: 1}\nmodel: {heads: 2, width: 8, ffn: 8}\n"
        "grid: {target: [gain, position, {kind: lua, y: '" TERM TERM TERM TERM TERM TERM TERM TERM TERM TERM TERM
        "0'}], model.attention: [rpe, urpe]}\n", 7, 3);
    draw_and_check( /* a grid of one row */
        "name: f\nspace: {kind: grid, height: 1, width: 3, channels: 1}\ntarget: position\n"
        "model: {heads: 2, width: 8, ffn: 8}\n", 5, 3);
    draw_and_check( /* a graph */
        "name: f\nspace: {kind: graph, channels: 1}\ntarget: degree\n"
        "model: {encoding: toeplitz, heads: 2, width: 8, ffn: 8}\n", 4, 3);
    draw_and_check( /* one position */
        "name: f\nspace: {length: 1, channels: 1}\ntarget: position\n"
        "model: {heads: 2, width: 8, ffn: 8}\n", 1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_have_tics),
        cmocka_unit_test(extremes_have_tics),
        cmocka_unit_test(tics_are_short),
        cmocka_unit_test(no_text_lies_on_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
