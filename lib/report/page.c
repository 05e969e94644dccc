/* report.html.  Invariant: the page needs no other file and no script, and shows nothing that the
 * results do not hold. */
#include <string.h>

#include "base/file.h"
#include "report/html.h"
#include "report/label.h"
#include "report/matrix.h"

enum { IMAGE_BYTES_MAX = 64 << 20 };

/* ---- claims -----------------------------------------------------------------------------------*/
static int append_claim(struct text *out, const struct spec *s, const struct claim *c,
                        const struct results *r, struct err *e)
{
    struct claim_verdict v;
    int code = claim_judge(s, c, r, &v, e);
    if (code)
        return code;
    html_element(out, "td", v.held ? "held" : "broken", v.held ? "\u2713 held" : "\u2717 NOT HELD");
    text_append(out, "<td>");
    html_element(out, "code", NULL, c->text);
    text_append_format(out, " <span class=\"soft\">(%d %s%s)</span>", v.matched,
                       *c->pair.key ? "pair" : "row", v.matched == 1 ? "" : "s");
    if (!v.held) {
        text_append(out, "<br />");
        html_escape(out, v.why);
    }
    text_append(out, "</td>");
    return 0;
}

/* A claim that another command judges: about floors alone, or about explicit weights. */
static void append_other_claim(struct text *out, const struct claim *c)
{
    text_append_format(out, "<td class=\"none\">judged by <code>urpe-probe %s</code></td><td>",
                       claim_on_names[c->on]);
    html_element(out, "code", NULL, c->text);
    text_append(out, "</td>");
}

/* BEFORE and in what the spec differs from others of its name, "train.steps=50", and BEHIND it; nothing
 * where it is alone. */
static void append_whose(struct text *out, const char *before, const struct results *r,
                         const struct spec *s, const char *behind)
{
    struct text differs = {0};
    axes_append_spec(&differs, r, s);
    if (differs.length) {
        text_append(out, before);
        html_escape(out, differs.data);
        text_append(out, behind);
    }
    out->failed |= differs.failed;
    text_close(&differs);
}

static int append_claims(struct text *out, const struct results *r, const struct spec *s,
                         struct err *e)
{
    int finished = results_finished(r, s), shown = 0, code = 0;
    text_append(out, "<p>");
    append_whose(out, "", r, s, ", ");
    text_append_format(out, "%d of %d cells finished%s</p>\n", finished, spec_cells(s),
                       finished < spec_cells(s) ? ", so no claim about trained cells is judged yet." : ".");
    for (int k = 0; !code && k < spec_claims(s); k++) {
        const struct claim *c = spec_claim(s, k);
        if (c->on == CLAIM_ON_RUN && finished < spec_cells(s))
            continue;
        if (!shown++) {
            text_append(out, "<h3>Claims");
            append_whose(out, " of ", r, s, "");
            text_append(out, "</h3>\n<div class=\"wide\"><table>\n<tbody>\n");
        }
        text_append(out, "<tr>");
        if (c->on == CLAIM_ON_RUN)
            code = append_claim(out, s, c, r, e);
        else
            append_other_claim(out, c);
        text_append(out, "</tr>\n");
    }
    if (shown)
        text_append(out, "</tbody></table></div>\n");
    return code;
}

/* ---- one experiment ---------------------------------------------------------------------------*/
static const char *subset_name(const struct summary_group *group, int groups, int subset)
{
    for (int k = 0; k < groups; k++)
        if (group[k].subset == subset)
            return result_text(group[k].row[0], "subset");
    return NULL;
}

static int append_matrices(struct text *out, const struct summary_group *group, int groups,
                           struct err *e)
{
    int last = 0, code = 0, cells;
    for (int k = 0; k < groups; k++)
        if (group[k].subset > last)
            last = group[k].subset;
    text_append(out, "<h3>Verdicts</h3>\n");
    for (int subset = 0; !code && subset <= last; subset++) {
        const char *name = subset_name(group, groups, subset);
        if (!name)
            continue;
        text_append(out, "<h4>");
        html_escape(out, name);
        text_append(out, " inputs</h4>\n");
        code = matrix_append(out, group, groups, subset, &cells, e);
    }
    return code;
}

static bool is_about(const char *figure, const char *experiment)
{
    const char *at = strchr(figure, '-');
    return at && strcmp(at + 1, experiment) == 0;
}

static int append_figure(struct text *out, const char *folder, const char *name, int number,
                         struct err *e)
{
    char path[FILE_PATH_MAX], *image = NULL;
    size_t count;
    snprintf(path, sizeof path, "%s/figures/%s.svg", folder, name);
    int code = file_read(path, IMAGE_BYTES_MAX, &image, &count, e);
    if (code)
        return code;
    text_append(out, "<figure aria-label=\"");
    html_escape(out, name);
    text_append(out, "\">\n");
    if (!html_svg(out, image, number))
        code = err_set(e, ERR_FORMAT, path, "gnuplot wrote no SVG into it");
    text_append(out, "\n</figure>\n");
    memory_free(image);
    return code;
}

static int append_figures(struct text *out, const char *folder, const char *experiment,
                          const struct figures *f, struct err *e)
{
    int shown = 0, code = 0;
    for (int k = 0; !code && k < f->count; k++) {
        if (!is_about(f->name[k], experiment))
            continue;
        if (!shown++)
            text_append(out, "<h3>Figures</h3>\n");
        code = append_figure(out, folder, f->name[k], k, e);
    }
    return code;
}

static int append_spec(struct text *out, const struct spec *s, struct err *e)
{
    struct text yaml = {0};
    int code = spec_text(s, &yaml, e);
    if (!code)
        code = text_check(&yaml, e);
    if (!code) {
        text_append(out, "<details><summary>The spec, resolved (hash ");
        text_append_format(out, "%.12s", spec_hash(s));
        text_append(out, ")</summary>\n");
        html_element(out, "pre", NULL, yaml.data);
        text_append(out, "</details>\n");
    }
    text_close(&yaml);
    return code;
}

/* ---- certificates -----------------------------------------------------------------------------*/

static bool is_impossible(const struct result_row *row)
{
    return strcmp(result_text(row, "verdict"), "impossible") == 0;
}

/* What is impossible of a group, and the certificate of each seed: of a name that any shell completes,
 * since large ones are compressed (run/certificate.h). */
static int append_certificates(struct text *out, const struct summary_group *g)
{
    char number[TEXT_NUMBER_MAX];
    int count = 0;
    for (int k = 0; k < g->count; k++) {
        const struct result_row *row = g->row[k];
        if (!is_impossible(row))
            continue;
        if (!count++) {
            text_append(out, "<li>");
            html_escape(out, result_text(row, "axes"));
            text_append_format(out, ", length %s, ", length_text(number, g->length));
            html_escape(out, result_text(row, "subset"));
            text_append(out, ":");
        }
        text_append(out, " <code>certificates/");
        html_escape(out, result_text(row, "cell"));
        text_append_format(out, "/%s-", length_text(number, g->length));
        html_escape(out, result_text(row, "subset"));
        text_append(out, ".*</code>");
    }
    text_append(out, count ? "</li>\n" : "");
    return count;
}

/* For who does not want to believe a floor: what writes the certificates of the experiment, what
 * checks them, and which is whose.  Nothing where nothing is impossible. */
static void append_certified(struct text *out, const struct results *r,
                             const struct summary_group *group, int groups)
{
    size_t start = out->length;
    int lines = 0;
    text_append(out, "<details><summary>Certificates: have each impossible line checked</summary>\n"
                     "<p>In the results folder, this writes a certificate of each floor, and has "
                     "them judged by a program of its own that needs Python only:</p>\n<pre>");
    for (int k = 0; k < r->specs; k++)
        if (strcmp(spec_name(r->spec[k]), spec_name(group->spec)) == 0)
            text_append_format(out, "urpe-probe bound specs/%s.yaml --certificate certificates "
                               "--no-claims --quiet\n", spec_hash(r->spec[k]));
    text_append(out, "urpe-probe-check certificates/*/*</pre>\n<p>One line is checked by "
                     "<code>urpe-probe-check</code> and the name of its certificate, one for each "
                     "seed:</p>\n<ul>\n");
    for (int k = 0; k < groups; k++)
        lines += append_certificates(out, &group[k]);
    text_append(out, "</ul>\n</details>\n");
    if (!lines && !out->failed) {
        out->length = start;
        out->data[start] = '\0';
    }
}

static int append_experiment(struct text *out, const char *folder, const struct results *r,
                             const struct summary_group *group, int groups,
                             const struct figures *f, struct err *e)
{
    const char *experiment = spec_name(group->spec);
    int code = 0;
    text_append(out, "<section>\n");
    html_element(out, "h2", NULL, experiment);
    text_append(out, "\n");
    for (int k = 0; !code && k < r->specs; k++)
        if (strcmp(spec_name(r->spec[k]), experiment) == 0)
            code = append_claims(out, r, r->spec[k], e);
    if (!code)
        code = append_matrices(out, group, groups, e);
    if (!code)
        append_certified(out, r, group, groups);
    if (!code)
        code = append_figures(out, folder, experiment, f, e);
    for (int k = 0; !code && k < r->specs; k++)
        if (strcmp(spec_name(r->spec[k]), experiment) == 0)
            code = append_spec(out, r->spec[k], e);
    text_append(out, "</section>\n");
    return code;
}

static int append_experiments(struct text *out, const char *folder, const struct results *r,
                              const struct figures *f, struct err *e)
{
    struct summary s;
    int count, code = summary_open(&s, r, NULL, e);
    if (code)
        return code;
    for (int k = 0; !code && k < s.groups; k += count) {
        count = summary_experiment(&s, k);
        code = append_experiment(out, folder, r, &s.group[k], count, f, e);
    }
    summary_close(&s);
    return code;
}

/* ---- machines and files -----------------------------------------------------------------------*/
static const char *const machine_column[] = {"version", "cpu", "blas", "threads"};
enum { MACHINE_COLUMNS = sizeof machine_column / sizeof *machine_column };

static bool same_machine(const struct result_row *a, const struct result_row *b)
{
    for (int k = 0; k < MACHINE_COLUMNS; k++)
        if (strcmp(result_text(a, machine_column[k]), result_text(b, machine_column[k])) != 0)
            return false;
    return true;
}

/* A line per machine, at the first of its rows that starts a cell. */
static int append_machines(struct text *out, const struct results *r, struct err *e)
{
    int *first = memory_alloc((size_t)r->rows, sizeof *first, e), machines = 0;
    int *cells = memory_alloc((size_t)r->rows, sizeof *cells, e);
    for (int k = 0; first && cells && k < r->rows; k++) {
        int at = 0;
        if (r->row[k].order != 0)
            continue;
        while (at < machines && !same_machine(&r->row[first[at]], &r->row[k]))
            at++;
        if (at == machines)
            first[machines++] = k;
        cells[at]++;
    }
    text_append(out, "<section>\n<h2>Machine</h2>\n<div class=\"wide\"><table>\n<thead><tr>");
    for (int k = 0; k < MACHINE_COLUMNS; k++)
        text_append_format(out, "<th scope=\"col\">%s</th>", machine_column[k]);
    text_append(out, "<th scope=\"col\">cells</th></tr></thead>\n<tbody>\n");
    for (int m = 0; m < machines; m++) {
        text_append(out, "<tr>");
        for (int k = 0; k < MACHINE_COLUMNS; k++)
            html_element(out, "td", NULL, result_text(&r->row[first[m]], machine_column[k]));
        text_append_format(out, "<td>%d</td></tr>\n", cells[m]);
    }
    text_append(out, "</tbody></table></div>\n</section>\n");
    int code = first && cells ? 0 : ERR_MEMORY;
    memory_free(first);
    memory_free(cells);
    return code;
}

static void append_skipped(struct text *out, const struct results *r)
{
    if (!r->skips)
        return;
    text_append(out, "<section>\n<h2>Skipped files</h2>\n<ul>\n");
    for (int k = 0; k < r->skips; k++) {
        html_element(out, "li", NULL, r->skipped[k]);
        text_append(out, "\n");
    }
    text_append(out, "</ul>\n</section>\n");
}

/* ---- the page ---------------------------------------------------------------------------------*/
static void append_start(struct text *out, const struct figures *f)
{
    text_append(out,
                "<h1>urpe-probe: results</h1>\n"
                "<p>The <b>floor</b> is a proven lower bound, in exact arithmetic, on the error of "
                "every network of the class; of floats, error \u2265 floor \u2212 leak holds, where the "
                "<b>leak</b> (columns leak_rms, leak_sup) is by how much rounding told inputs apart "
                "that the class cannot. The <b>error</b> is what training found, and named by its unit: "
                "<b>error_rel</b>, a share of the error of the best constant; <b>error_rms</b> where the "
                "target is constant; <b>share of wrong answers</b>; <b>bits per byte</b>. A verdict is "
                "<b>impossible</b> where the floor is above the tolerance, <b>too-shallow</b> where that "
                "of networks of so many layers is, <b>by-rounding</b> where either "
                "is and the error is below it for all that, <b>reached</b> where "
                "the error is within it, <b>not-reached</b> where neither is so, <b>not-of-class</b> where "
                "predictions from elsewhere (<code>score</code>) are no network's of the class; where seeds differ, it says in "
                "how many of them it is so. <b>rpe</b> is "
                "relative encoding inside the softmax only; <b>urpe</b> multiplies the attention "
                "by a learned table C. <b>A \u2212 B</b> is the difference of the errors of the "
                "same seed, its mean over seeds. <b>a..b</b> are the least and the "
                "greatest of the seeds, shown where there are fewer than four; of more, <b>\u00d7\u00f7</b> "
                "is the factor from the geometric mean of errors to both ends of its 95 % interval, and "
                "<b>\u00b1</b> of differences half of theirs. Seeds "
                "differ in initial weights, training data and evaluation samples; where a "
                "figure shows the sampling error apart, it says so. <b>weights</b> is what weights "
                "that were written down, not trained, leave on the same inputs.</p>\n");
    if (f->failed) {
        text_append(out, "<p>Not all figures could be drawn:</p>\n");
        html_element(out, "pre", NULL, f->failures.data);
    }
    if (f->drawn)
        return;
    text_append(out, "<p>");
    html_escape(out, f->why);
    text_append(out, ".</p>\n");
}

int report_page(const char *folder, const struct results *r, const struct figures *f,
                struct err *e)
{
    char path[FILE_PATH_MAX];
    struct text page = {0};
    int code = file_join(path, sizeof path, folder, "report.html", e);
    html_open(&page, "urpe-probe: results");
    append_start(&page, f);
    if (!code)
        code = append_experiments(&page, folder, r, f, e);
    if (!code)
        code = append_machines(&page, r, e);
    append_skipped(&page, r);
    html_close(&page);
    if (!code)
        code = text_check(&page, e);
    if (!code)
        code = file_write(path, page.data, page.length, e);
    text_close(&page);
    return code;
}
