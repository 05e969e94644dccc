/* Verdicts on identical tokens (preset.h), from the groups of the cell that a spec of a few lines has. */
#include "run/preset.h"

#include <string.h>

#include "run/evaluate.h"
#include "train/train.h"

/* Whether rows of one sample are in different groups. */
static bool tells_apart(const struct evaluation *ev)
{
    int groups;
    const int32_t *group = evaluation_groups(ev, &groups);
    const struct samples *set = evaluation_samples(ev);
    bool apart = false;
    for (int k = 0; k < set->count; k++)
        for (int r = set->first[k] + 1; r < set->first[k + 1]; r++)
            apart = apart || group[r] != group[set->first[k]];
    return apart;
}

static int judge(const char *space, const char *preset, const char *prefix, const char **seen,
                 struct err *e)
{
    struct text t = {0};
    struct spec *s = NULL;
    struct evaluation *ev = NULL;
    text_append_format(&t, "target: mean\nspace: {%s, inputs: {identical: 1}}\n"
                       "model: {preset: %s, prefix: %s}\nevaluate: {samples: 4}\n", space, preset,
                       prefix);
    int code = text_check(&t, e);
    if (!code)
        code = spec_parse(&s, preset, t.data, t.length, NULL, 0, e);
    if (!code)
        code = evaluation_open(&ev, &spec_cell(s, 0)->task, (int)spec_cell(s, 0)->task.space.length, e);
    if (!code)
        *seen = tells_apart(ev) ? "yes" : "no";
    evaluation_close(ev);
    spec_close(s);
    text_close(&t);
    return code;
}

int preset_verdict(const char *preset, const char *prefix, const char **seen, struct err *e)
{
    struct err refused = {0};
    *seen = "";
    int code = judge("length: 7", preset, prefix, seen, &refused);
    if (code == ERR_USAGE)
        code = judge("kind: graph", preset, prefix, seen, &refused);
    return code && code != ERR_USAGE ? err_pass(e, &refused) : 0;
}
