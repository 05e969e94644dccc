/* The verdict matrix.
 *
 *     encoding | gain alone | gain with C | mean alone | ...
 *     toeplitz | impossible | reached     | reached    |
 *
 * Invariant: each group lands in exactly one place, and a place never hides one: labels name
 * everything in which groups differ but the seed. */
#include "report/matrix.h"

#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/lines.h"

enum { VALUE_SIZE = 256, ATTENTIONS = 2, DIGITS = 3 };

struct labels {
    struct text *text; /* (capacity) */
    int count;
};

struct place {
    const struct summary_group *group;
    int row, column, attention;
};

struct matrix {
    struct labels row, column;
    struct place *place; /* (places) */
    int places;
    bool by_target; /* targets are rows */
    bool lengths;
};

/* ---- labels -----------------------------------------------------------------------------------*/
static bool is_below(const char *axis, const char *key)
{
    size_t length = strlen(key);
    return strncmp(axis, key, length) == 0 && axis[length] == '.';
}

/* Appends "key=value" of the axes below `key`, or, with key NULL, of all that neither kind nor
 * attention names. */
static void append_options(struct text *out, const struct summary_group *g, const char *key)
{
    char value[VALUE_SIZE];
    for (int k = 0; k < g->axes->count; k++) {
        const char *axis = g->axes->key[k], *dot = strchr(axis, '.');
        bool target = is_below(axis, "target"), encoding = is_below(axis, "model.encoding");
        if (axis_is_named(axis) || (key ? !is_below(axis, key) : target || encoding))
            continue;
        if (!spec_value(g->cell, axis, value, sizeof value) || axis_goes_unsaid(value))
            continue;
        if (key)
            dot = strrchr(axis, '.');
        text_append_format(out, " %s=%s", dot ? dot + 1 : axis, value);
    }
}

static void append_kind(struct text *out, const struct summary_group *g, bool target)
{
    const char *key = target ? "target" : "model.encoding";
    line_append_kind(out, g, key);
    append_options(out, g, key);
}

static void append_row_label(struct text *out, const struct matrix *m,
                             const struct summary_group *g)
{
    append_kind(out, g, m->by_target);
    append_options(out, g, NULL);
    if (m->lengths)
        text_append_format(out, " n=%lld", (long long)g->length);
}

/* The place of a label, added where it is new; takes what is in `label`. */
static int place_label(struct labels *l, struct text *label)
{
    for (int k = 0; k < l->count; k++)
        if (strcmp(l->text[k].data, label->data) == 0)
            return k;
    l->text[l->count] = *label;
    *label = (struct text){0};
    return l->count++;
}

static int find_label(struct labels *l, const struct matrix *m, const struct summary_group *g,
                      bool row, int *place, struct err *e)
{
    struct text label = {0};
    if (row)
        append_row_label(&label, m, g);
    else
        append_kind(&label, g, !m->by_target);
    int code = text_check(&label, e);
    if (!code)
        *place = place_label(l, &label);
    text_close(&label);
    return code;
}

/* ---- layout -----------------------------------------------------------------------------------*/
static void close_labels(struct labels *l)
{
    for (int k = 0; k < l->count; k++)
        text_close(&l->text[k]);
    memory_free(l->text);
    *l = (struct labels){0};
}

static int open_labels(struct labels *l, int capacity, struct err *e)
{
    l->text = memory_alloc((size_t)capacity, sizeof *l->text, e);
    return l->text ? 0 : ERR_MEMORY;
}

/* How many kinds there are among the places. */
static int count_kinds(const struct matrix *m, bool target, int *count, struct err *e)
{
    struct labels l = {0};
    int code = open_labels(&l, m->places, e);
    for (int k = 0; !code && k < m->places; k++) {
        struct text label = {0};
        append_kind(&label, m->place[k].group, target);
        code = text_check(&label, e);
        if (!code)
            place_label(&l, &label);
        text_close(&label);
    }
    *count = l.count;
    close_labels(&l);
    return code;
}

static int find_places(struct matrix *m, struct err *e)
{
    int targets, encodings, code = count_kinds(m, true, &targets, e);
    if (!code)
        code = count_kinds(m, false, &encodings, e);
    if (!code)
        m->by_target = targets > encodings;
    if (!code)
        code = open_labels(&m->row, m->places, e);
    if (!code)
        code = open_labels(&m->column, m->places, e);
    for (int k = 0; !code && k < m->places; k++) {
        struct place *p = &m->place[k];
        code = find_label(&m->row, m, p->group, true, &p->row, e);
        if (!code)
            code = find_label(&m->column, m, p->group, false, &p->column, e);
    }
    return code;
}

/* ---- cells ------------------------------------------------------------------------------------*/
static const char *verdict_of(const struct result_row *row)
{
    const char *verdict = result_text(row, "verdict");
    return *verdict ? verdict : result_text(row, "status");
}

static const char *mark_of(const char *verdict)
{
    if (strcmp(verdict, "reached") == 0)
        return "\u2713";
    return strcmp(verdict, "impossible") == 0 ? "\u2717" : "\u2013";
}

/* Whether a verdict has a colour of its own. */
static bool is_plain(const char *verdict)
{
    static const char *const known[] = {"reached", "impossible", "not-reached"};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(known[k], verdict) == 0)
            return true;
    return false;
}

/* "reached", or "reached in 2 of 3" where seeds differ. */
static void append_verdict(struct text *out, const struct summary_group *g)
{
    const char *first = verdict_of(g->row[0]);
    int same = 0;
    for (int k = 0; k < g->count; k++)
        same += strcmp(first, verdict_of(g->row[k])) == 0;
    text_append_format(out, "<td class=\"%s\">",
                       same == g->count && is_plain(first) ? first : "mixed");
    text_append_format(out, "%s ", mark_of(first));
    html_escape(out, first);
    if (same < g->count)
        text_append_format(out, " in %d of %d", same, g->count);
}

/* The mean over seeds and, where it is not 0, half of its interval. */
static void append_figure(struct text *out, const char *name, const struct interval *i)
{
    char number[TEXT_NUMBER_MAX], half[TEXT_NUMBER_MAX];
    if (!isfinite(i->mean))
        return;
    text_append_format(out, "<small>%s %s", name, text_from_double(number, i->mean, DIGITS));
    if (i->high > i->low)
        text_append_format(out, " ± %s", text_from_double(half, (i->high - i->low) / 2, 2));
    text_append(out, "</small>");
}

static int append_cell(struct text *out, const struct summary_group *g, struct err *e)
{
    struct line_figures f;
    int code = line_figures_of(g, &f, e);
    if (code)
        return code;
    append_verdict(out, g);
    append_figure(out, "error", &f.error);
    append_figure(out, "floor", &f.floor);
    append_figure(out, "weights", &f.witness);
    text_append(out, "</td>");
    return 0;
}

static const struct summary_group *group_at(const struct matrix *m, int row, int column,
                                            int attention)
{
    for (int k = 0; k < m->places; k++)
        if (m->place[k].row == row && m->place[k].column == column &&
            m->place[k].attention == attention)
            return m->place[k].group;
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------------*/
static void append_head(struct text *out, const struct matrix *m)
{
    text_append_format(out, "<thead><tr><th rowspan=\"2\" scope=\"col\">%s</th>",
                       m->by_target ? "target" : "encoding");
    for (int k = 0; k < m->column.count; k++) {
        text_append(out, "<th colspan=\"2\" scope=\"colgroup\">");
        html_escape(out, m->column.text[k].data);
        text_append(out, "</th>");
    }
    text_append(out, "</tr>\n<tr>");
    for (int k = 0; k < m->column.count; k++)
        text_append(out, "<th scope=\"col\">alone</th><th scope=\"col\">with C</th>");
    text_append(out, "</tr></thead>\n");
}

static int append_body(struct text *out, const struct matrix *m, struct err *e)
{
    int code = 0;
    text_append(out, "<tbody>\n");
    for (int r = 0; !code && r < m->row.count; r++) {
        text_append(out, "<tr><th scope=\"row\">");
        html_escape(out, m->row.text[r].data);
        text_append(out, "</th>");
        for (int k = 0; !code && k < ATTENTIONS * m->column.count; k++) {
            const struct summary_group *g = group_at(m, r, k / ATTENTIONS, k % ATTENTIONS);
            if (g)
                code = append_cell(out, g, e);
            else
                text_append(out, "<td class=\"none\">not run</td>");
        }
        text_append(out, "</tr>\n");
    }
    text_append(out, "</tbody>");
    return code;
}

int matrix_append(struct text *out, const struct summary_group *group, int groups, int subset,
                  int *cells, struct err *e)
{
    struct matrix m = {0};
    int code = 0;
    *cells = 0;
    m.place = memory_alloc((size_t)groups, sizeof *m.place, e);
    if (!m.place)
        return ERR_MEMORY;
    for (int k = 0; k < groups; k++) {
        if (group[k].subset != subset)
            continue;
        m.place[m.places++] = (struct place){
            .group = &group[k], .attention = group[k].cell->task.model.attention};
        m.lengths |= group[k].length != m.place[0].group->length;
    }
    if (m.places)
        code = find_places(&m, e);
    if (!code && m.places) {
        text_append(out, "<div class=\"wide\"><table>\n");
        append_head(out, &m);
        code = append_body(out, &m, e);
        text_append(out, "</table></div>\n");
        *cells = m.places;
    }
    close_labels(&m.row);
    close_labels(&m.column);
    memory_free(m.place);
    return code;
}
