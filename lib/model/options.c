/* The rows of section `model`.  Invariant: the order of the names of a choice is the order of its
 * enum in model.h (kernel.h for the activation).  Sizes that follow from others (heads divide
 * width) are model_check's business; a row knows its own range only. */
#include <stddef.h>

#include "kernel/kernel.h"
#include "model/model.h"
#include "model/presets.h"

static const char *const attention_names[] = {
    [MODEL_RPE] = "rpe", [MODEL_URPE] = "urpe", NULL};
static const char *const norm_names[] = {
    [MODEL_NORM_NONE] = "none", [MODEL_NORM_PRE] = "pre", [MODEL_NORM_POST] = "post",
    [MODEL_NORM_BOTH] = "both", [MODEL_NORM_BRANCH] = "branch", NULL};
static const char *const norm_kind_names[] = {
    [MODEL_NORM_LAYER] = "layer", [MODEL_NORM_RMS] = "rms", NULL};
static const char *const values_names[] = {
    [MODEL_VALUES_OWN] = "own", [MODEL_VALUES_MEAN] = "mean", [MODEL_VALUES_FIRST] = "first", NULL};
static const char *const activation_names[] = {
    [ACTIVATION_RELU] = "relu", [ACTIVATION_GELU] = "gelu", [ACTIVATION_SILU] = "silu", NULL};
static const char *const precision_names[] = {
    [MODEL_FLOAT] = "float", [MODEL_DOUBLE] = "double", NULL};
static const char *const head_names[] = {
    [MODEL_HEAD_LINEAR] = "linear", [MODEL_HEAD_MLM] = "mlm", NULL};

static const char *const pool_names[] = {[MODEL_POOL_NONE] = "none",
                                         [MODEL_POOL_MEAN] = "mean",
                                         [MODEL_POOL_FIRST] = "first", NULL};
static const char *const init_names[] = {
    [MODEL_INIT_DEFAULT] = "default", [MODEL_INIT_WITNESS] = "witness", NULL};

#define PRESET_NAME(name, keys, lacks, source) name,
static const char *const preset_names[] = {PRESET_LIST(PRESET_NAME) NULL};

static bool with_c(const void *owner)
{
    return ((const struct model_config *)owner)->attention == MODEL_URPE;
}

static bool with_norm(const void *owner)
{
    return ((const struct model_config *)owner)->norm != MODEL_NORM_NONE;
}

#define FIELD(name) offsetof(struct model_config, name)

const struct option model_options[] = {
    {.key = "preset", .type = OPTION_CHOICE, .offset = FIELD(preset), .fallback = "none",
     .names = preset_names, .quiet = true,
     .help = "an architecture: keys that nothing else gives; `list presets` shows which"},
    {.key = "encoding", .type = OPTION_KIND, .offset = FIELD(encoding), .fallback = "toeplitz",
     .kinds = &encoding_kinds, .layered = true, .help = "positional encoding (B)"},
    {.key = "attention", .type = OPTION_CHOICE, .offset = FIELD(attention), .fallback = "urpe",
     .names = attention_names, .layered = true, .help = "rpe: softmax(..+B); urpe: softmax(..+B) * C"},
    {.key = "c", .type = OPTION_KIND, .offset = FIELD(c), .fallback = "toeplitz",
     .kinds = &urpe_kinds, .help = "the matrix C that multiplies the softmax", .layered = true,
     .applies = with_c},
    {.key = "normaliser", .type = OPTION_KIND, .offset = FIELD(normaliser), .fallback = "softmax",
     .kinds = &normaliser_kinds, .help = "from logits to the weights of the values", .layered = true,
     .quiet = true},
    {.key = "layers", .type = OPTION_INT, .offset = FIELD(layers), .min = 1, .max = 1024,
     .fallback = "2", .unit = "layers", .help = "depth"},
    {.key = "heads", .type = OPTION_INT, .offset = FIELD(heads), .min = 1, .max = 1024,
     .fallback = "4", .unit = "heads", .help = "attention heads of a layer; divides width"},
    {.key = "width", .type = OPTION_INT, .offset = FIELD(width), .min = 1, .max = 65536,
     .fallback = "64", .unit = "channels", .help = "size of the hidden states"},
    {.key = "ffn", .type = OPTION_INT, .offset = FIELD(ffn), .min = 1, .max = 262144,
     .fallback = "256", .unit = "channels", .help = "hidden size of the feed-forward network"},
    {.key = "norm", .type = OPTION_CHOICE, .offset = FIELD(norm), .fallback = "pre",
     .names = norm_names, .help = "norms: none, before or after each part, both, or on what the part adds"},
    {.key = "activation", .type = OPTION_CHOICE, .offset = FIELD(activation), .fallback = "gelu",
     .names = activation_names, .help = "relu, gelu by the exact erf, or silu"},
    {.key = "mask", .type = OPTION_KIND, .offset = FIELD(mask), .fallback = "none",
     .kinds = &mask_kinds, .was_choice = true, .layered = true,
     .help = "which keys a query sees; causal: j <= i only"},
    {.key = "share", .type = OPTION_BOOL, .offset = FIELD(share), .fallback = "true",
     .layered = true, .help = "one B table for all layers"},
    {.key = "precision", .type = OPTION_CHOICE, .offset = FIELD(precision), .fallback = "float",
     .names = precision_names, .help = "type of all model arithmetic"},
    {.key = "tie", .type = OPTION_BOOL, .offset = FIELD(tie), .fallback = "false",
     .help = "token targets: output weights are the embedding's"},
    {.key = "embed_norm", .type = OPTION_BOOL, .offset = FIELD(embed_norm), .fallback = "false",
     .help = "token targets: LayerNorm after the embedding"},
    {.key = "embed_std", .type = OPTION_REAL, .offset = FIELD(embed_std), .min = 0, .max = 1000,
     .fallback = "0.02", .quiet = true,
     .help = "token targets: standard deviation of the embedding's start"},
    {.key = "head", .type = OPTION_CHOICE, .offset = FIELD(head), .fallback = "linear",
     .names = head_names, .help = "output: linear, or mlm (dense, GELU, LayerNorm, linear)"},
    {.key = "init", .type = OPTION_CHOICE, .offset = FIELD(init), .fallback = "default",
     .names = init_names, .quiet = true,
     .help = "witness: training starts from the target's witness and has its sizes"},
    {.key = "witness.beta", .type = OPTION_REAL, .offset = FIELD(witness_beta), .min = 0,
     .max = 1e15, .fallback = "0",
     .help = "a witness selects with error about exp(-beta/n^2); 0: exactly", .quiet = true},
    {.key = "witness.eps", .type = OPTION_REAL, .offset = FIELD(witness_eps), .min = 0, .max = 1,
     .fallback = "0", .help = "rpe: a witness for inputs whose neighbours differ by more; 0: none",
     .quiet = true},
    {.key = "norm_kind", .type = OPTION_CHOICE, .offset = FIELD(norm_kind), .fallback = "layer",
     .names = norm_kind_names, .quiet = true, .applies = with_norm,
     .help = "of the blocks: LayerNorm, or RMSNorm (no mean, no bias)"},
    {.key = "gated", .type = OPTION_BOOL, .offset = FIELD(gated), .fallback = "false",
     .quiet = true, .help = "ffn: act(in x) * up x; with silu SwiGLU, with gelu GeGLU"},
    {.key = "kv_heads", .type = OPTION_INT, .offset = FIELD(kv_heads), .min = 0, .max = 1024,
     .fallback = "0", .unit = "heads", .quiet = true,
     .help = "heads of keys and values, each for a group of queries'; divides heads; 0: as many"},
    {.key = "values", .type = OPTION_CHOICE, .offset = FIELD(values), .fallback = "own",
     .names = values_names, .quiet = true,
     .help = "value residual: own, their mean with the first layer's, or the first layer's"},
    {.key = "output_gate", .type = OPTION_BOOL, .offset = FIELD(output_gate), .fallback = "false",
     .quiet = true, .help = "what heads give is multiplied by sigmoid(gate x)"},
    {.key = "plan", .type = OPTION_PLAN, .offset = FIELD(plan), .fallback = "none", .quiet = true,
     .help = "maps that layers take in turn: [{mask: window, layers: 5}, {}]"},
    {.key = "convolution", .type = OPTION_KIND, .offset = FIELD(convolution), .fallback = "none",
     .kinds = &convolution_kinds, .layered = true, .quiet = true,
     .help = "what mixes a position with those before it, beside attention"},
    {.key = "logits", .type = OPTION_KIND, .offset = FIELD(logits), .fallback = "none",
     .kinds = &logits_kinds, .layered = true, .quiet = true,
     .help = "what becomes of the products q.k before the encoding adds to them"},
    {.key = "prefix", .type = OPTION_KIND, .offset = FIELD(prefix), .fallback = "none",
     .kinds = &prefix_kinds, .quiet = true,
     .help = "learned vectors in front of the sequence, kept in all layers"},
    {.key = "pool", .type = OPTION_CHOICE, .offset = FIELD(pool), .fallback = "none",
     .names = pool_names, .quiet = true,
     .help = "one output a sample, from the mean of its hidden states, or from the first"},
    {.key = NULL}};
