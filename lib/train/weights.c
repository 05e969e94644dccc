/* Weights as safetensors, and the learned tables by relation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/safetensors.h"
#include "train/trainer.h"

#ifdef REAL_DOUBLE
#define REAL_TYPE SAFETENSORS_F64
#else
#define REAL_TYPE SAFETENSORS_F32
#endif

int trainer_export(const struct trainer *t, const char *path, struct err *e)
{
    const struct tensor_list *list = &t->model.tensors;
    struct safetensor *out = memory_alloc((size_t)list->count, sizeof *out, e);
    if (!out)
        return ERR_MEMORY;
    for (int k = 0; k < list->count; k++) {
        const struct tensor *x = &list->item[k];
        out[k] = (struct safetensor){.type = REAL_TYPE, .rank = x->rank, .count = x->count,
                                     .data = t->p + x->offset};
        memcpy(out[k].name, x->name, sizeof x->name);
        for (int i = 0; i < x->rank; i++)
            out[k].shape[i] = x->shape[i];
    }
    int code = safetensors_write(path, out, list->count, NULL, e);
    memory_free(out);
    return code;
}

static int check_tensor(const char *path, const struct tensor *want, const struct safetensor *have,
                        struct err *e)
{
    if (!have)
        return err_set(e, ERR_FORMAT, path, "tensor %s is missing", want->name);
    if (have->type != REAL_TYPE)
        return err_set(e, ERR_FORMAT, path, "tensor %s is %s; expected %s, as model.precision is "
                       REAL_NAME, want->name, safetensors_type_name(have->type),
                       safetensors_type_name(REAL_TYPE));
    bool same = have->rank == want->rank;
    for (int i = 0; same && i < want->rank; i++)
        same = have->shape[i] == want->shape[i];
    if (!same)
        return err_set(e, ERR_FORMAT, path, "tensor %s has another shape than the model's: expected "
                       "rank %d, first dimension %d", want->name, want->rank, want->shape[0]);
    return 0;
}

int trainer_import(struct trainer *t, const char *path, struct err *e)
{
    const struct tensor_list *list = &t->model.tensors;
    size_t limit = list->elements * sizeof(real) + (size_t)1024 * 1024 * 101;
    struct safetensors file;
    int code = safetensors_read(path, limit, &file, e);
    if (code)
        return code;
    if (file.count != list->count)
        code = err_set(e, ERR_FORMAT, path, "%d tensors; the model has %d", file.count,
                       list->count);
    for (int k = 0; k < list->count && !code; k++)
        code = check_tensor(path, &list->item[k], safetensors_find(&file, list->item[k].name), e);
    for (int k = 0; k < list->count && !code; k++) {
        const struct tensor *x = &list->item[k];
        memcpy(t->p + x->offset, safetensors_find(&file, x->name)->data, x->count * sizeof(real));
    }
    safetensors_close(&file);
    return code;
}

void trainer_tables(struct trainer *t, trainer_table each, void *context)
{
    const struct model *m = &t->model;
    const struct model_state *s = &t->state;
    int b_tables = m->facts.relation_bias ? m->states : 0;
    int tables = b_tables > m->tables ? b_tables : m->tables, relations = s->longest.relations;
    model_prepare(m, t->p, &t->state);
    for (int k = 0; k < tables; k++)
        for (int h = 0; h < m->shape.heads; h++)
            for (int r = 0; r < relations; r++) {
                size_t at = (size_t)h * (size_t)relations + (size_t)r;
                size_t b_of = b_tables > 1 ? (size_t)k : 0, c_of = m->tables > 1 ? (size_t)k : 0;
                size_t c_start = (size_t)m->states * s->state_size;
                double b = b_tables ? (double)s->block[b_of * s->state_size + at] : NAN;
                double c = m->tables ? (double)s->block[c_start + c_of * (size_t)m->shape.heads *
                                                        (size_t)relations + at] : NAN;
                each(context, tables > 1 ? k : -1, h, r, b, c);
            }
}
