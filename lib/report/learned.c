/* Reading learned tables. */
#include "report/learned.h"

#include <math.h>

#include "report/trace.h"

struct place {
    int64_t layer, head, relation;
};

static int refuse(const struct trace_file *t, int row, const char *column, const char *expected,
                  struct err *e)
{
    return err_set(e, ERR_FORMAT, t->path, "row %d: %s \"%.40s\"; %s was expected", row, column,
                   t->csv.row[row][csv_column(&t->csv, column)], expected);
}

/* Whether the field is a whole number from 0 to limit-1. */
static bool read_index(const char *field, int64_t limit, int64_t *out)
{
    return text_to_int64(field, out) && *out >= 0 && *out < limit;
}

/* *starts: the row begins another layer or head, and so counts relations from 0. */
static int read_place(const struct trace_file *t, int row, const struct cell *cell,
                      struct place *p, bool *starts, struct err *e)
{
    const struct place before = *p;
    const char *layer = t->csv.row[row][csv_column(&t->csv, "layer")];
    const char *head = t->csv.row[row][csv_column(&t->csv, "head")];
    p->layer = -1;
    if (*layer && !read_index(layer, cell->task.model.layers, &p->layer))
        return refuse(t, row, "layer", "a layer of the model, or nothing,", e);
    if (!read_index(head, cell->task.model.heads, &p->head))
        return refuse(t, row, "head", "a head of the model", e);
    *starts = row == 1 || p->layer != before.layer || p->head != before.head;
    if (!read_index(t->csv.row[row][t->x], t->csv.rows, &p->relation) ||
        p->relation != (*starts ? 0 : before.relation + 1))
        return refuse(t, row, "relation", "0, 1, 2, .. for each layer and head", e);
    return 0;
}

static void start_head(struct learned_head *h, const struct place *p, const double *value)
{
    *h = (struct learned_head){.layer = p->layer, .value = value};
    if (p->layer < 0)
        snprintf(h->name, LEARNED_NAME, "head %lld", (long long)p->head);
    else
        snprintf(h->name, LEARNED_NAME, "layer %lld, head %lld", (long long)p->layer, (long long)p->head);
}

static int read_heads(struct learned *out, const struct trace_file *t, const struct cell *cell,
                      struct err *e)
{
    struct place p = {0};
    bool any = false;
    for (int row = 1; row < t->csv.rows; row++) {
        bool starts = true;
        int code = read_place(t, row, cell, &p, &starts, e);
        if (code)
            return code;
        if (starts)
            start_head(&out->head[out->heads++], &p, &out->value[row - 1]);
        out->head[out->heads - 1].relations++;
        out->value[row - 1] = trace_number(t, row, t->y);
        any |= isfinite(out->value[row - 1]) != 0;
    }
    if (!any)
        out->heads = 0;
    return 0;
}

int learned_open(struct learned *t, const struct summary_group *g, const char *column,
                 struct err *e)
{
    struct trace_file file;
    bool found;
    *t = (struct learned){0};
    int code = trace_open(&file, g->row[0], "table.csv", "relation", column, NULL, &found, e);
    if (code || !found)
        return code;
    size_t rows = (size_t)file.csv.rows - 1;
    t->head = memory_alloc(rows, sizeof *t->head, e);
    t->value = memory_alloc(rows, sizeof *t->value, e);
    if (!t->head || !t->value)
        code = ERR_MEMORY;
    else if (csv_column(&file.csv, "layer") < 0 || csv_column(&file.csv, "head") < 0)
        code = err_set(e, ERR_FORMAT, file.path, "the columns layer and head were expected");
    else
        code = read_heads(t, &file, g->cell, e);
    if (code)
        learned_close(t);
    trace_close(&file);
    return code;
}

void learned_close(struct learned *t)
{
    memory_free(t->head);
    memory_free(t->value);
    *t = (struct learned){0};
}
