/* The HTML page: escaping, images, the verdict matrix, what is left out. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "help_report.h"
#include "report/html.h"
#include "report/matrix.h"

static const char small[] = "name: small\n"
                            "seeds: 2\n"
                            "space: {length: 4, channels: 1, inputs: {identical: 0.5}}\n"
                            "target: position\n"
                            "model: {layers: 1, heads: 1, width: 8, ffn: 8}\n"
                            "train: {steps: 3, batch: 4}\n"
                            "grid:\n"
                            "  target.kind: [position, mean]\n"
                            "  model.encoding: [toeplitz, rope, none]\n"
                            "  model.attention: [rpe, urpe]\n"
                            "claims:\n"
                            "  - {where: {model.attention: rpe, subset: identical}, "
                            "expect: {verdict: impossible}}\n"
                            "  - {where: {subset: all}, expect: {error_rel: '< 1e-9'}}\n"
                            "  - {on: bound, expect: {floor_rel: '>= 0'}}\n"
                            "  - {on: witness, expect: {error_sup: '<= 1'}}\n";

/* Everything that markup could be made of, in content and in attributes. */
static void text_is_escaped(void **state)
{
    struct text t = {0};
    html_escape(&t, "<script>alert(\"a\" & 'b')</script>\x01\n\xc3\xa9");
    assert_string_equal(t.data, "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)"
                                "&lt;/script&gt; \n\xc3\xa9");
    text_clear(&t);
    html_element(&t, "td", "held", "a<b");
    assert_string_equal(t.data, "<td class=\"held\">a&lt;b</td>");
    text_close(&t);
}

/* Ids get a prefix wherever a tag names them, and text that looks like one does not. */
static void images_keep_their_ids_apart(void **state)
{
    struct text t = {0};
    assert_true(html_svg(&t, "<?xml?><!DOCTYPE x><svg><g id=\"a\"/><use href='#a' fill='url(#b)'/>"
                             "<text> id=\"a\"</text></svg>\n", 3));
    assert_string_equal(t.data, "<svg><g id=\"f3-a\"/><use href='#f3-a' fill='url(#f3-b)'/>"
                                "<text> id=\"a\"</text></svg>");
    text_clear(&t);
    assert_false(html_svg(&t, "no image", 0));
    assert_false(html_svg(&t, "<svg>cut off", 0));
    assert_int_equal(t.length, 0);
    text_close(&t);
}

static int count(const char *all, const char *part)
{
    int n = 0;
    for (const char *at = all; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* The matrix of a subset; returns how many groups it shows. */
static int matrix_of(const struct help_report *h, const char *subset, struct text *t)
{
    struct summary sum;
    struct err e = {0};
    int cells, rank = 1000;
    assert_int_equal(summary_open(&sum, &h->results, NULL, &e), 0);
    for (int k = 0; k < sum.groups; k++)
        if (strcmp(result_text(sum.group[k].row[0], "subset"), subset) == 0)
            rank = sum.group[k].subset;
    text_clear(t);
    assert_int_equal(matrix_append(t, sum.group, sum.groups, rank, &cells, &e), 0);
    summary_close(&sum);
    return cells;
}

/* On identical inputs RPE is invented as impossible and URPE as reached: 3 encodings x 2 targets
 * each, encodings as rows, because there are more of them. */
static void matrix_has_every_group(void **state)
{
    struct help_report h;
    struct text t = {0};
    help_report_open(&h, small, help_figures);
    assert_int_equal(matrix_of(&h, "identical", &t), 12);
    assert_int_equal(count(t.data, "<td class=\"impossible\" data-of"), 6);
    assert_int_equal(count(t.data, "<td class=\"reached\" data-of"), 6);
    assert_int_equal(count(t.data, "<th scope=\"row\">"), 3);
    assert_int_equal(count(t.data, "colspan=\"2\""), 2);
    assert_null(strstr(t.data, "not run"));
    /* toeplitz, position: rpe, then urpe and what C makes of each seed: 0.99 and 1.08 less. */
    const char *row = strstr(t.data, "<th scope=\"row\">toeplitz</th><td class=\"impossible\" data-of");
    assert_non_null(row);
    assert_non_null(strstr(row, "<small>error_rel 1.000..1.100</small><small>floor 1.000</small></td>"
                                "<td class=\"reached\" data-of"));
    assert_int_equal(count(t.data, "<small>rpe \u2212 urpe 0.990..1.080</small></td>"), 6);

    assert_int_equal(count(t.data, "<th scope=\"col\">rpe</th><th scope=\"col\">urpe</th>"), 2);
    assert_int_equal(matrix_of(&h, "palindrome", &t), 0);
    assert_int_equal(t.length, 0);
    text_close(&t);
    help_report_close(&h);
}

/* Without an axis of the attention, the values of another key stand side by side; kinds that have
 * rows or columns do not. */
static void matrix_sets_values_side_by_side(void **state)
{
    struct help_report h;
    struct text t = {0};
    help_report_open(&h, "name: p\nspace: {length: 4, channels: 1}\ntarget: mean\n"
                         "model: {layers: 1, heads: 1, width: 8, ffn: 8}\ngrid:\n"
                         "  model.encoding: [t5, rope]\n  model.norm: [pre, post]\n", help_figures);
    assert_int_equal(matrix_of(&h, "all", &t), 4);
    assert_non_null(strstr(t.data, "colspan=\"2\" scope=\"colgroup\">mean</th>"));
    assert_non_null(strstr(t.data, "<th scope=\"col\">pre</th><th scope=\"col\">post</th></tr>"));
    assert_int_equal(count(t.data, "<small>pre \u2212 post 0</small>"), 2);
    assert_int_equal(count(t.data, "<small>t5 \u2212 rope 0</small>"), 2);
    text_close(&t);
    help_report_close(&h);
}

/* Rows list what their cells have: what is 0 or none in one of them goes without saying. */
static void labels_list_what_there_is(void **state)
{
    struct help_report h;
    struct text t = {0};
    help_report_open(&h, "name: p\nseeds: 1\nspace: {length: 4, channels: 1}\ntarget: mean\n"
                         "model: {encoding: alibi, layers: 1, heads: 1, width: 8, ffn: 8}\n"
                         "cases:\n  - {space.inputs.palindrome: 0.5}\n"
                         "  - {evaluate.orbit: reversal}\n", help_figures);
    assert_int_equal(matrix_of(&h, "all", &t), 2);
    assert_non_null(strstr(t.data, ">alibi inputs.palindrome=0.5</th>"));
    assert_non_null(strstr(t.data, ">alibi orbit=reversal</th>"));
    text_close(&t);
    help_report_close(&h);
}

/* A cell that was not run is said to be so. */
static void matrix_names_gaps(void **state)
{
    struct help_report h;
    struct text t = {0};
    help_report_open_behind(&h, small, help_figures, 4);
    assert_int_equal(matrix_of(&h, "all", &t), 10);
    assert_int_equal(count(t.data, "not run"), 2);
    text_close(&t);
    help_report_close(&h);
}

static char *page_of(const struct help_report *h, const struct figures *f)
{
    struct err e = {0};
    assert_int_equal(report_page(h->folder, &h->results, f, &e), 0);
    return help_read(h->folder, "report.html");
}

/* Without gnuplot: everything but figures, and the reason. */
static void page_has_its_parts(void **state)
{
    struct help_report h;
    help_report_open(&h, small, help_figures);
    char *page = page_of(&h, &(struct figures){.why = "no <gnuplot>"});
    assert_int_equal(count(page, "<td class=\"held\">"), 1);
    assert_int_equal(count(page, "<td class=\"broken\">"), 1);
    assert_int_equal(count(page, "judged by <code>urpe-probe bound</code>"), 1);
    assert_int_equal(count(page, "judged by <code>urpe-probe witness</code>"), 1);
    assert_int_equal(count(page, "<thead>"), 4); /* all, generic, identical; the machine */
    assert_non_null(strstr(page, "no &lt;gnuplot&gt;."));
    assert_non_null(strstr(page, "name: small"));
    assert_non_null(strstr(page, "24 of 24 cells finished."));
    assert_null(strstr(page, "<figure"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "<link"));
    memory_free(page);
    help_report_close(&h);
}

/* Claims about trained cells wait for all of them; the others are named all the same. */
static void unfinished_claims_wait(void **state)
{
    struct help_report h;
    help_report_open_behind(&h, small, help_figures, 1);
    char *page = page_of(&h, &(struct figures){.drawn = true});
    assert_non_null(strstr(page, "23 of 24 cells finished, so no claim about trained cells"));
    assert_int_equal(count(page, "<td class=\"held\">") + count(page, "<td class=\"broken\">"), 0);
    assert_int_equal(count(page, "judged by <code>"), 2);
    memory_free(page);
    help_report_close(&h);
}

/* A page about an image that gnuplot drew shows it under the experiment that it is about. */
static void page_shows_figures(void **state)
{
    struct help_report h;
    struct err e = {0};
    char name[2][FIGURE_NAME_MAX] = {"floor-small", "floor-other"};
    struct figures f = {.drawn = true, .name = name, .count = 2};
    help_report_open(&h, small, help_figures);
    help_write(h.folder, "figures/floor-small.svg", "<?xml?>\n<svg><g id=\"a\"/></svg>\n");
    char *page = page_of(&h, &f);
    assert_int_equal(count(page, "<figure"), 1);
    assert_non_null(strstr(page, "<svg><g id=\"f0-a\"/></svg>"));
    memory_free(page);
    help_write(h.folder, "figures/floor-small.svg", "nothing");
    assert_int_equal(report_page(h.folder, &h.results, &f, &e), ERR_FORMAT);
    help_report_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),         cmocka_unit_test(images_keep_their_ids_apart),
        cmocka_unit_test(matrix_has_every_group),  cmocka_unit_test(matrix_names_gaps),
        cmocka_unit_test(matrix_sets_values_side_by_side),
        cmocka_unit_test(page_has_its_parts),      cmocka_unit_test(page_shows_figures),
        cmocka_unit_test(unfinished_claims_wait), cmocka_unit_test(labels_list_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
