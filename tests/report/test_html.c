/* The HTML page: escaping, images, the verdict matrix, what is left out. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
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
    (void)state;
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
    (void)state;
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

/* Rows of a folder in which the cells of spec s are finished. */
static struct spec *open_small(char folder[HELP_PATH], struct results *r)
{
    struct spec *s = help_spec(small);
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    help_open(r, folder);
    return s;
}

static int count(const char *all, const char *part)
{
    int n = 0;
    for (const char *at = all; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* On identical inputs RPE is invented as impossible and URPE as reached: 3 encodings x 2 targets
 * each, encodings as rows, because there are more of them. */
static void matrix_has_every_group(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct summary sum;
    struct err e = {0};
    struct text t = {0};
    int cells;
    struct spec *s = open_small(folder, &r);
    (void)state;
    assert_int_equal(summary_open(&sum, &r, NULL, &e), 0);
    int identical = 0;
    for (int k = 0; k < sum.groups; k++)
        if (strcmp(result_text(sum.group[k].row[0], "subset"), "identical") == 0)
            identical = sum.group[k].subset;
    assert_int_equal(matrix_append(&t, sum.group, sum.groups, identical, &cells, &e), 0);
    assert_int_equal(cells, 12);
    assert_int_equal(count(t.data, "<td class=\"impossible\">"), 6);
    assert_int_equal(count(t.data, "<td class=\"reached\">"), 6);
    assert_int_equal(count(t.data, "<th scope=\"row\">"), 3);
    assert_int_equal(count(t.data, "colspan=\"2\""), 2);
    assert_null(strstr(t.data, "not run"));
    /* toeplitz, position: alone, then with C. */
    const char *row = strstr(t.data, "<th scope=\"row\">toeplitz</th><td class=\"impossible\">");
    assert_non_null(row);
    assert_non_null(strstr(row, "<small>error 1.05 \u00b1 0.64</small><small>floor 1</small></td>"
                                "<td class=\"reached\">"));
    text_clear(&t);
    assert_int_equal(matrix_append(&t, sum.group, sum.groups, 1000, &cells, &e), 0);
    assert_int_equal(cells, 0);
    assert_int_equal(t.length, 0);
    text_close(&t);
    summary_close(&sum);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

/* Rows list what their cells have: what is 0 or none in one of them goes without saying. */
static void labels_list_what_there_is(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct summary sum;
    struct err e = {0};
    struct text t = {0};
    int cells;
    struct spec *s = help_spec(
        "name: p\nseeds: 1\nspace: {length: 4, channels: 1}\ntarget: mean\n"
        "model: {encoding: alibi, layers: 1, heads: 1, width: 8, ffn: 8}\n"
        "cases:\n  - {space.inputs.palindrome: 0.5}\n  - {evaluate.orbit: reversal}\n");
    (void)state;
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    help_open(&r, folder);
    assert_int_equal(summary_open(&sum, &r, NULL, &e), 0);
    assert_int_equal(matrix_append(&t, sum.group, sum.groups, 0, &cells, &e), 0);
    assert_int_equal(cells, 2);
    assert_non_null(strstr(t.data, ">alibi inputs.palindrome=0.5</th>"));
    assert_non_null(strstr(t.data, ">alibi orbit=reversal</th>"));
    text_close(&t);
    summary_close(&sum);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

/* A cell that was not run is said to be so. */
static void matrix_names_gaps(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct summary sum;
    struct err e = {0};
    struct text t = {0};
    int cells;
    struct spec *s = help_spec(small);
    (void)state;
    help_folder(folder);
    help_write_spec(folder, s);
    for (int k = 4; k < spec_cells(s); k++)
        help_write_cell(folder, spec_cell(s, k), help_figures);
    help_open(&r, folder);
    assert_int_equal(summary_open(&sum, &r, NULL, &e), 0);
    assert_int_equal(matrix_append(&t, sum.group, sum.groups, 0, &cells, &e), 0);
    assert_int_equal(cells, 10);
    assert_int_equal(count(t.data, "not run"), 2);
    text_close(&t);
    summary_close(&sum);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

/* Without gnuplot: everything but figures, and the reason. */
static void page_has_its_parts(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct err e = {0};
    struct figures f = {.why = "no <gnuplot>"};
    struct spec *s = open_small(folder, &r);
    (void)state;
    assert_int_equal(report_page(folder, &r, &f, &e), 0);
    char *page = help_read(folder, "report.html");
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
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

/* Claims about trained cells wait for all of them; the others are named all the same. */
static void unfinished_claims_wait(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct err e = {0};
    struct figures f = {.drawn = true};
    struct spec *s = help_spec(small);
    (void)state;
    help_folder(folder);
    help_write_spec(folder, s);
    for (int k = 1; k < spec_cells(s); k++)
        help_write_cell(folder, spec_cell(s, k), help_figures);
    help_open(&r, folder);
    assert_int_equal(report_page(folder, &r, &f, &e), 0);
    char *page = help_read(folder, "report.html");
    assert_non_null(strstr(page, "23 of 24 cells finished, so no claim about trained cells"));
    assert_int_equal(count(page, "<td class=\"held\">") + count(page, "<td class=\"broken\">"), 0);
    assert_int_equal(count(page, "judged by <code>"), 2);
    memory_free(page);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

/* A page about an image that gnuplot drew shows it under the experiment that it is about. */
static void page_shows_figures(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    char name[2][FIGURE_NAME_MAX] = {"floor-small", "floor-other"};
    struct results r;
    struct err e = {0};
    struct figures f = {.drawn = true, .name = name, .count = 2};
    struct spec *s = open_small(folder, &r);
    (void)state;
    snprintf(path, sizeof path, "%s/figures", folder);
    assert_int_equal(file_make_folder(path, &e), 0);
    help_write(folder, "figures/floor-small.svg", "<?xml?>\n<svg><g id=\"a\"/></svg>\n");
    assert_int_equal(report_page(folder, &r, &f, &e), 0);
    char *page = help_read(folder, "report.html");
    assert_int_equal(count(page, "<figure"), 1);
    assert_non_null(strstr(page, "<svg><g id=\"f0-a\"/></svg>"));
    memory_free(page);
    help_write(folder, "figures/floor-small.svg", "nothing");
    assert_int_equal(report_page(folder, &r, &f, &e), ERR_FORMAT);
    results_close(&r);
    spec_close(s);
    help_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),         cmocka_unit_test(images_keep_their_ids_apart),
        cmocka_unit_test(matrix_has_every_group),  cmocka_unit_test(matrix_names_gaps),
        cmocka_unit_test(page_has_its_parts),      cmocka_unit_test(page_shows_figures),
        cmocka_unit_test(unfinished_claims_wait), cmocka_unit_test(labels_list_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
