/* Networks (network.h), and where the two sets of numeric objects meet: the second has "_double"
 * behind each name. */
#include "run/network.h"

#include "base/file.h"
#include "kernel/kernel.h"

extern const struct trainer_api trainer_api_double;

const struct trainer_api *trainer_api_of(int precision)
{
    return precision == MODEL_DOUBLE ? &trainer_api_double : &trainer_api;
}

int network_open(struct network *x, const struct task *t, struct pool *pool, struct err *e)
{
    *x = (struct network){.api = trainer_api_of(t->model.precision)};
    int code = x->api->kernel_open(e);
    if (!code)
        code = kernel_reserve(pool_threads(pool), e);
    return code ? code : x->api->open(&x->trainer, t, pool, e);
}

void network_close(struct network *x)
{
    if (x->api)
        x->api->close(x->trainer);
    *x = (struct network){0};
}

size_t network_size(const struct network *x)
{
    return x->api->model(x->trainer)->tensors.elements;
}

static const char weights_name[] = "weights.safetensors";

int network_export(const struct network *x, const char *folder, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = file_join(path, sizeof path, folder, weights_name, e);
    return code ? code : x->api->export_weights(x->trainer, path, e);
}

int network_import(struct network *x, const char *folder, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = file_join(path, sizeof path, folder, weights_name, e);
    return code ? code : x->api->import_weights(x->trainer, path, e);
}

static int outputs(void *self, const struct samples *s, double *y, trainer_logits each,
                   void *context, struct err *e)
{
    struct network *x = self;
    return x->api->outputs(x->trainer, s, y, each, context, e);
}

static int steepness(void *self, double *out, struct err *e)
{
    struct network *x = self;
    return x->api->steepness(x->trainer, out, e);
}

struct predictor network_predictor(struct network *x)
{
    return (struct predictor){.self = x, .outputs = outputs, .steepness = steepness};
}
