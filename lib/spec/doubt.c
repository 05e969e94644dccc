/* What a spec allows but hardly means (spec.h): one line of `doubts` each. */
#include <string.h>

#include "spec/document.h"

static const char *doubt_space(const struct spec *s, const struct task *t, struct text *out)
{
    const struct space *space = space_of(&t->space);
    return space->doubt ? space->doubt(&t->space, out) : NULL;
}

static const char *doubt_warmup(const struct spec *s, const struct task *t, struct text *out)
{
    const struct train_config *c = &t->train;
    if (!c->steps || c->warmup <= c->steps || !spec_gives(s, "train.warmup"))
        return NULL;
    text_append_format(out, "%lld of %lld steps; the rate ends at %.3g %% of lr", (long long)c->warmup,
                       (long long)c->steps, 100 * (double)c->steps / (double)c->warmup);
    return "train.warmup";
}

static bool multiplies(const struct task *t)
{
    const struct model_plan *p = &t->model.plan;
    bool found = !p->turn && t->model.attention == MODEL_URPE;
    for (int k = 0; k < p->kinds && p->turn; k++)
        found |= p->kind[k].attention == MODEL_URPE;
    return found;
}

/* Said once, of the first cell. */
static const char *doubt_c(const struct spec *s, const struct task *t, struct text *out)
{
    if (t != &spec_cell(s, 0)->task || !spec_gives(s, "model.c"))
        return NULL;
    for (int k = 0; k < spec_cells(s); k++) {
        if (multiplies(&spec_cell(s, k)->task))
            return NULL;
        spec_drop_cell(s, k);
    }
    text_append(out, "no cell multiplies by C; expected model.attention urpe somewhere");
    return "model.c";
}

static const char *doubt_plan(const struct spec *s, const struct task *t, struct text *out)
{
    if (t->model.layers >= t->model.plan.turn)
        return NULL;
    text_append_format(out, "%lld of the %d layers of one turn are there", (long long)t->model.layers,
                       t->model.plan.turn);
    return "model.plan";
}

static const char *doubt_lua(const struct spec *s, const struct task *t, struct text *out)
{
    if (t != &spec_cell(s, 0)->task || !spec_gives(s, "target.y") || !spec_gives(s, "target.file"))
        return NULL;
    text_append(out, "is not used beside target.file");
    return "target.y";
}

enum { POSITIONS_MAX = 512 }; /* that masks are compared on */
/* From the far corners on, where masks differ that differ at all. */
static bool same_mask(const struct kind_config *a, const struct kind_config *b, const struct layout *l)
{
    for (int i = l->n - 1; i >= 0; i--)
        for (int j = 0; j < l->n; j++)
            if (mask_sees(a, l, i, j) != mask_sees(b, l, i, j) || mask_sees(a, l, j, i) != mask_sees(b, l, j, i))
                return false;
    return true;
}

/* That a mask with options hides what one without does, at the longest length that there is. */
static const char *same_as(const struct kind_config *c, const struct layout *l)
{
    for (int k = 0; mask_table[k]; k++) {
        const struct mask *m = mask_table[k];
        const struct kind_config plain = {.kind = k};
        if (k != c->kind && !m->options && l->axes >= m->axes_min && l->axes <= m->axes_max &&
            same_mask(c, &plain, l))
            return m->name;
    }
    return NULL;
}

static const char *doubt_mask(const struct spec *s, const struct task *t, struct text *out)
{
    const struct kind_config *c = &t->model.mask;
    const struct option_ints *lengths = &t->evaluate.lengths;
    struct layout l;
    struct arena arena;
    int64_t longest = t->space.length;
    const char *same = NULL;
    for (int k = 0; k < lengths->count; k++)
        longest = lengths->value[k] > longest ? lengths->value[k] : longest;
    if (!mask_of(c)->options || t->model.plan.turn || longest > POSITIONS_MAX || !spec_gives(s, "model.mask") ||
        arena_open(&arena, 0, NULL)) /* not that of a preset */
        return NULL;
    const struct space *space = space_of(&t->space);
    bool draws = space->draw && (!space->draws || space->draws(&t->space));
    if (!draws && !space->layout(&t->space, (int)longest, &arena, &l, NULL))
        same = same_as(c, &l);
    if (same)
        text_append_format(out, "%s hides what `%s` does where there are no more than %d positions", mask_of(c)->name,
                           same, l.n);
    arena_close(&arena);
    return same ? "model.mask" : NULL;
}

static const char *(*const doubts[])(const struct spec *s, const struct task *t, struct text *out) = {
    doubt_space, doubt_warmup, doubt_c, doubt_plan, doubt_lua, doubt_mask};

int spec_doubts(const struct spec *s, struct text *out, struct err *e)
{
    enum { DOUBTS = sizeof doubts / sizeof *doubts };
    struct text said[DOUBTS] = {{0}}, last[DOUBTS] = {{0}}, doubt = {0};
    char where[320];
    for (int k = 0; k < spec_cells(s); k++) {
        for (size_t d = 0; d < DOUBTS; d++) {
            text_clear(&doubt);
            const char *key = doubts[d](s, &spec_cell(s, k)->task, &doubt);
            if (!key || !doubt.data || (last[d].data && strcmp(last[d].data, doubt.data) == 0))
                continue;
            spec_where(s, key, where, sizeof where);
            text_append_format(&said[d], "%s: warning: %s: %s\n", where, key, doubt.data);
            text_clear(&last[d]);
            text_append(&last[d], doubt.data);
        }
        spec_drop_cell(s, k);
    }
    for (size_t d = 0; d < DOUBTS; d++) {
        text_append(out, said[d].data ? said[d].data : "");
        out->failed |= said[d].failed || last[d].failed || doubt.failed;
        text_close(&said[d]);
        text_close(&last[d]);
    }
    text_close(&doubt);
    return text_check(out, e);
}
