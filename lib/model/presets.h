/* Presets: the keys of section `model` that make an architecture, but for its sizes.  One line each of
 * PRESET_LIST(X): X(name, keys as YAML, what of the architecture is left out, source), and of
 * PRESET_ABSENT_LIST(X): X(name, why no keys make it).
 *
 * What is added in front of a sequence when the model is used (BOS, [CLS]) is part of a preset.  Sources
 * name the files that the keys were read in. */
#ifndef MODEL_PRESETS_H
#define MODEL_PRESETS_H

/* Blocks of Llama and of all that came after it. */
#define PRESET_LLAMA "norm: pre, norm_kind: rms, activation: silu, gated: true"
#define PRESET_GEMMA "norm: both, norm_kind: rms, activation: gelu, gated: true"

#define PRESET_LIST(X)                                                                             \
    X("none", "{}", "", "")                                                                        \
    X("gpt-2", "{encoding: learned, attention: rpe, mask: causal, norm: pre, activation: gelu}",   \
      "GELU is exact here", "openai/gpt-2, src/model.py")                                          \
    X("bert", "{encoding: learned, attention: rpe, mask: none, norm: post, activation: gelu, "     \
      "prefix: bos}", "segments, LayerNorm behind the embedding",                                  \
      "google-research/bert, modeling.py")                                                         \
    X("t5", "{encoding: t5, attention: rpe, mask: none, norm: pre, norm_kind: rms, "               \
      "activation: relu}", "the decoder; logits are scaled here, and layers have biases",          \
      "tensorflow/mesh, transformer_layers.py")                                                    \
    X("transformer-xl", "{encoding: transformer-xl, attention: rpe, mask: causal, norm: post, "    \
      "activation: relu}", "the memory of segments before", "kimiyoung/transformer-xl, mem_transformer.py") \
    X("deberta-v3", "{encoding: {kind: deberta, k: 256, gather: released}, attention: rpe, "       \
      "mask: none, norm: post, activation: gelu, prefix: bos}",                                    \
      "logarithmic buckets, projections shared with the content's",                                \
      "microsoft/DeBERTa, disentangled_attention.py")                                              \
    X("bloom", "{encoding: alibi, attention: rpe, mask: causal, norm: pre, activation: gelu}",     \
      "LayerNorm behind the embedding", "huggingface/transformers, modeling_bloom.py")             \
    X("mpt-7b", "{encoding: alibi, attention: rpe, mask: causal, norm: pre, activation: gelu}",    \
      "layers have biases here", "mosaicml/llm-foundry, layers/attention.py")                      \
    X("llama-2", "{encoding: rope, attention: rpe, mask: causal, " PRESET_LLAMA ", prefix: bos}",  \
      "layers have biases here", "meta-llama/llama, model.py, generation.py")                      \
    X("llama-3", "{encoding: {kind: rope, base: 500000}, attention: rpe, mask: causal, "           \
      PRESET_LLAMA ", prefix: bos}", "layers have biases here", "meta-llama/llama3, model.py")     \
    X("mistral-7b", "{encoding: rope, attention: rpe, mask: {kind: window, past: 4096}, "          \
      PRESET_LLAMA ", prefix: bos}", "layers have biases here", "mistralai/mistral-inference, cache.py") \
    X("gemma-2", "{encoding: rope, attention: rpe, logits: soft-cap, " PRESET_GEMMA ", prefix: bos, " \
      "plan: [{mask: {kind: window, past: 4096}}, {mask: causal}]}",                               \
      "layers have biases here", "google-deepmind/gemma, gm/nn/_gemma.py")      \
    X("gemma-3", "{attention: rpe, logits: qk-norm, " PRESET_GEMMA ", prefix: bos, plan: ["        \
      "{encoding: rope, mask: {kind: window, past: 1024}, layers: 5}, "                            \
      "{encoding: {kind: rope, base: 1000000}, mask: causal}]}",                                   \
      "layers have biases here", "google-deepmind/gemma, gm/nn/_gemma.py") \
    X("gpt-oss", "{encoding: {kind: rope, base: 150000, pairing: half}, attention: rpe, "          \
      "normaliser: sink, " PRESET_LLAMA ", plan: [{mask: window}, {mask: causal}]}",               \
      "YaRN; experts are one network here", "openai/gpt-oss, gpt_oss/torch/model.py")              \
    X("qwen3", "{encoding: {kind: rope, base: 1000000, pairing: half}, attention: rpe, "           \
      "mask: causal, logits: qk-norm, " PRESET_LLAMA "}", "layers have biases here",              \
      "qiuzh20/gated_attention, modeling_qwen3.py")                                                \
    X("llama-4", "{attention: rpe, " PRESET_LLAMA ", prefix: bos, plan: [{encoding: {kind: rope, " \
      "base: 500000}, mask: {kind: blocks, size: 8192}, layers: 3}, "                              \
      "{encoding: none, mask: causal}]}",                                                          \
      "norms of queries and keys, temperature by position; layers have biases here",               \
      "meta-llama/llama-models, models/llama4/model.py")                                           \
    X("diff-transformer", "{encoding: rope, attention: rpe, normaliser: differential, "            \
      "mask: causal, " PRESET_LLAMA "}", "the norm behind each pair of heads",                     \
      "microsoft/unilm, Diff-Transformer")                                                         \
    X("nope-gpt", "{encoding: none, attention: rpe, mask: causal, norm: pre, norm_kind: rms, "     \
      "activation: relu}", "logits are scaled here, and layers have biases",                       \
      "McGill-NLP/length-generalization, custom_t5_decoder_only.py")                               \
    X("fox", "{encoding: fox, attention: rpe, mask: causal, " PRESET_LLAMA "}",                    \
      "layers have biases here", "zhixuan-lin/forgetting-transformer")                             \
    X("vit", "{encoding: learned, attention: rpe, mask: none, norm: pre, activation: gelu, "       \
      "prefix: {kind: bos, std: 0}}", "", "google-research/vision_transformer, models_vit.py")     \
    X("graphormer", "{encoding: centrality, attention: rpe, mask: none, norm: post, "              \
      "activation: gelu}", "the virtual node, features of edges; needs space: graph",              \
      "microsoft/Graphormer, graphormer_layers.py")                                                \
    X("canon", "{encoding: rope, attention: rpe, mask: causal, " PRESET_LLAMA ", convolution: "    \
      "{kind: canon, qkv: true, ffn: true, hidden: true}}", "layers have biases here",             \
      "facebookresearch/PhysicsLM4, canon_helper.py")                                              \
    X("urpe", "{encoding: toeplitz, attention: urpe, c: toeplitz}", "", "Luo et al. 2022")

#define PRESET_ABSENT_LIST(X)                                                                      \
    X("qwen3-next", "three of four layers are gated DeltaNets, which are no attention of keys; "   \
      "the fourth is qwen3's with an output gate and RoPE on a quarter of the channels")           \
    X("swin", "attention within windows of a grid that every second block shifts by half")         \
    X("swin-v2", "the windows of swin; its cosine logits and biases by a network of offsets")

struct preset {
    const char *name, *keys, *lacks, *source;
};
extern const struct preset preset_table[]; /* ended by a NULL name; [0] is none */
int preset_count(void);
struct preset_absent {
    const char *name, *reason;
};
extern const struct preset_absent preset_absent[]; /* ended by a NULL name */

#endif
