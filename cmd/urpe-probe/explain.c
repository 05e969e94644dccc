/* urpe-probe explain: why a cell is impossible, or too shallow. */
#include "command.h"
#include "run/explain.h"

enum { FORM_TEXT, FORM_JSON, FORM_SVG };

/* The set to look at: the first that has an impossible subset, or else one that is too shallow; NULL: none
 * has. */
static const struct evaluation *choose_set(const struct evaluation *ev)
{
    static const char *const verdict[] = {"impossible", "too-shallow"};
    for (int k = 0; k < 2; k++)
        for (const struct evaluation *set = ev; set; set = evaluation_further(set))
            if (explain_has(set, verdict[k]))
                return set;
    return NULL;
}

/* The cell whose id starts with `id`; NULL: the first with something to explain, or else the first of
 * all. */
static int find_cell(const struct spec *s, const char *id, const struct cell **out, struct err *e)
{
    if (id)
        return choose_cell(s, id, out, e);
    for (int k = 0; k < spec_cells(s); k++) {
        struct evaluation *ev = NULL;
        const struct task *t = &spec_cell(s, k)->task;
        int code = evaluation_open(&ev, t, (int)t->space.length, e);
        bool found = !code && choose_set(ev);
        evaluation_close(ev);
        *out = spec_cell(s, found ? k : 0);
        if (code || found)
            return code;
    }
    return 0;
}

static int explain(const struct arguments *a, const struct cell *c, struct text *out, struct err *e)
{
    struct evaluation *ev = NULL;
    struct explanation x = {0};
    struct report_screen screen = terminal_screen(a, stdout);
    int code = evaluation_open(&ev, &c->task, (int)c->task.space.length, e);
    const struct evaluation *set = code ? NULL : choose_set(ev);
    if (!code)
        code = explain_open(&x, c, set ? set : ev, a->sample - 1, e);
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
    .summary = "say why a cell is impossible, or too shallow",
    .details = "Shows the largest group of positions that no network of the cell's class tells apart: the sample, "
               "the colours of each round, what each position sees, by which rule they stay together, their "
               "targets, and the arithmetic from there to the floor and the verdict.  Where only samples that "
               "share a prefix have a floor (lookahead), it is about those; where nothing is impossible, and "
               "networks of the cell's own depth have a floor (beyond), about these networks.  Without --cell it "
               "takes the first cell that is impossible or too shallow.  --format svg prints a picture.",
    .flag = {FLAG_SET, FLAG_CELL, FLAG_SAMPLE, FLAG_FORM, FLAG_COLOR},
    .run = run,
};
