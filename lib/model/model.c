/* The descriptor table: which tensors a configuration has, in which order, and how they start.
 * Invariant: q, k, v weights (and biases) of a layer are neighbours, so that one matrix product
 * serves the three. */
#include "model/workspace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_randist.h>

/* ---- checks -----------------------------------------------------------------------------------*/
struct encoding_shape model_shape(const struct model_config *c, const struct layout *trained)
{
    return (struct encoding_shape){.width = (int)c->width,
                                   .heads = (int)c->heads,
                                   .head_width = (int)(c->width / c->heads),
                                   .past = mask_past(&c->mask),
                                   .trained = trained};
}

struct normaliser_shape model_normaliser_shape(const struct model_config *c,
                                               const struct encoding_shape *s)
{
    return (struct normaliser_shape){.heads = s->heads, .head_width = s->head_width,
                                     .past = s->past,
                                     .own = mask_sees(&c->mask, s->trained, 0, 0)};
}

/* What every layer of a model whose layers are alike must satisfy. */
static int check_layer(const struct model_config *c, const struct layout *trained,
                       const struct layout *evaluated, struct err *e)
{
    if (mask_check(&c->mask, trained, e))
        return ERR_USAGE;
    struct encoding_shape shape = model_shape(c, trained);
    struct err inner = {0};
    if (encoding_check(&c->encoding, &shape, evaluated, &inner))
        return err_set(e, inner.code, inner.where[0] ? inner.where : "model.encoding", "%s",
                       inner.msg);
    struct normaliser_shape rows = model_normaliser_shape(c, &shape);
    if (normaliser_check(&c->normaliser, &rows, &inner))
        return err_set(e, inner.code, inner.where, "%s", inner.msg);
    if (c->logits.kind && normaliser_products(&c->normaliser) != PRODUCTS_LOGITS)
        return err_set(e, ERR_USAGE, "model.logits",
                       "%s attention has no logits of q.k; expected none, or another "
                       "model.normaliser", normaliser_of(&c->normaliser)->name);
    if (encoding_of(&c->encoding)->of_logits &&
        normaliser_products(&c->normaliser) != PRODUCTS_LOGITS)
        return err_set(e, ERR_USAGE, "model.encoding",
                       "%s reads the logits q.k, which %s attention has not; expected another "
                       "encoding, or another model.normaliser",
                       encoding_of(&c->encoding)->name, normaliser_of(&c->normaliser)->name);
    if (c->attention == MODEL_URPE && (urpe_check(&c->c, &shape, &inner) ||
                                       urpe_try(&c->c, &shape, evaluated, &inner)))
        return err_set(e, inner.code, inner.where[0] ? inner.where : "model.c", "%s", inner.msg);
    return 0;
}

static int check_layers(const struct model_config *c, const struct layout *trained,
                        const struct layout *evaluated, struct err *e)
{
    struct layout first, longest;
    struct arena arena;
    int code = prefix_check(c, trained, e);
    if (!code && model_convolves(c) && !layout_is_line(trained))
        code = err_set(e, ERR_USAGE, "model.convolution",
                       "it goes along the line of positions, which this space has not; expected "
                       "'none', or space: sequence");
    if (code || (code = arena_open(&arena, 0, e)))
        return code;
    code = prefix_layout(c, trained, &arena, &first, e);
    code = code ? code : prefix_layout(c, evaluated, &arena, &longest, e);
    for (int k = 0; k < model_kinds(c) && !code; k++) {
        struct model_config of_kind; /* large: copied where there is a plan */
        struct err inner = {0};
        if (c->plan.turn)
            model_kind_config(c, k, &of_kind);
        code = check_layer(c->plan.turn ? &of_kind : c, &first, &longest, &inner);
        if (code && c->plan.turn)
            err_set(e, code, "model.plan", "%s: %s", inner.where, inner.msg);
        else if (code)
            err_pass(e, &inner);
    }
    arena_close(&arena);
    return code;
}

int model_check(const struct model_config *c, const struct model_io *io,
                const struct layout *trained, const struct layout *evaluated, struct err *e)
{
    if (c->width % c->heads)
        return err_set(e, ERR_USAGE, "model.heads",
                       "%lld heads do not divide width %lld; expected a divisor of model.width",
                       (long long)c->heads, (long long)c->width);
    if (c->kv_heads && c->heads % c->kv_heads)
        return err_set(e, ERR_USAGE, "model.kv_heads",
                       "%lld does not divide %lld heads; expected a divisor of model.heads",
                       (long long)c->kv_heads, (long long)c->heads);
    int code = check_layers(c, trained, evaluated, e);
    if (code)
        return code;
    if ((io->channels > 0 || !io->labels) && c->tie)
        return err_set(e, ERR_USAGE, "model.tie",
                       "only models of token targets can share embedding and output; remove it or "
                       "choose a token target");
    if (io->channels > 0 && c->embed_norm)
        return err_set(e, ERR_USAGE, "model.embed_norm",
                       "continuous inputs have no embedding to normalise; remove it or choose a "
                       "token target");
    if (!io->labels && c->head != MODEL_HEAD_LINEAR)
        return err_set(e, ERR_USAGE, "model.head",
                       "the mlm head predicts tokens; expected linear for a continuous target");
    if (c->tie && io->labels > io->symbols)
        return err_set(e, ERR_USAGE, "model.tie",
                       "the target has %d labels but the embedding only %d rows; expected "
                       "tie: false", io->labels, io->symbols);
    return 0;
}

/* ---- descriptor table -------------------------------------------------------------------------*/
struct builder {
    struct model *m;
    struct err *e;
    int code;
    char prefix[40];
};

static int add(struct builder *b, const char *name, const struct tensor *t)
{
    int index = -1;
    struct tensor named = *t;
    if (b->code)
        return -1;
    int length = snprintf(named.name, sizeof named.name, "%s%s", b->prefix, name);
    if (length < 0 || (size_t)length >= sizeof named.name)
        b->code = err_set(b->e, ERR_USAGE, name, "the tensor's name is too long");
    else
        b->code = tensor_list_add(&b->m->tensors, &named, &index, b->e);
    return index;
}

/* A Linear's weight (out,in), uniform within 1/sqrt(in) as in PyTorch's Linear. */
static int add_weight(struct builder *b, const char *name, int out, int in)
{
    return add(b, name, &(struct tensor){.rank = 2, .shape = {out, in}, .init = TENSOR_UNIFORM,
                                         .deviation = 1 / sqrt((double)in), .decay = true});
}

static int add_vector(struct builder *b, const char *name, int d, double value)
{
    return add(b, name, &(struct tensor){.rank = 1, .shape = {d}, .init = TENSOR_CONSTANT,
                                         .mean = value});
}

static void add_norm(struct builder *b, const char *name, int kind, int d, int *gain, int *bias)
{
    char text[TENSOR_NAME_MAX];
    snprintf(text, sizeof text, "%s.weight", name);
    *gain = add_vector(b, text, d, 1);
    *bias = -1;
    if (kind == MODEL_NORM_RMS)
        return;
    snprintf(text, sizeof text, "%s.bias", name);
    *bias = add_vector(b, text, d, 0);
}

/* Those of the tensors that layers share, or each has, written to index[]; whether there are any. */
static bool add_scope(struct builder *b, const char *part, const struct encoding_tensor *t, int count,
                      bool share, bool per_layer, int *index)
{
    bool any = false;
    for (int k = 0; k < count; k++) {
        bool layered = t[k].scope == ENCODING_LAYER || (t[k].scope == ENCODING_TABLE && !share);
        char name[TENSOR_NAME_MAX + 16];
        if (layered != per_layer)
            continue;
        snprintf(name, sizeof name, "%s.%.*s", part, TENSOR_NAME_MAX, t[k].tensor.name);
        index[k] = add(b, name, &t[k].tensor);
        any = true;
    }
    return any;
}

static bool add_encoding(struct builder *b, const struct layer_kind *kind, bool per_layer,
                         int *index)
{
    struct encoding_tensor t[ENCODING_TENSORS_MAX] = {0};
    if (kind->encoding_tensors)
        kind->encoding->tensors(&kind->config.encoding, &kind->shape, t);
    return add_scope(b, "encoding", t, kind->encoding_tensors, kind->config.share, per_layer, index);
}

static bool shares_c(const struct model_config *c)
{
    int share = (int)c->c.number[URPE_OPTION_SHARE];
    return share == URPE_SHARE_MODEL ? c->share : share == URPE_SHARE_YES;
}

static bool add_c(struct builder *b, const struct layer_kind *kind, bool per_layer, int *index)
{
    struct encoding_tensor t[ENCODING_TENSORS_MAX] = {0};
    int count = urpe_tensors(&kind->config.c, &kind->shape, t);
    return add_scope(b, "urpe", t, count, shares_c(&kind->config), per_layer, index);
}

static void add_normaliser(struct builder *b, const struct layer_kind *kind, int *index)
{
    struct tensor t[NORMALISER_TENSORS_MAX] = {0};
    if (kind->normaliser_tensors)
        kind->normaliser->tensors(&kind->config.normaliser, &kind->normaliser_shape, t);
    for (int k = 0; k < kind->normaliser_tensors; k++) {
        char name[TENSOR_NAME_MAX + 16];
        snprintf(name, sizeof name, "normaliser.%.*s", TENSOR_NAME_MAX, t[k].name);
        index[k] = add(b, name, &t[k]);
    }
}

static void add_convolutions(struct builder *b, const struct kind_config *c, int *index)
{
    static const char *const names[] = {"conv.input.weight", "conv.qkv.weight", "conv.ffn.weight",
                                        "conv.hidden.weight"};
    int hidden = (int)b->m->config.ffn * (b->m->config.gated ? 2 : 1);
    const int channels[] = {b->m->width, b->m->qkv_width, b->m->width, hidden};
    for (int k = 0; k < CONVOLVED_PLACES && convolution_learned(c); k++)
        if (convolution_at(c, (enum convolved_place)k))
            index[k] = add_weight(b, names[k], channels[k], convolution_size(c));
}

static void add_logits(struct builder *b, const struct kind_config *c, int *index)
{
    struct tensor t[LOGITS_TENSORS_MAX] = {0};
    int count = logits_tensors(c, b->m->heads, b->m->head_width, t);
    for (int k = 0; k < count; k++)
        index[k] = add(b, t[k].name, &t[k]);
}

static void add_layer(struct builder *b, int k)
{
    struct model *m = b->m;
    struct model_layer *l = &m->layer[k];
    int w = m->width, f = (int)m->config.ffn, kv = m->kv_heads * m->head_width;
    int norm = m->config.norm_kind;
    snprintf(b->prefix, sizeof b->prefix, "layers.%d.", k);
    l->q = add_weight(b, "attn.q.weight", w, w);
    l->k = add_weight(b, "attn.k.weight", kv, w);
    l->v = add_weight(b, "attn.v.weight", kv, w);
    l->q_bias = add_vector(b, "attn.q.bias", w, 0);
    l->k_bias = add_vector(b, "attn.k.bias", kv, 0);
    l->v_bias = add_vector(b, "attn.v.bias", kv, 0);
    l->o = add_weight(b, "attn.o.weight", w, w);
    l->o_bias = add_vector(b, "attn.o.bias", w, 0);
    if (m->config.output_gate) {
        l->gate = add_weight(b, "attn.gate.weight", w, w);
        l->gate_bias = add_vector(b, "attn.gate.bias", w, 0);
    }
    if (m->config.norm != MODEL_NORM_NONE) {
        add_norm(b, "norm1", norm, w, &l->norm1, &l->norm1_bias);
        add_norm(b, "norm2", norm, w, &l->norm2, &l->norm2_bias);
    }
    if (m->config.norm == MODEL_NORM_BOTH) {
        add_norm(b, "after1", norm, w, &l->after1, &l->after1_bias);
        add_norm(b, "after2", norm, w, &l->after2, &l->after2_bias);
    }
    l->in = add_weight(b, "ffn.in.weight", f, w);
    l->in_bias = add_vector(b, "ffn.in.bias", f, 0);
    if (m->config.gated) {
        l->up = add_weight(b, "ffn.up.weight", f, w);
        l->up_bias = add_vector(b, "ffn.up.bias", f, 0);
    }
    l->out = add_weight(b, "ffn.out.weight", w, f);
    l->out_bias = add_vector(b, "ffn.out.bias", w, 0);
    add_convolutions(b, &l->kind->config.convolution, l->convolution);
    add_logits(b, &l->kind->config.logits, l->logits);
    int like = l->kind->first;
    bool own = add_encoding(b, l->kind, true, l->encoding);
    l->state = own || like == k ? m->states++ : m->layer[like].state;
    add_normaliser(b, l->kind, l->normaliser);
    if (l->kind->config.attention == MODEL_URPE) {
        own = add_c(b, l->kind, true, l->c);
        l->table = own || like == k ? m->tables++ : m->layer[like].table;
    }
    b->prefix[0] = '\0';
}

static void open_kind(struct model *m, int k)
{
    struct layer_kind *out = &m->kind[k];
    const struct model_config *c = &out->config;
    model_kind_config(&m->config, k, &out->config);
    out->shape = model_shape(c, &m->trained);
    out->encoding = encoding_of(&c->encoding);
    out->normaliser = normaliser_of(&c->normaliser);
    while (model_kind_of(&m->config, out->first) != k)
        out->first++;
    struct encoding_tensor encoding[ENCODING_TENSORS_MAX] = {0};
    struct tensor normaliser[NORMALISER_TENSORS_MAX] = {0};
    out->encoding->facts(&out->config.encoding, &out->shape, &out->facts);
    out->normaliser_shape = model_normaliser_shape(c, &out->shape);
    if (out->encoding->tensors)
        out->encoding_tensors =
            out->encoding->tensors(&out->config.encoding, &out->shape, encoding);
    if (c->attention == MODEL_URPE)
        out->c_tensors = urpe_tensors(&c->c, &out->shape, encoding);
    const struct urpe *urpe = urpe_of(&c->c);
    out->c_pairs = c->attention == MODEL_URPE && urpe->of_pairs && urpe->of_pairs(&c->c, &out->shape);
    if (out->normaliser->tensors)
        out->normaliser_tensors = out->normaliser->tensors(
            &out->config.normaliser, &out->normaliser_shape, normaliser);
}

/* Whether kinds have one encoding, or C, so that they share what their layers share. */
static bool same_encoding(const struct layer_kind *a, const struct layer_kind *b)
{
    return !memcmp(&a->config.encoding, &b->config.encoding, sizeof a->config.encoding) &&
           a->shape.past == b->shape.past && a->config.share == b->config.share;
}

static bool same_c(const struct layer_kind *a, const struct layer_kind *b)
{
    return a->config.attention == MODEL_URPE && b->config.attention == MODEL_URPE &&
           !memcmp(&a->config.c, &b->config.c, sizeof a->config.c) &&
           a->shape.past == b->shape.past && shares_c(&a->config) == shares_c(&b->config);
}

/* Layer `first` of kind k, with what all layers of the kind share; it stands for them. */
static void add_kind(struct builder *b, int k)
{
    struct model *m = b->m;
    struct layer_kind *kind = &m->kind[k];
    struct model_layer *shared = &m->layer[kind->first];
    int encoding = 0, c = 0;
    memset(shared, 0xff, sizeof *shared); /* every index -1 */
    shared->kind = kind;
    while (encoding < k && !same_encoding(&m->kind[encoding], kind))
        encoding++;
    while (c < k && !same_c(&m->kind[c], kind))
        c++;
    kind->input = encoding == k && kind->encoding->input;
    if (m->kinds > 1)
        snprintf(b->prefix, sizeof b->prefix, "plan.%d.", k);
    if (encoding < k)
        memcpy(shared->encoding, m->layer[m->kind[encoding].first].encoding,
               sizeof shared->encoding);
    else
        add_encoding(b, kind, false, shared->encoding);
    if (c < k)
        memcpy(shared->c, m->layer[m->kind[c].first].c, sizeof shared->c);
    else if (kind->config.attention == MODEL_URPE)
        add_c(b, kind, false, shared->c);
    b->prefix[0] = '\0';
}

/* What all layers of a kind share, and then each by itself. */
static void add_layers(struct builder *b)
{
    struct model *m = b->m;
    for (int k = 0; k < m->kinds; k++)
        open_kind(m, k);
    for (int k = 0; k < m->kinds; k++)
        add_kind(b, k);
    for (int k = 0; k < m->config.layers; k++)
        m->layer[k] = m->layer[m->kind[model_kind_of(&m->config, k)].first];
    for (int k = 0; k < m->config.layers; k++)
        add_layer(b, k);
}

static void add_embedding(struct builder *b)
{
    struct model *m = b->m;
    int w = m->width;
    m->embed_bias = m->embed_norm = m->embed_norm_bias = m->prefix = -1;
    if (m->before)
        m->prefix = add(b, "prefix.weight",
                        &(struct tensor){.rank = 2, .shape = {m->before, w}, .init = TENSOR_NORMAL,
                                         .deviation = m->config.prefix.number[PREFIX_OPTION_STD],
                                         .decay = true});
    if (m->io.channels > 0) {
        m->embed = add_weight(b, "embed.weight", w, m->io.channels);
        m->embed_bias = add_vector(b, "embed.bias", w, 0);
        return;
    }
    m->embed = add(b, "embed.weight",
                   &(struct tensor){.rank = 2, .shape = {m->io.symbols, w}, .init = TENSOR_NORMAL,
                                    .deviation = m->config.embed_std, .decay = true});
    if (m->config.embed_norm)
        add_norm(b, "embed_norm", MODEL_NORM_LAYER, w, &m->embed_norm, &m->embed_norm_bias);
}

static void add_head(struct builder *b)
{
    struct model *m = b->m;
    int w = m->width, out = model_io_outputs(&m->io);
    m->norm = m->norm_bias = m->dense = m->dense_bias = m->head_norm = m->head_norm_bias = -1;
    if (model_norm_before(&m->config) || model_norm_after(&m->config))
        add_norm(b, "norm", m->config.norm_kind, w, &m->norm, &m->norm_bias);
    if (m->config.head == MODEL_HEAD_MLM) {
        m->dense = add_weight(b, "head.dense.weight", w, w);
        m->dense_bias = add_vector(b, "head.dense.bias", w, 0);
        add_norm(b, "head.norm", MODEL_NORM_LAYER, w, &m->head_norm, &m->head_norm_bias);
    }
    m->head = m->config.tie ? m->embed : add_weight(b, "head.weight", out, w);
    m->head_bias = add_vector(b, "head.bias", out, 0);
}

int model_open(struct model *m, const struct model_config *c, const struct model_io *io,
               const struct layout *trained, struct err *e)
{
    *m = (struct model){.config = *c, .io = *io, .before = model_before(c),
                        .width = (int)c->width, .heads = (int)c->heads,
                        .head_width = (int)(c->width / c->heads),
                        .kv_heads = (int)(c->kv_heads ? c->kv_heads : c->heads)};
    m->qkv_width = m->width + 2 * m->kv_heads * m->head_width;
    int code = m->before ? arena_open(&m->arena, 0, e) : 0;
    if (code || (code = prefix_layout(c, trained, &m->arena, &m->trained, e))) {
        model_close(m);
        return code;
    }
    for (int k = 0; k < c->layers; k++)
        if (model_kind_of(c, k) == m->kinds)
            m->kinds++;
    m->layer = memory_alloc((size_t)c->layers, sizeof *m->layer, e);
    m->kind = memory_alloc((size_t)m->kinds, sizeof *m->kind, e);
    if (!m->layer || !m->kind) {
        model_close(m);
        return ERR_MEMORY;
    }
    struct builder b = {.m = m, .e = e};
    add_embedding(&b);
    add_layers(&b);
    add_head(&b);
    if (b.code)
        model_close(m);
    return b.code;
}

void model_close(struct model *m)
{
    tensor_list_close(&m->tensors);
    memory_free(m->layer);
    memory_free(m->kind);
    if (m->before)
        arena_close(&m->arena);
    *m = (struct model){0};
}

/* ---- initial values ---------------------------------------------------------------------------*/
static void initialise_tensor(const struct tensor *t, uint64_t seed, real *p)
{
    char purpose[TENSOR_NAME_MAX + 8];
    struct stream s;
    snprintf(purpose, sizeof purpose, "init.%s", t->name);
    stream_open(&s, seed, purpose, 0);
    gsl_rng *rng = stream_rng(&s);
    for (size_t i = 0; i < t->count; i++)
        switch (t->init) {
        case TENSOR_CONSTANT: p[i] = (real)t->mean; break;
        case TENSOR_NORMAL:
            p[i] = (real)(t->mean + gsl_ran_gaussian_ziggurat(rng, t->deviation));
            break;
        case TENSOR_UNIFORM:
            p[i] = (real)gsl_ran_flat(rng, t->mean - t->deviation, t->mean + t->deviation);
            break;
        }
}

/* What encoding and normaliser say instead of a draw. */
static void initialise_layer(const struct model *m, int layer, real *p)
{
    const struct model_layer *l = &m->layer[layer];
    const struct layer_kind *kind = l->kind;
    for (int k = 0; k < kind->encoding_tensors && kind->encoding->initial; k++)
        kind->encoding->initial(&kind->config.encoding, &kind->shape, k,
                                p + m->tensors.item[l->encoding[k]].offset);
    for (int k = 0; k < kind->normaliser_tensors && kind->normaliser->initial; k++)
        kind->normaliser->initial(&kind->normaliser_shape, k, layer,
                                  p + m->tensors.item[l->normaliser[k]].offset);
}

void model_initialise(const struct model *m, uint64_t seed, real *p)
{
    for (int k = 0; k < m->tensors.count; k++)
        initialise_tensor(&m->tensors.item[k], seed, p + m->tensors.item[k].offset);
    for (int k = 0; k < m->config.layers; k++)
        initialise_layer(m, k, p);
}
