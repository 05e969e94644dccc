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

int trainer_export_weights(const struct trainer *t, const char *path, struct err *e)
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
    for (size_t i = 0; i < have->count; i++)
        if (!isfinite(safetensors_number(have, i)))
            return err_set(e, ERR_FORMAT, path, "tensor %s: element %zu is %g; expected a finite number",
                           want->name, i, safetensors_number(have, i));
    bool same = have->rank == want->rank;
    for (int i = 0; same && i < want->rank; i++)
        same = have->shape[i] == want->shape[i];
    if (!same)
        return err_set(e, ERR_FORMAT, path, "tensor %s has another shape than the model's: expected "
                       "rank %d, first dimension %d", want->name, want->rank, want->shape[0]);
    return 0;
}

int trainer_import_weights(struct trainer *t, const char *path, struct err *e)
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

int trainer_steepness(const struct trainer *t, double *out, struct err *e)
{
    return model_steepness(&t->model, t->p, out, e);
}

/* How many of the first layers have tables that stand for all: one where all layers share theirs. */
static int layers_with_tables(const struct model *m)
{
    bool biased = false;
    for (int k = 0; k < m->kinds; k++)
        biased = biased || m->kind[k].facts.relation_bias;
    if ((biased && m->states > 1) || m->tables > 1)
        return (int)m->config.layers;
    return biased || m->tables ? 1 : 0;
}

int trainer_tables(struct trainer *t, trainer_table each, void *context, struct err *e)
{
    const struct model *m = &t->model;
    struct model_state s;
    struct arena arena;
    int layers = layers_with_tables(m), relations = t->trained.relations;
    size_t own = (size_t)model_own_relations(&m->config);
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = model_state_open(&s, m, &t->trained, &arena, e);
    if (!code)
        model_prepare(m, t->p, &s);
    for (int k = 0; k < layers && !code; k++)
        for (int h = 0; h < m->heads; h++) {
            const struct model_layer *l = &m->layer[k];
            const real *b = l->kind->facts.relation_bias ? s.block + s.state_at[l->state] : NULL;
            const real *c = model_c(m, &s, k, h);
            size_t first = (size_t)h * (size_t)m->trained.relations + own;
            for (int r = 0; r < relations && (b || c); r++)
                each(context, layers > 1 ? k : -1, h, r, b ? (double)b[first + (size_t)r] : NAN,
                     c ? (double)c[own + (size_t)r] : NAN);
        }
    arena_close(&arena);
    return code;
}
