/* Verdicts over seeds.  Invariant: two seeds that differ are never said to agree. */
#include "report/verdict.h"

#include <string.h>

#include "report/listing.h"

/* In the order in which seeds that differ are told. */
static const struct verdict_style styles[] = {
    {"failed", "\u2013", PAINT_BAD, false, true, 8, false},
    {"diverged", "\u2013", PAINT_BAD, false, true, 7, false},
    {"not-of-class", "\u2013", PAINT_BAD, false, true, 7, false},
    {"by-rounding", "\u2013", PAINT_MIXED, false, false, 6, false},
    {"impossible", "\u2717", PAINT_IMPOSSIBLE, true, false, 5, false},
    {"too-shallow", "\u2013", PAINT_IMPOSSIBLE, false, false, 4, true},
    {"reached", "\u2713", PAINT_GOOD, true, false, 1, false},
    {"not-reached", "\u2013", NULL, true, false, 3, true},
    {"bounded", "\u2013", NULL, false, false, 2, false},
    {"open", "\u2013", NULL, false, false, 2, false},
    {"possible", "\u2713", NULL, false, false, 1, false},
};
enum { STYLES = sizeof styles / sizeof *styles };
static const struct verdict_style unknown = {"", "\u2013", NULL, false, false, 0, false};

const struct verdict_style *verdict_style(const char *name)
{
    for (int k = 0; k < STYLES; k++)
        if (strcmp(styles[k].name, name) == 0)
            return &styles[k];
    return &unknown;
}

/* Its verdict, or how the cell ended where it did not end well. */
static const char *verdict_of_row(const struct result_row *row)
{
    const char *status = result_text(row, "status"), *verdict = result_text(row, "verdict");
    if ((*status && strcmp(status, "ok") != 0 && strcmp(status, "scored") != 0) || !*verdict)
        return status;
    const char *proof = result_text(row, "proof"); /* where nothing was trained it says more */
    return strcmp(verdict, "open") == 0 && *proof ? proof : verdict;
}

const struct verdict_style *verdict_of_group(const struct summary_group *g, int *seeds)
{
    const struct verdict_style *first = &unknown;
    *seeds = g->count;
    for (int s = 0; s < STYLES && first == &unknown; s++) {
        int same = 0;
        for (int k = 0; k < g->count; k++)
            same += verdict_style(verdict_of_row(g->row[k])) == &styles[s];
        if (same) {
            first = &styles[s];
            *seeds = same;
        }
    }
    return first;
}

int verdict_badness(const struct summary_group *g)
{
    int worst = 0;
    for (int k = 0; k < g->count; k++) {
        int badness = verdict_style(verdict_of_row(g->row[k]))->badness;
        worst = badness > worst ? badness : worst;
    }
    return worst;
}

bool severity_exceeds(struct severity b, struct severity a)
{
    if (b.badness != a.badness)
        return b.badness > a.badness;
    return b.floor != a.floor ? b.floor > a.floor : b.error >= a.error;
}

/* That all seeds share; "" where they do not. */
static const char *proof_of_group(const struct summary_group *g)
{
    const char *proof = result_text(g->row[0], "proof");
    for (int k = 1; k < g->count; k++)
        if (strcmp(result_text(g->row[k], "proof"), proof) != 0)
            return "";
    return proof;
}

bool verdict_same(const struct summary_group *a, const struct summary_group *b)
{
    int in_a, in_b;
    const struct verdict_style *said = verdict_of_group(a, &in_a);
    return said == verdict_of_group(b, &in_b) && in_a * b->count == in_b * a->count;
}

void verdict_append(struct text *out, const struct summary_group *g)
{
    int seeds;
    const struct verdict_style *said = verdict_of_group(g, &seeds);
    text_append(out, said->name);
    if (seeds < g->count)
        text_append_format(out, " in %d of %d", seeds, g->count);
    if (said->missed && *proof_of_group(g))
        text_append_format(out, " (%s)", proof_of_group(g));
}
