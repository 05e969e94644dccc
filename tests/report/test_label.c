/* What tells cells apart is said everywhere: in tables, labels of figures, the page, CSV files and
 * claims; of a default, too. */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "report/help_report.h"
#include "report/label.h"

#define SPEC(more) \
    "name: v\nseeds: 1\nspace: {length: 4, channels: 2}\ntarget: gain\n" \
    "model: {layers: 1, heads: 1, width: 4, ffn: 4, norm: none, activation: relu}\n" more

/* The rows of a spec, and their groups. */
struct fixture {
    struct help_report report;
    struct summary summary;
};

static void open_fixture(struct fixture *f, const char *yaml)
{
    struct err e = {0};
    help_report_open(&f->report, yaml, help_figures);
    assert_int_equal(summary_open(&f->summary, &f->report.results, NULL, &e), 0);
}

static void close_fixture(struct fixture *f)
{
    summary_close(&f->summary);
    help_report_close(&f->report);
}

/* Every row of a file has one of the texts in a column; each is there. */
static void column_has(const char *folder, const char *file, const char *column,
                       const char *const text[2])
{
    struct err e = {0};
    struct csv c;
    char path[HELP_PATH + 16];
    int found[2] = {0, 0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(csv_read(path, &c, &e), 0);
    for (int k = 1; k < c.rows; k++) {
        const char *field = c.row[k][csv_column(&c, column)];
        bool first = strstr(field, text[0]) != NULL;
        if (first == (strstr(field, text[1]) != NULL))
            fail_msg("%s of %s is '%s', neither %s nor %s", column, file, field, text[0], text[1]);
        found[!first]++;
    }
    assert_true(found[0] && found[1]);
    csv_close(&c);
}

/* key: without its section; value: the default and another. */
static void value_shows(const char *yaml, bool compared, const char *key, const char *full,
                        const char *const value[2])
{
    struct fixture f;
    struct err e = {0};
    struct figures none = {.drawn = true};
    char said[2][64], whole[2][64], heading[2][64];
    open_fixture(&f, yaml);
    for (int k = 0; k < 2; k++) {
        snprintf(said[k], sizeof said[k], "%s=%s", key, value[k]);
        snprintf(heading[k], sizeof heading[k], "%s%s</th>", compared ? ">" : said[k],
                 compared ? value[k] : "");
        snprintf(whole[k], sizeof whole[k], "%s=%s", full, value[k]);
    }
    for (int width = 200; width >= 60; width -= 70) {
        char *table = help_table(f.report.spec, &f.report.results, width);
        for (int k = 0; k < 2; k++)
            if (!strstr(table, value[k]))
                fail_msg("no %s in\n%s", value[k], table);
        memory_free(table);
    }
    for (int g = 0; g < f.summary.groups; g++) {
        struct text label = {0};
        label_append(&label, &f.summary.group[g], NULL);
        assert_true(!strstr(label.data, said[0]) != !strstr(label.data, said[1]));
        text_close(&label);
    }
    assert_int_equal(report_page(f.report.folder, &f.report.results, &none, &e), 0);
    char *page = help_read(f.report.folder, "report.html");
    /* Values that are compared are headings of columns. */
    for (int k = 0; k < 2; k++)
        if (!strstr(page, heading[k]))
            fail_msg("no %s in the page", said[k]);
    memory_free(page);
    const char *const column[2] = {whole[0], whole[1]};
    column_has(f.report.folder, "results.csv", "axes", column);
    column_has(f.report.folder, "results.csv", "settings", column);
    column_has(f.report.folder, "summary.csv", "axes", column);
    assert_int_equal(spec_check_claims(f.report.spec, &e), 0);
    for (int k = 0; k < spec_claims(f.report.spec); k++) {
        const struct claim *c = spec_claim(f.report.spec, k);
        struct claim_verdict v;
        assert_int_equal(claim_judge(f.report.spec, c, &f.report.results, &v, &e), 0);
        if (!v.held || !v.matched)
            fail_msg("%s: %s", c->text, v.why);
    }
    close_fixture(&f);
}

static void a_default_on_an_axis_shows(void **state)
{
    static const char *const deviation[2] = {"0.02", "0.5"}, *const start[2] = {"default", "witness"};
    value_shows(SPEC("grid: {model.encoding.std: [0.02, 0.5]}\nclaims:\n"
                     "  - {where: {model.encoding.std: 0.02, subset: all}, expect: {error_rel: 0.01}}\n"
                     "  - {pair: {model.encoding.std: [0.02, 0.5]}, expect: {error_rel: 0}}\n"),
                true, "std", "model.encoding.std", deviation);
    value_shows(SPEC("grid: {model.encoding.std: [0.02, 0.5]}\n"), false, "std", "model.encoding.std",
                deviation);
    value_shows(SPEC("grid: {model.init: [default, witness]}\nclaims:\n"
                     "  - {where: {model.init: default}, expect: {error_rel: 0.01}}\n"
                     "  - {pair: {model.init: [default, witness]}, expect: {error_rel: 0}}\n"),
                true, "init", "model.init", start);
    value_shows(SPEC("grid: {model.init: [default, witness]}\n"), false, "init", "model.init", start);
}

/* The column `axes` is for programs: whatever a value holds, it is one word to a shell. */
static void axes_are_words(void **state)
{
    struct fixture f;
    open_fixture(&f, SPEC("cases:\n  - {target: {kind: lua, y: 'x[i][c] + 1'}, train.lr: 0.1}\n"
                          "  - {target: {kind: lua, y: '\"\\\\\" == x and 1 or 2'}, train.lr: 0.2}\n"
                          "  - {target: {kind: lua, y: '2'}, train.lr: 0.2, evaluate.lengths: [8]}\n"));
    static const char *const axes[] = {
        "target.y=\"x[i][c] + 1\" train.lr=0.1 evaluate.lengths=[4]",
        "target.y=\"\\\"\\\\\\\\\\\" == x and 1 or 2\" train.lr=0.2 evaluate.lengths=[4]",
        "target.y=2 train.lr=0.2 evaluate.lengths=\"[4, 8]\""};
    for (int k = 0; k < f.report.results.rows; k++) {
        const struct result_row *row = &f.report.results.row[k];
        assert_string_equal(result_text(row, "axes"), axes[row->cell]);
    }
    close_fixture(&f);
}

/* Options stand behind the kind that has them; keys that are left out, with all below them. */
static void labels_put_options_behind_their_kind(void **state)
{
    struct fixture f;
    static const char *const encoding[] = {"model.encoding", "train", NULL};
    struct text label = {0};
    open_fixture(&f, SPEC("evaluate: {lengths: [4, 6]}\ngrid:\n"
                          "  target: [{kind: shift, k: 1}, {kind: shift, k: 2}]\n"
                          "  model.encoding: [{kind: t5, buckets: 8}, {kind: t5, buckets: 16}]\n"
                          "  train.lr: [0.1, 0.2]\n  model.layers: [1, 2]\n"));
    label_append_line(&label, &f.summary.group[0], true);
    assert_string_equal(label.data, "shift k=1 t5 buckets=8 urpe lr=0.1 layers=1 n=4");
    text_clear(&label);
    label_append(&label, &f.summary.group[0], encoding);
    assert_string_equal(label.data, "shift k=1 urpe layers=1");
    text_close(&label);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_on_an_axis_shows),
        cmocka_unit_test(axes_are_words),
        cmocka_unit_test(labels_put_options_behind_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
