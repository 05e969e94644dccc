/* Telling series and panels apart.  Invariant: two lines of one panel and one series differ in nothing
 * but what `except` leaves out, and the evaluated length. */
#include "report/series.h"

#include <string.h>

#include "base/memory.h"
#include "report/label.h"

enum { VALUE_SIZE = 256, VALUES_MAX = 8 };

/* Different values of a key, one more than VALUES_MAX at most. */
static int count_values(const struct figure_view *v, const char *key)
{
    char seen[VALUES_MAX][VALUE_SIZE], here[VALUE_SIZE];
    int count = 0;
    for (int k = 0; k < v->count && count <= VALUES_MAX; k++) {
        int m = 0;
        if (!spec_value(figure_group(v, k)->cell, key, here, sizeof here))
            continue;
        while (m < count && strcmp(seen[m], here) != 0)
            m++;
        if (m == count && count++ < VALUES_MAX)
            strcpy(seen[m], here);
    }
    return count;
}

static void find_axis(char out[SERIES_KEY], const struct figure_view *v)
{
    static const char usual[] = "model.attention";
    const struct axes *axes = figure_group(v, 0)->axes;
    strcpy(out, usual);
    if (count_values(v, usual) > 1)
        return;
    for (int k = 0; k < axes->count; k++)
        for (const struct column *c = column_table; c->name; c++) {
            if (!c->key || c->number || !key_covers("model", c->key) || !is_key(c->key, axes->key[k]))
                continue;
            int values = count_values(v, c->key);
            if (values < 2 || values > VALUES_MAX || strlen(c->key) >= SERIES_KEY)
                continue;
            strcpy(out, c->key);
            char *kind = strstr(out, ".kind");
            if (kind)
                *kind = '\0';
            return;
        }
}

/* Whether no line that has the same value of `key` as g has the axis, though others have. */
static bool lacks(const struct figure_view *v, const struct summary_group *g, const char *key,
                  const char *axis)
{
    char wanted[VALUE_SIZE] = "", here[VALUE_SIZE] = "", value[VALUE_SIZE];
    if (spec_value(g->cell, axis, value, sizeof value))
        return false;
    spec_value(g->cell, key, wanted, sizeof wanted);
    for (int m = 0; m < v->count; m++) {
        const struct cell *other = figure_group(v, m)->cell;
        spec_value(other, key, here, sizeof here);
        if (strcmp(wanted, here) == 0 && spec_value(other, axis, value, sizeof value))
            return false;
    }
    return true;
}

static bool depends(const struct figure_view *v, const char *key, const char *axis)
{
    for (int k = 0; k < v->count && !key_covers(key, axis); k++)
        if (lacks(v, figure_group(v, k), key, axis))
            return true;
    return false;
}

int series_open(struct series_key *s, const struct figure_view *v, const char *const *except,
                struct err *e)
{
    const struct axes *axes = figure_group(v, 0)->axes;
    int count = 0, more = 0;
    while (except && except[more])
        more++;
    size_t room = (size_t)axes->count + (size_t)more + 2;
    s->own = memory_alloc(room, sizeof *s->own, e);
    s->except = memory_alloc(room, sizeof *s->except, e);
    if (!s->own || !s->except) {
        series_close(s);
        return ERR_MEMORY;
    }
    find_axis(s->axis, v);
    s->own[count++] = s->axis;
    for (int k = 0; k < axes->count; k++)
        if (depends(v, s->own[0], axes->key[k]))
            s->own[count++] = axes->key[k];
    for (int k = 0; k < count + more; k++)
        s->except[k] = k < count ? s->own[k] : except[k - count];
    return 0;
}

void series_close(struct series_key *s)
{
    memory_free(s->own);
    memory_free(s->except);
    *s = (struct series_key){0};
}

void series_append_name(struct text *out, const struct series_key *s, const struct summary_group *g)
{
    char value[VALUE_SIZE];
    label_append_kind(out, g, s->own[0], NULL);
    for (const char **own = s->own + 1; *own; own++)
        if (spec_value(g->cell, *own, value, sizeof value))
            text_append_format(out, " %s=%s", strchr(*own, '.') ? strchr(*own, '.') + 1 : *own, value);
}

void series_append_panel(struct text *out, const struct series_key *s, const struct summary_group *g)
{
    label_append(out, g, s->except);
}
