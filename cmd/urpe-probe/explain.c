/* urpe-probe explain: why a cell is impossible. */
#include <string.h>

#include "command.h"
#include "run/explain.h"

enum { FORM_TEXT, FORM_JSON, FORM_SVG };

/* The cell whose id starts with `id`; NULL: the first whose floor is beyond its tolerance, or else the
 * first of all. */
static int find_cell(const struct spec *s, const char *id, const struct cell **out, struct err *e)
{
    if (id)
        return choose_cell(s, id, out, e);
    for (int k = 0; k < spec_cells(s); k++) {
        struct evaluation *ev = NULL;
        bool impossible = false;
        const struct task *t = &spec_cell(s, k)->task;
        int code = evaluation_open(&ev, t, (int)t->space.length, e);
        for (int i = 0; !code && i < evaluation_subsets(ev) && !impossible; i++) {
            struct record r;
            evaluation_floors(ev, i, &r);
            impossible = strcmp(r.verdict, "impossible") == 0;
        }
        evaluation_close(ev);
        *out = spec_cell(s, impossible ? k : 0);
        if (code || impossible)
            return code;
    }
    return 0;
}

static bool has_floor(const struct evaluation *ev)
{
    for (int k = 0; k < evaluation_own_subsets(ev); k++) {
        struct record r;
        evaluation_floors(ev, k, &r);
        if (strcmp(r.verdict, "impossible") == 0)
            return true;
    }
    return false;
}

/* The set to look at: the first that has an impossible subset. */
static const struct evaluation *choose_set(const struct evaluation *ev)
{
    const struct evaluation *set = ev;
    while (set && !has_floor(set))
        set = evaluation_further(set);
    return set ? set : ev;
}

static int explain(const struct arguments *a, const struct cell *c, struct text *out, struct err *e)
{
    struct evaluation *ev = NULL;
    struct explanation x = {0};
    struct report_screen screen = terminal_screen(a, stdout);
    int code = evaluation_open(&ev, &c->task, (int)c->task.space.length, e);
    if (!code)
        code = explain_open(&x, c, choose_set(ev), a->sample - 1, e);
    if (!code && a->form == FORM_JSON)
        why_json(out, &x.why);
    else if (!code && a->form == FORM_SVG)
        why_svg(out, &x.why);
    else if (!code)
        why_text(out, &x.why, &screen);
    explain_close(&x);
    evaluation_close(ev);
    return code ? code : text_check(out, e);
}

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    const struct cell *c = NULL;
    struct text out = {0};
    int code = spec_open(&s, a->operand[0], a->set.word, a->set.count, e);
    if (code)
        return code;
    code = find_cell(s, a->cell, &c, e);
    if (!code)
        code = explain(a, c, &out, e);
    if (!code)
        code = terminal_put(&out, e);
    text_close(&out);
    spec_close(s);
    return code;
}

const struct command command_explain = {
    .name = "explain",
    .operands = "SPEC",
    .summary = "say why a cell is impossible",
    .details = "Shows the largest group of positions that no network of the cell's class tells apart: "
               "the sample, the colours of each round, what each position sees, by which rule they "
               "stay together, their targets, and the arithmetic from there to the floor and the "
               "verdict.  Where only samples that share a prefix have a floor (lookahead), it is about those.  "
               "Without --cell it takes the first cell that is impossible.  --format svg "
               "prints a picture.",
    .flag = {FLAG_SET, FLAG_CELL, FLAG_SAMPLE, FLAG_FORM, FLAG_COLOR},
    .run = run,
};
