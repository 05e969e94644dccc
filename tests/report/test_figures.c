/* Which figures are drawn, of what; scripts only, so that gnuplot need not be there. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/help_report.h"

#define SPEC(more) \
    "name: f\nseeds: 2\nspace: {length: 2, channels: 1, inputs: {identical: 0.5}}\n" \
    "target: position\nmodel: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}\n" \
    "train: {steps: 3, batch: 4}\ngrid:\n  model.attention: [rpe, urpe]\n" more

/* Draws all that the spec wants, with no gnuplot on the PATH, and returns what is in `figures`. */
static void draw(const char *folder, struct text *names)
{
    struct results r;
    struct err e = {0};
    struct figures f = {.scripts = true};
    char path[4096], place[HELP_PATH + 16], **name;
    size_t count;
    help_open(&r, folder);
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    assert_int_equal(setenv("PATH", folder, 1), 0);
    assert_int_equal(report_figures(folder, &r, &f, &e), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(f.count, 0);
    report_figures_close(&f);
    snprintf(place, sizeof place, "%s/figures", folder);
    assert_int_equal(file_list(place, &name, &count, &e), 0);
    text_clear(names);
    for (size_t k = 0; k < count; k++)
        text_append_format(names, "%s ", name[k]);
    file_free_names(name, count);
    results_close(&r);
}

/* The invented figures, and a size that follows the depth. */
static const char *with_params(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer)
{
    if (strcmp(column, "params") != 0)
        return help_figures(c, length, subset, column, buffer);
    return c->task.model.layers == 1 ? "100" : "200";
}

static void write_cells(const char *folder, const struct spec *s, bool parts)
{
    help_write_all(folder, s, with_params);
    for (int k = 0; parts && k < spec_cells(s); k++) {
        const struct cell *c = spec_cell(s, k);
        help_write_part(folder, c, FILE_CURVES, k % 2 ? "0,,4,,\n9,,2,,\n" : "0,,2,,\n9,,1,,\n");
        help_write_part(folder, c, FILE_POSITIONS, "1,0.5,0.25\n2,0,\n3,0.125,0\n4,0.5,0.5\n");
        help_write_part(folder, c, FILE_TABLES, "\"\",0,0,7,,\n\"\",0,1,8,,\n\"\",0,2,9,,\n");
    }
}

/* Without curves, positions, tables, and with one size only, there is the floor alone. */
static void absent_data_are_left_out(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(SPEC(""));
    help_folder(folder);
    write_cells(folder, s, false);
    draw(folder, &names);
    assert_string_equal(names.data, "floor-f.gp pairs-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void all_that_have_data_are_drawn(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(SPEC("  model.layers: [1, 2]\n"));
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    assert_string_equal(names.data,
                        "curves-f.gp depth-f.gp floor-f.gp matrices-f.gp pairs-f.gp params-f.gp "
                        "positions-f.gp tables-f.gp ");
    char *curves = help_read(folder, "figures/curves-f.gp");
    /* Two seeds, 2 and 4 at the start, 1 and 2 at the end: mean, smallest, largest. */
    assert_non_null(strstr(curves, "$data_0_0 << EOD\n 0 3 2 4 3 3\n 9 1.5 1 2 1.5 1.5\nEOD"));
    assert_non_null(strstr(curves, "n = 2, 2 seeds (0, 1)"));
    assert_non_null(strstr(curves, "band: smallest to largest seed"));
    char *positions = help_read(folder, "figures/positions-f.gp");
    /* No line is drawn across what a logarithmic axis cannot show. */
    assert_non_null(strstr(positions, "EOD\n 1 0.5 0.5 0.5 0.5 0.5\n\n 3 0.125 "));
    assert_non_null(strstr(positions, "$data_0_1 << EOD\n 1 0.25 0.25 0.25 0.25 0.25\n\n 4 0.5 "));
    char *tables = help_read(folder, "figures/tables-f.gp");
    assert_non_null(strstr(tables, "<< EOD\n -1 7 7 7 7 7\n 0 8 8 8 8 8\n 1 9 9 9 9 9\nEOD")); /* j - i; no C was there */
    assert_non_null(strstr(tables, "'B: "));
    assert_null(strstr(tables, "'C: "));
    /* Floor 1 at both sizes, for RPE on identical inputs alone. */
    char *params = help_read(folder, "figures/params-f.gp");
    assert_non_null(strstr(params, "$data_0_1 << EOD\n 100 1 1 1 1 1\n 200 1 1 1 1 1\nEOD"));
    assert_non_null(strstr(params, "bars: their range"));
    /* The same floors against depth. */
    char *depth = help_read(folder, "figures/depth-f.gp");
    assert_non_null(strstr(depth, "$data_0_1 << EOD\n 1 1 1 1 1 1\n 2 1 1 1 1 1\nEOD"));
    assert_non_null(strstr(depth, "'position toeplitz, identical inputs'"));
    memory_free(depth);
    /* Relation j - i + 1 of query i and key j; the largest distance from 0 is 9. */
    char *matrices = help_read(folder, "figures/matrices-f.gp");
    assert_non_null(strstr(matrices, "$data_0 << EOD\n 8 9\n 7 8\nEOD"));
    assert_non_null(strstr(matrices, "set cbrange [-9:9]"));
    assert_non_null(strstr(matrices, "first seed only"));
    assert_non_null(strstr(matrices, "'B, head 0, -9 to 9:"));
    assert_null(strstr(matrices, "'C, "));
    memory_free(matrices);
    memory_free(params);
    memory_free(curves);
    memory_free(positions);
    memory_free(tables);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* Bits per byte: RPE 2.5 and 2.75, URPE 2 and 2; sinusoidal has no URPE beside it. */
static const char *text_bits(const struct cell *c, int64_t length, const char *subset,
                             const char *column, char *buffer)
{
    if (strcmp(column, "bits_per_byte") == 0)
        return c->task.model.attention == MODEL_URPE ? "2" : c->task.seed ? "2.75" : "2.5";
    if (strcmp(column, "cross_entropy_floor") == 0)
        return "0.693147180559945";
    if (strstr(column, "_rel"))
        return "";
    return help_figures(c, length, subset, column, buffer);
}

static void pairs_are_differences_by_seed(void **state)
{
    char folder[HELP_PATH], specs[HELP_PATH + 16], yaml[2 * HELP_PATH];
    struct text names = {0};
    help_folder(folder);
    help_write(folder, "novel.txt", "It was the best of times, it was the worst of times, it was the age");
    snprintf(specs, sizeof specs, "%s/specs", folder);
    snprintf(yaml, sizeof yaml,
             "name: f\nseeds: 2\nspace: {length: 4}\ntarget: {kind: text, file: %s/novel.txt}\n"
             "model: {mask: causal, layers: 1, heads: 1, width: 8, ffn: 8}\n"
             "figures: [pairs, floor]\ncases:\n"
             "  - {model.encoding: alibi, model.attention: rpe}\n"
             "  - {model.encoding: alibi, model.attention: urpe, model.c: toeplitz}\n"
             "  - {model.encoding: alibi, model.attention: urpe, model.c: bucketed}\n"
             "  - {model.encoding: sinusoidal, model.attention: rpe}\n",
             folder);
    struct spec *s = help_spec(yaml);
    assert_int_equal(spec_copy_files(s, specs, NULL), 0);
    help_write_all(folder, s, text_bits);
    draw(folder, &names);
    assert_string_equal(names.data, "floor-f.gp pairs-f.gp pairs2-f.gp ");
    char *pairs = help_read(folder, "figures/pairs-f.gp");
    /* RPE beside either kind of C, and alone: from 2.5 to 2.75 */
    assert_non_null(strstr(pairs, "$data_0_0 << EOD\n 0.85 2.625 2.5 2.75 2.625 2.625\n"
                                  " 1.85 2.625 2.5 2.75 2.625 2.625\n"
                                  " 2.85 2.625 2.5 2.75 2.625 2.625\nEOD"));
    assert_non_null(strstr(pairs, "$data_0_1 << EOD\n 1.15 2 2 2 2 2\n 2.15 2 2 2 2 2\nEOD"));
    assert_non_null(strstr(pairs, "$data_1_0 << EOD\n 1 0.625 0.5 0.75 0.625 0.625\n"
                                  " 2 0.625 0.5 0.75 0.625 0.625\nEOD"));
    assert_non_null(strstr(pairs, "set label 'text alibi c=toeplitz' at screen "));
    assert_non_null(strstr(pairs, "set label 'text alibi c=bucketed' at screen "));
    assert_non_null(strstr(pairs, "set label 'text sinusoidal' at screen "));
    /* The encoding has two values as well: alike without C, and nothing beside the two with it. */
    char *encodings = help_read(folder, "figures/pairs2-f.gp");
    assert_non_null(strstr(encodings, "'right: alibi - sinusoidal within each seed"));
    assert_non_null(strstr(encodings, "$data_1_0 << EOD\n 3 0 0 0 0 0\nEOD"));
    memory_free(encodings);
    assert_non_null(strstr(pairs, "'f: bits per byte, and the difference by seed; n = 4, 2 seeds"));
    /* The floor, ln 2 nats, is 1 bit. */
    char *floor = help_read(folder, "figures/floor-f.gp");
    assert_non_null(strstr(floor, "$data_0_4 << EOD\n 1 1 1 1 1 1\n 2 1 1 1 1 1\n 3 1 "));
    assert_non_null(strstr(floor, "set xlabel 'bits per byte'"));
    memory_free(floor);
    memory_free(pairs);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* Without C beside it there is nothing to compare. */
static void no_pairs_no_figure(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec("name: f\nseeds: 2\nspace: {length: 2}\ntarget: position\n"
                               "model: {attention: rpe}\nfigures: [pairs, floor]\n");
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    draw(folder, &names);
    assert_string_equal(names.data, "floor-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void a_spec_chooses(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct err e = {0};
    struct spec *s = help_spec(SPEC("figures: [curves]\n"));
    assert_int_equal(report_figures_check(s, &e), 0);
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    assert_string_equal(names.data, "curves-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void names_are_checked(void **state)
{
    struct err e = {0};
    struct spec *s = help_spec(SPEC("figures: [floor, curvs]\n"));
    assert_int_equal(report_figures_check(s, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "did you mean curves?"));
    assert_non_null(strstr(e.msg, "positions"));
    spec_close(s);
}

/* What a cell of the given width wrote: width 4 has ffn 8, width 8 has ffn 16. */
#define TWO_AXES \
    "name: f\nseeds: 1\nspace: {length: 2, channels: 1, inputs: {identical: 0.5}}\n" \
    "target: position\nmodel: {encoding: toeplitz, heads: 1}\ntrain: {steps: 3, batch: 4}\n" \
    "cases:\n  - {model.width: 4, model.ffn: 8}\n  - {model.width: 8, model.ffn: 16}\n" \
    "grid:\n  model.layers: [1, 2, 3]\n  model.attention: [rpe, urpe]\n"

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

/* Against width, ffn goes with it and depths are apart; against depth, each width is a panel. */
static void sizes_are_told_apart(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(TWO_AXES);
    help_folder(folder);
    write_cells(folder, s, false);
    draw(folder, &names);
    assert_string_equal(names.data, "depth-f.gp floor-f.gp pairs-f.gp params-f.gp width-f.gp ");
    char *width = help_read(folder, "figures/width-f.gp");
    assert_int_equal(count_of(width, "set title '"), 3 * 2);
    assert_non_null(strstr(width, "'position toeplitz layers=3, identical inputs'"));
    assert_non_null(strstr(width, "$data_0_1 << EOD\n 4 1 1 1 1 1\n 8 1 1 1 1 1\nEOD"));
    assert_non_null(strstr(width, "set xtics ('4' 4, '8' 8)\n"));
    assert_non_null(strstr(width, "one seed, so no interval over seeds"));
    char *depth = help_read(folder, "figures/depth-f.gp");
    assert_int_equal(count_of(depth, "set title '"), 2 * 2);
    assert_non_null(strstr(depth, "'position toeplitz width=8 ffn=16, generic inputs'"));
    assert_non_null(strstr(depth, "$data_0_1 << EOD\n 1 1 1 1 1 1\n 2 1 1 1 1 1\n 3 1 1 1 1 1\nEOD"));
    assert_non_null(strstr(depth, "$data_0_0 << EOD\n 1 1 1 1 1 1\n 2 1 ")); /* no intervals */
    memory_free(width);
    memory_free(depth);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* What C is depends on the attention, and so tells series apart; the axis is the evaluated length. */
static void lengths_are_an_axis(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(
        "name: f\nseeds: 1\nspace: {length: 4, channels: 1}\ntarget: position\n"
        "model: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}\n"
        "evaluate: {lengths: [2, 8]}\ncases:\n  - {model.attention: rpe}\n"
        "  - {model.attention: urpe, model.c: toeplitz}\n"
        "  - {model.attention: urpe, model.c: bucketed}\n");
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    draw(folder, &names);
    assert_non_null(strstr(names.data, "lengths-f.gp "));
    char *lengths = help_read(folder, "figures/lengths-f.gp");
    assert_int_equal(count_of(lengths, "set title '"), 1);
    assert_non_null(strstr(lengths, "'position toeplitz, generic inputs,"));
    assert_non_null(strstr(lengths, "trained at n=4'"));
    assert_int_equal(count_of(lengths, "'rpe' at screen"), 1);
    assert_int_equal(count_of(lengths, "'urpe c=toeplitz' at screen"), 1);
    assert_int_equal(count_of(lengths, "'urpe c=bucketed' at screen"), 1);
    for (int k = 0; k < 3; k++) { /* each has its floor behind it */
        char data[32];
        snprintf(data, sizeof data, "$data_0_%d << EOD\n 2 ", 2 * k);
        assert_int_equal(count_of(lengths, data), 1);
    }
    assert_non_null(strstr(lengths, "set xtics ('2' 2, '4' 4, '8' 8)\n"));
    memory_free(lengths);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* Series and pairs are values of whatever axis the spec has: t5 and rope, each with its own options. */
static void any_axis_has_series(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(
        "name: f\nseeds: 2\nspace: {length: 2, channels: 1}\ntarget: position\n"
        "model: {attention: rpe, heads: 1, width: 8, ffn: 8}\ntrain: {steps: 3}\ngrid:\n"
        "  model.encoding: [{kind: t5, buckets: 16}, rope]\n  model.layers: [1, 2]\n");
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    assert_non_null(strstr(names.data, "pairs-f.gp params-f.gp "));
    char *depth = help_read(folder, "figures/depth-f.gp");
    assert_int_equal(count_of(depth, "set title 'position rpe, generic inputs'"), 1);
    assert_int_equal(count_of(depth, "'rope' at screen"), 1);
    assert_int_equal(count_of(depth, "'t5 buckets=16' at screen"), 1);
    char *curves = help_read(folder, "figures/curves-f.gp");
    assert_int_equal(count_of(curves, "set title '"), 2); /* depths */
    assert_int_equal(count_of(curves, "'rope' at screen"), 1);
    char *pairs = help_read(folder, "figures/pairs-f.gp");
    assert_non_null(strstr(pairs, "'right: t5 - rope within each seed; above 0 rope has the smaller error'"));
    assert_non_null(strstr(pairs, "set label 'position rpe layers=2' at screen"));
    assert_non_null(strstr(pairs, "$data_1_0 << EOD\n 1 0 0 0 0 0\n 2 0 0 0 0 0\nEOD"));
    memory_free(depth);
    memory_free(curves);
    memory_free(pairs);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* Parameters that an option of the encoding brings are no size. */
static const char *shaw_params(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer)
{
    char value[16];
    if (strcmp(column, "params") != 0)
        return help_figures(c, length, subset, column, buffer);
    assert_true(spec_value(c, "model.encoding.value", value, sizeof value));
    return strcmp(value, "true") == 0 ? "120" : "100";
}

static void options_are_no_sizes(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(
        "name: f\nseeds: 1\nspace: {length: 2, channels: 1, inputs: {identical: 0.5}}\n"
        "target: position\nmodel: {layers: 1, heads: 1, width: 8, ffn: 8}\n"
        "grid: {model.encoding: [{kind: shaw, value: false}, {kind: shaw, value: true}]}\n");
    help_folder(folder);
    help_write_all(folder, s, shaw_params);
    draw(folder, &names);
    assert_string_equal(names.data, "floor-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* One seed of 16 samples: accuracy 0.75 on all inputs, 1 - ceiling 0.25, weights without error. */
static const char *about_tokens(const struct cell *c, int64_t length, const char *subset,
                                const char *column, char *buffer)
{
    if (strcmp(column, "accuracy") == 0)
        return "0.75";
    if (strcmp(column, "accuracy_ceiling") == 0)
        return "0.75";
    if (strcmp(column, "witness_accuracy") == 0)
        return "0.875";
    return strcmp(column, "params") == 0 ? c->task.model.layers == 1 ? "100" : "200" : NULL;
}

/* Wilson, 4 of 16 wrong: (0.25 + z^2/32 -+ z sqrt(0.1875/16 + z^2/1024)) / (1 + z^2/16). */
static void sampling_error_stands_apart(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec("name: f\nspace: {length: 4}\ntarget: token_reverse\n"
                               "seeds: 1\nmodel: {heads: 1, width: 8, ffn: 8}\n"
                               "evaluate: {samples: 16}\ngrid: {model.layers: [1, 2]}\n");
    help_folder(folder);
    help_write_all(folder, s, about_tokens);
    draw(folder, &names);
    char *floor = help_read(folder, "figures/floor-f.gp");
    assert_non_null(strstr(floor, "pale bars: sampling error, 95 % Wilson interval"));
    assert_non_null(strstr(floor, "marks: one seed"));
    assert_non_null(strstr(floor, "\n 1 0.25 0.25 0.25 0.101821 0.494983\n"));
    assert_non_null(strstr(floor, "$data_0_1 << EOD\n 1 0.125 0.125 0.125 0.125 0.125\n 2 0.125 "));
    assert_non_null(strstr(floor, "'explicit weights' at screen"));
    char *depth = help_read(folder, "figures/depth-f.gp");
    assert_non_null(strstr(depth, "95 % Wilson"));
    assert_non_null(strstr(depth, "\n 1 0.25 0.25 0.25 0.101821 0.494983\n"));
    memory_free(floor);
    memory_free(depth);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

#define TABLES(more) \
    "name: f\nseeds: 1\nspace: {" more ", channels: 1}\ntarget: position\n" \
    "model: {encoding: toeplitz, layers: 1, heads: 2, width: 8, ffn: 8}\n" \
    "train: {steps: 3, batch: 4}\n"

/* A grid's table has dy downwards and dx to the right; C has a row before B, and a head a panel. */
static void matrices_follow_the_space(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0}, table = {0};
    struct spec *s = help_spec(TABLES("kind: grid, height: 2, width: 2"));
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    for (int head = 0; head < 2; head++)
        for (int r = 0; r < 9; r++)
            text_append_format(&table, "\"\",%d,%d,%d,%g,\n", head, r, r, 1 + (r - 4) / 8.0);
    help_write_part(folder, spec_cell(s, 0), FILE_TABLES, table.data);
    draw(folder, &names);
    char *matrices = help_read(folder, "figures/matrices-f.gp");
    const char *c = strstr(matrices, "'C, head 1, 0.5 to 1.5:"),
               *b = strstr(matrices, "'B, head 0, -8 to 8:");
    assert_non_null(c);
    assert_non_null(b);
    assert_true(c < b);
    assert_non_null(strstr(matrices, " << EOD\n 0 1 2\n 3 4 5\n 6 7 8\nEOD"));
    assert_non_null(strstr(matrices, "set ylabel 'dy'"));
    assert_non_null(strstr(matrices, "set xlabel 'dx'"));
    assert_non_null(strstr(matrices, "using ($1+-1):($2+-1):3"));
    memory_free(matrices);
    text_close(&names);
    text_close(&table);
    spec_close(s);
    help_remove(folder);
}

/* On a graph the axis is the number of steps, and the last relation that of no path. */
static void tables_on_a_graph_are_over_steps(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(
        "name: f\nseeds: 1\nspace: {kind: graph, channels: 1}\ntarget: degree\n"
        "model: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}\n"
        "train: {steps: 3, batch: 4}\n");
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    char *tables = help_read(folder, "figures/tables-f.gp");
    assert_non_null(strstr(tables, "<< EOD\n 0 7 7 7 7 7\n 1 8 8 8 8 8\n 2 9 9 9 9 9\nEOD"));
    assert_non_null(strstr(tables, "set xlabel 'steps from i to j; last: no path'"));
    assert_null(strstr(names.data, "matrices"));
    memory_free(tables);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

/* Under a causal mask no key comes after its query. */
static void matrices_leave_masked_places_out(void **state)
{
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(
        "name: f\nseeds: 1\nspace: {length: 2, channels: 1}\ntarget: position\n"
        "model: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8, mask: causal}\n"
        "train: {steps: 3, batch: 4}\n");
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    char *matrices = help_read(folder, "figures/matrices-f.gp");
    assert_non_null(strstr(matrices, "$data_0 << EOD\n 8 nan\n 7 8\nEOD"));
    memory_free(matrices);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_data_are_left_out),
        cmocka_unit_test(all_that_have_data_are_drawn),
        cmocka_unit_test(pairs_are_differences_by_seed),
        cmocka_unit_test(no_pairs_no_figure),
        cmocka_unit_test(a_spec_chooses),
        cmocka_unit_test(sizes_are_told_apart),
        cmocka_unit_test(lengths_are_an_axis),
        cmocka_unit_test(any_axis_has_series),
        cmocka_unit_test(options_are_no_sizes),
        cmocka_unit_test(sampling_error_stands_apart),
        cmocka_unit_test(matrices_follow_the_space),
        cmocka_unit_test(tables_on_a_graph_are_over_steps),
        cmocka_unit_test(matrices_leave_masked_places_out),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
