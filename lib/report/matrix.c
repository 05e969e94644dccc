/* The verdict matrix.
 *
 *              |   gain                 |   mean                 |
 *     encoding |   rpe        | urpe    |   rpe        | urpe    |
 *     toeplitz |   impossible | reached |   reached    | reached |
 *
 * Invariant: each group lands in exactly one place, and a place never hides one: labels name
 * everything in which groups differ but the seed. */
#include "report/matrix.h"

#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/label.h"
#include "report/lines.h"
#include "report/pair.h"
#include "report/verdict.h"

enum { VALUE_SIZE = 256 };

/* Texts, each once. */
struct labels {
    struct text *text;
    int count;
};

struct place {
    const struct summary_group *group;
    int row, kind[2], value; /* places among labels */
};

static const char *const kind_key[] = {"model.encoding", "target"};
struct matrix {
    struct group_pairs pairs;
    int columns;        /* which kind makes the columns; the other, and all else, the rows */
    const char *series; /* the key whose values stand side by side in each column */
    struct labels row, kind[2], value;
    struct place *place; /* (places) */
    int places;
    bool lengths;
};

/* ---- labels -----------------------------------------------------------------------------------*/
/* The place of a label, added where it is new. */
static int find_label(struct labels *l, struct text *label, int *place, struct err *e)
{
    int code = text_check(label, e);
    for (*place = 0; !code && *place < l->count; ++*place)
        if (strcmp(l->text[*place].data, label->data) == 0)
            break;
    if (!code && *place == l->count)
        code = memory_grow(l->text, (size_t)l->count + 1, e);
    if (!code && *place == l->count) {
        l->text[l->count++] = *label;
        *label = (struct text){0};
    }
    text_close(label);
    return code;
}

static void close_labels(struct labels *l)
{
    for (int k = 0; k < l->count; k++)
        text_close(&l->text[k]);
    memory_free(l->text);
    *l = (struct labels){0};
}

static int find_kinds(struct matrix *m, struct place *p, struct err *e)
{
    const char *const except[] = {m->series, NULL};
    int code = 0;
    for (int k = 0; !code && k < 2; k++) {
        struct text label = {0};
        label_append_kind(&label, p->group, kind_key[k], except);
        code = find_label(&m->kind[k], &label, &p->kind[k], e);
    }
    return code;
}

static int find_place(struct matrix *m, struct place *p, struct err *e)
{
    const char *const except[] = {kind_key[m->columns], m->series, NULL};
    struct text row = {0}, value = {0};
    char series[VALUE_SIZE] = "", number[TEXT_NUMBER_MAX];
    label_append(&row, p->group, except);
    if (m->lengths)
        text_append_format(&row, " n=%s", length_text(number, p->group->length));
    spec_value(p->group->cell, m->series, series, sizeof series);
    text_append(&value, series);
    int code = find_label(&m->row, &row, &p->row, e);
    int other = find_label(&m->value, &value, &p->value, e);
    return code ? code : other;
}

/* The kind with more values makes the rows; what is compared stands side by side. */
static int lay_out(struct matrix *m, struct err *e)
{
    int code = 0;
    m->series = "model.attention";
    for (int k = m->pairs.pairs - 1; k >= 0; k--)
        if (!is_key(m->pairs.pair[k].key, kind_key[0]) && !is_key(m->pairs.pair[k].key, kind_key[1]))
            m->series = m->pairs.pair[k].key;
    for (int k = 0; !code && k < m->places; k++)
        code = find_kinds(m, &m->place[k], e);
    m->columns = m->kind[1].count <= m->kind[0].count;
    for (int k = 0; !code && k < m->places; k++)
        code = find_place(m, &m->place[k], e);
    return code;
}

/* ---- cells ------------------------------------------------------------------------------------*/
/* What the head says of a place in the body, for screens that have no room for the head. */
static void append_of(struct text *out, const struct matrix *m, int place)
{
    int values = m->value.count;
    text_append(out, " data-of=\"");
    html_escape(out, m->kind[m->columns].text[place / values].data);
    text_append(out, " ");
    html_escape(out, m->value.text[place % values].data);
    text_append(out, "\">");
}

static void append_verdict(struct text *out, const struct matrix *m, int place,
                           const struct summary_group *g)
{
    int seeds;
    struct text words = {0};
    const struct verdict_style *v = verdict_of_group(g, &seeds);
    verdict_append(&words, g);
    text_append_format(out, "<td class=\"%s\"", seeds == g->count && v->plain ? v->name : "mixed");
    append_of(out, m, place);
    text_append_format(out, "%s ", v->mark);
    html_escape(out, words.data ? words.data : "");
    out->failed |= words.failed;
    text_close(&words);
}

static void append_figure(struct text *out, const char *name, const struct interval *i)
{
    if (!isfinite(i->mean))
        return;
    text_append(out, "<small>");
    html_escape(out, name);
    text_append(out, " ");
    report_append_interval(out, i, true, true);
    text_append(out, "</small>");
}

/* place: of the column in the body. */
static int append_cell(struct text *out, const struct matrix *m, int place,
                       const struct summary_group *g, struct err *e)
{
    struct line_figures f;
    int code = line_figures_of(g, &f, e);
    if (code)
        return code;
    append_verdict(out, m, place, g);
    append_figure(out, f.measure ? f.measure->name : "error", &f.error);
    append_figure(out, "floor", &f.floor);
    append_figure(out, "weights", &f.witness);
    for (int k = 0; !code && k < m->pairs.count; k++) {
        const struct group_pair *p = &m->pairs.match[k];
        struct interval difference;
        char name[2 * PAIR_TEXT + 4];
        if (p->side[1] != g)
            continue;
        snprintf(name, sizeof name, "%s \u2212 %s", p->pair->value[0], p->pair->value[1]);
        code = pair_difference(p, NULL, &difference, e);
        if (!code)
            append_figure(out, name, &difference);
    }
    text_append(out, "</td>");
    return code;
}

static const struct summary_group *group_at(const struct matrix *m, int row, int column, int value)
{
    for (int k = 0; k < m->places; k++)
        if (m->place[k].row == row && m->place[k].kind[m->columns] == column &&
            m->place[k].value == value)
            return m->place[k].group;
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------------*/
static void append_head(struct text *out, const struct matrix *m)
{
    const struct labels *column = &m->kind[m->columns];
    text_append_format(out, "<thead><tr><th rowspan=\"2\" scope=\"col\">%s</th>",
                       m->columns ? "encoding" : "target");
    for (int k = 0; k < column->count; k++) {
        text_append_format(out, "<th colspan=\"%d\" scope=\"colgroup\">", m->value.count);
        html_escape(out, column->text[k].data);
        text_append(out, "</th>");
    }
    text_append(out, "</tr>\n<tr>");
    for (int k = 0; k < column->count * m->value.count; k++) {
        text_append(out, "<th scope=\"col\">");
        html_escape(out, m->value.text[k % m->value.count].data);
        text_append(out, "</th>");
    }
    text_append(out, "</tr></thead>\n");
}

static int append_body(struct text *out, const struct matrix *m, struct err *e)
{
    int code = 0, values = m->value.count;
    text_append(out, "<tbody>\n");
    for (int r = 0; !code && r < m->row.count; r++) {
        text_append(out, "<tr><th scope=\"row\">");
        html_escape(out, m->row.text[r].data);
        text_append(out, "</th>");
        for (int k = 0; !code && k < values * m->kind[m->columns].count; k++) {
            const struct summary_group *g = group_at(m, r, k / values, k % values);
            if (g)
                code = append_cell(out, m, k, g, e);
            else {
                text_append(out, "<td class=\"none\"");
                append_of(out, m, k);
                text_append(out, "not run</td>");
            }
        }
        text_append(out, "</tr>\n");
    }
    text_append(out, "</tbody>");
    return code;
}

static int append_matrix(struct text *out, struct matrix *m, struct err *e)
{
    int code = lay_out(m, e);
    if (code)
        return code;
    text_append(out, "<div class=\"wide\"><table class=\"verdicts\">\n");
    append_head(out, m);
    code = append_body(out, m, e);
    text_append(out, "</table></div>\n");
    return code;
}

int matrix_append(struct text *out, const struct summary_group *group, int groups, int subset,
                  int *cells, struct err *e)
{
    struct matrix m = {0};
    int code = group_pairs_open(&m.pairs, group, groups, e);
    m.place = code ? NULL : memory_alloc((size_t)groups, sizeof *m.place, e);
    if (!code && !m.place)
        code = ERR_MEMORY;
    for (int k = 0; !code && k < groups; k++) {
        if (group[k].subset != subset)
            continue;
        m.place[m.places++].group = &group[k];
        m.lengths |= group[k].length != m.place[0].group->length;
    }
    if (!code && m.places)
        code = append_matrix(out, &m, e);
    *cells = m.places;
    close_labels(&m.row);
    close_labels(&m.kind[0]);
    close_labels(&m.kind[1]);
    close_labels(&m.value);
    memory_free(m.place);
    group_pairs_close(&m.pairs);
    return code;
}
