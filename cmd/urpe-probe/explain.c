/* urpe-probe explain: why a cell is impossible, or too shallow. */
#include "command.h"
#include "run/explain.h"

enum { FORM_TEXT, FORM_JSON, FORM_SVG };

/* The cell whose id starts with --cell; without it the first with something to explain, or else the first of
 * all. */
static int find_cell(const struct spec *s, const struct arguments *a, const struct cell **out, struct err *e)
{
    if (a->cell)
        return choose_cell(s, a->cell, out, e);
    for (int k = 0; k < spec_cells(s); k++) {
        struct evaluation *ev = NULL;
        const struct task *t = &spec_cell(s, k)->task;
        int code = evaluation_open(&ev, t, (int)t->space.length, e);
        int subset = code ? -1 : explain_subset(ev, a->subset, a->sample - 1);
        bool found = subset >= 0 && explain_has(ev, subset);
        evaluation_close(ev);
        *out = spec_cell(s, found ? k : 0);
        if (code || found)
            return code;
    }
    return 0;
}

/* There is no subset of the name that was given. */
static int refuse_subset(const struct evaluation *ev, const char *name, struct err *e)
{
    struct text names = {0};
    struct record r;
    for (int k = 0; k < evaluation_subsets(ev); k++) {
        evaluation_floors(ev, k, &r);
        text_append_format(&names, "%s%s", !k ? "" : k + 1 < evaluation_subsets(ev) ? ", " : " or ", r.subset);
    }
    int code = text_check(&names, e);
    code = code ? code : err_set(e, ERR_USAGE, NULL, "--subset %s: %s was expected", name, names.data);
    text_close(&names);
    return code;
}

static int explain(const struct arguments *a, const struct cell *c, struct text *out, struct err *e)
{
    struct evaluation *ev = NULL;
    struct explanation x = {0};
    struct report_screen screen = terminal_screen(a, stdout);
    int code = evaluation_open(&ev, &c->task, (int)c->task.space.length, e);
    int subset = code ? -1 : explain_subset(ev, a->subset, a->sample - 1);
    if (!code)
        code = subset < 0 ? refuse_subset(ev, a->subset, e) : explain_open(&x, c, ev, subset, a->sample - 1, e);
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
    code = find_cell(s, a, &c, e);
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
    .summary = "say why a cell is impossible, or too shallow",
    .details = "Shows a group of positions that no network of the cell's class tells apart, the one that adds most to "
               "the floor: the sample, the colours of each round, what each position sees, by which rule they stay "
               "together, their targets, and the arithmetic from there to the floor and the verdict.  It is about "
               "the inputs that the verdict in the table of `bound` names, or those of --subset; where they are "
               "not impossible, and networks of the cell's own depth have a floor, about these networks.  Without "
               "--cell it takes the first cell that is impossible or too shallow.  --format svg prints a picture.",
    .flag = {FLAG_SET, FLAG_CELL, FLAG_SUBSET, FLAG_SAMPLE, FLAG_FORM, FLAG_COLOR},
    .run = run,
};
