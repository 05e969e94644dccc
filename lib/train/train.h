/* Training: configuration, samples, loss, optimisers, schedules, the loop over steps, checkpoints.
 *
 * Invariant: a step is a function of (parameters, moments, streams) and the configuration alone.
 * The batch is cut into microbatches whose number depends on the configuration only; each has its
 * own gradient, and these are summed in a fixed order, so threads change nothing. */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "base/pool.h"
#include "model/model.h"
#include "space/space.h"
#include "target/target.h"

enum { TRAIN_POLISH_PARAMETERS = 20000 }; /* the most that polishing takes */
enum train_polish { TRAIN_POLISH_NONE, TRAIN_POLISH_BFGS };
enum train_decay { TRAIN_DECAY_NONE, TRAIN_DECAY_LINEAR, TRAIN_DECAY_COSINE };

struct train_config {
    int64_t steps, batch, warmup;
    struct kind_config optimizer; /* adam {beta1, beta2, epsilon, weight_decay}, adamw {..} */
    double lr, table_lr, c_lr;
    double clip;                  /* global gradient norm; 0: none */
    int decay;
    /* Curriculum: lengths trained one after the other, tokens a step held constant.  Lengths beyond
     * space.length are left out and the last one is space.length, so that a spec made for one
     * length trains at shorter ones too (tables are sized by space.length).  And the share
     * of the steps that each gets, in any unit; empty: space.length, and equal shares. */
    struct option_ints lengths, length_shares;
    struct option_ints mixed;     /* instead: each sample has one of these lengths; empty: space.length */
    int polish;                   /* enum above: descent on a fixed set after the last step */
    int64_t polish_steps, polish_samples;
};
extern const struct option train_options[];
extern const struct kind_table optimizer_kinds;

enum { EVALUATE_WITNESS_AUTO, EVALUATE_WITNESS_ALWAYS, EVALUATE_WITNESS_NEVER };
struct evaluate_config {
    int64_t samples, every, images;
    int orbit;                    /* index into orbit_table */
    struct option_ints lengths;   /* of a cell: ascending, each once, the training length too */
    double tolerance;
    int witness;                  /* enum above: whether rows show the witness's figures too */
    int64_t networks;             /* random ones, tried where the floor is 0 (run/prove.h) */
    int64_t adversary_starts, adversary_steps; /* of the worst-case search; no starts: none */
};
extern const struct option evaluate_options[];

/* What a cell is, whatever it is called: the configuration that decides its numbers. */
struct task {
    uint64_t seed;
    struct space_config space;
    struct target_config target;
    struct model_config model;
    struct train_config train;
    struct evaluate_config evaluate;
    /* No configuration: what draws samples, passes over a set, polishes or searches for this task ends with
     * ERR_INTERRUPTED once *stop is not zero.  NULL: never. */
    volatile const int *stop;
};
bool task_stopped(const struct task *t);

/* Sizes that follow from a task. */
struct model_io task_io(const struct task *t);

/* What no single layer below can see: mask, orbit, labels at other lengths, the curriculum, how much
 * a step may hold.  ERR_USAGE; e->where names the key concerned ("train.lengths"). */
int task_check(const struct task *t, struct err *e);

/* Sets of samples that share what one position can know of them and are fresh beside it, so that a
 * network has one answer there.  Each kind is a subset of its own. */
struct shared_kind {
    const char *name, *help; /* of the subset */
    /* Whether targets may look further than the model does, on this layout. */
    bool (*applies)(const struct task *t, const struct layout *l);
    /* view (n): what position k depends on. */
    void (*view)(const struct task *t, const struct layout *l, int k, bool *view);
};
enum { SHARED_KINDS = 2 };
/* lookahead: masks hide what follows; beyond: the task's layers do not reach over the sample. */
extern const struct shared_kind *const shared_table[SHARED_KINDS + 1];
/* Whether a task has the sets of shared_table[kind] at a length: there are generic inputs that can be
 * drawn anew, and evaluate.images is not 0. */
bool task_shares(const struct task *t, int kind, int length);
/* evaluate.samples, or all that there are where that is less. */
int64_t task_samples(const struct task *t);
/* Sets of images that such a task is evaluated on. */
int64_t task_image_sets(const struct task *t);

/* ---- samples ----------------------------------------------------------------------------------*/
/* A set of samples in double and in real, packed as struct batch wants it. */
struct samples {
    int count, rows, channels; /* channels 0: tokens */
    int outputs;               /* channels of y; 0: labels */
    int *first;                /* (count+1) */
    struct layout **layout;    /* (count) */
    int *pattern;              /* (count) index into pattern_table */
    int32_t *token, *label;    /* (rows) tokens; labels, 0 where a row does not count */
    double *x, *y;             /* (rows,channels), (rows,outputs); 0 where a row does not count */
    int *scored;               /* (count) the only position that counts; NULL: all do */
    unsigned char *counts;     /* (rows) 0: in no loss and no figure.  NULL: all count */
    struct arena arena;
};
/* The evaluation set of length `length`: round(share x samples) of each pattern (task_check
 * sees that none is below one), grouped by pattern in table order, then all images under the orbit: the
 * images of one sample are neighbours.  Stream "evaluation". */
int samples_evaluation(struct samples *s, const struct task *t, int length, struct err *e);
/* Sets of evaluate.images generic samples that share the view of position `scored`, of shared_table's
 * kind.  The sets take up, rounded up, as many samples as evaluate.samples; scored is spread evenly
 * over the positions.  For tasks of which task_shares is true.  Stream: the kind's name. */
int samples_shared(struct samples *s, const struct task *t, int kind, int length, struct err *e);
/* The evaluation sets of all evaluated lengths, one after another. */
int samples_of_lengths(struct samples *s, const struct task *t, struct err *e);
void samples_close(struct samples *s);
/* Samples from .. from+count-1 of s, which the part points into; first (count+1) is the part's own. */
struct samples samples_part(const struct samples *s, int from, int count, int *first);
/* Room in s->arena, which is open, for count samples of at most n positions; there are none yet.
 * partial: some rows do not count. */
int samples_reserve(struct samples *s, int count, int n, const struct model_io *io, bool partial,
                    struct err *e);
/* Adds a sample, whose tokens are still zero; returns its first row. */
int samples_add(struct samples *s, struct layout *l, int pattern);
/* Draws training batches of one length, or of those that train.lengths.mixed says: stream "data", never
 * the evaluation stream. */
struct sampler;
int sampler_open(struct sampler **out, const struct task *t, int length, struct err *e);
/* Fills count samples, numbers `number`, number+1, ... of the training stream: sample k is a
 * function of (seed, k) alone. */
int sampler_draw(struct sampler *s, uint64_t number, int count, struct samples *into,
                 struct err *e);
/* The same from a stream of another name. */
int sampler_open_stream(struct sampler **out, const struct task *t, const char *purpose, int length,
                        struct err *e);
/* The images of samples which[0..count-1] of `base`, which is of the sampler's task and length, under
 * the task's orbit, labels included.  distinct: without those that equal an earlier one of the same
 * sample.  kept (count): how many each sample has.  Layouts are the sampler's. */
int sampler_images(struct sampler *s, const struct samples *base, const int *which, int count,
                   bool distinct, int *kept, struct samples *into, struct err *e);
void sampler_close(struct sampler *s);

/* ---- the trainer ------------------------------------------------------------------------------
 * The numeric layers are compiled twice, so each function is there for both precisions.  A line
 * X(result, name, arguments) is trainer_name, and the member of that name in struct trainer_api:
 * what lies above picks a table by model.precision and never sees `real`. */
struct trainer;
struct train_report {
    double loss, gradient_norm, rate; /* of the step just done */
    bool diverged;                    /* NaN or Inf in loss or gradient; nothing was updated */
};
struct polish_report {
    int64_t steps; /* of the descent; fewer than train.polish.steps where it found no way down */
    double loss;   /* on its samples, afterwards; NaN: it is no number there */
};
typedef void (*trainer_logits)(void *context, int first, int rows, int labels, const double *logits);
typedef void (*trainer_attention_map)(void *context, int sample, int layer, int n,
                                      const double *weights, const double *sums);
typedef void (*trainer_table)(void *context, int layer, int head, int relation, double b, double c);

/* What a task costs. */
struct train_price {
    size_t parameters;
    size_t bytes;        /* of parameters, moments, a checkpoint, the dearest stage on many threads, drawing */
    size_t drawing;      /* in `bytes`: what drawing takes besides the samples, a text say */
    size_t polish;       /* bytes of polishing, besides; 0: there is none */
    double step_flops;   /* of a training step */
    double polish_flops; /* of all its steps, about */
};
struct pass_set { /* samples of a length, forward alone, or with gradients of the inputs too */
    int length;
    int64_t samples;
    bool backward;
};
struct pass_price {
    size_t bytes; /* that the first pass takes; the trainer keeps them for the next one */
    double flops; /* of one pass over all samples */
    size_t parameters;
};

#define TRAINER_FUNCTIONS(X) \
    /* Opens model, parameters (initialised), moments and microbatches. */ \
    X(int, open, struct trainer **out, const struct task *t, struct pool *pool, struct err *e) \
    X(void, close, struct trainer *t) \
    X(const struct model *, model, const struct trainer *t) \
    /* The block of parameters: model's tensors.elements of real. */ \
    X(void *, parameters, struct trainer *t) \
    /* Steps done. */ \
    X(int64_t, step_number, const struct trainer *t) \
    X(int, step, struct trainer *t, struct train_report *r, struct err *e) \
    /* Descends on a fixed set of samples (stream "polish"), as train.polish says.  After a stop the
     * parameters are of no use, and a checkpoint made before is. */ \
    X(int, polish, struct trainer *t, struct polish_report *r, struct err *e) \
    /* Outputs for a set of samples, row by row in sample order.  Numbers: y (rows,outputs) as
     * real values in double.  Labels: `each` is called with (context, first row, rows, labels,
     * logits (rows,labels)) for successive chunks; the logits are only valid during the call. */ \
    X(int, outputs, struct trainer *t, const struct samples *s, double *y, trainer_logits each, \
      void *context, struct err *e) \
    /* The gradient of sum cotangent * y with respect to the inputs of the set; continuous only.
     * cotangent, dx (rows,channels), dx overwritten.  The same for any number of threads. */ \
    X(int, input_gradient, struct trainer *t, const struct samples *s, const double *cotangent, \
      double *dx, struct err *e) \
    /* Attention of every sample: `each` is called with (context, sample, layer, n, weights (heads,n,n) \
     * of the values, C included, sums (heads,n) of their rows), valid during the call; n counts what \
     * stands before the sample too. */ \
    X(int, attention, struct trainer *t, const struct samples *s, trainer_attention_map each, \
      void *context, struct err *e) \
    /* The resumable state as bytes, checksum included (memory_free by the caller), and back.
     * `stamp` names binary, machine and kernel: another stamp is ERR_FORMAT. */ \
    X(int, save, const struct trainer *t, const char *stamp, const void *extra, \
      size_t extra_size, char **bytes, size_t *count, struct err *e) \
    X(int, load, struct trainer *t, const char *stamp, const char *bytes, size_t count, \
      void *extra, size_t extra_capacity, size_t *extra_size, struct err *e) \
    /* Prices; nothing is trained or drawn.  Of passes over sets: out (count). */ \
    X(int, price, const struct task *t, struct train_price *out, struct err *e) \
    X(int, price_passes, const struct task *t, int count, const struct pass_set *set, \
      struct pass_price *out, struct err *e) \
    /* Weights as safetensors, by the names of the descriptor table; reading checks every name,
     * shape and type. */ \
    X(int, export_weights, const struct trainer *t, const char *path, struct err *e) \
    X(int, import_weights, struct trainer *t, const char *path, struct err *e) \
    /* model_steepness of the weights. */ \
    X(int, steepness, const struct trainer *t, double *out, struct err *e) \
    /* Learned tables by relation, at the training length: calls each(context, layer, head,
     * relation, b, c) with b NaN where the encoding has no bias by relation and c NaN under rpe;
     * layer is -1 where the tables are shared. */ \
    X(int, tables, struct trainer *t, trainer_table each, void *context, struct err *e)

#define TRAINER_PROTOTYPE(result, name, ...) result trainer_##name(__VA_ARGS__);
#define TRAINER_MEMBER(result, name, ...) result (*name)(__VA_ARGS__);
TRAINER_FUNCTIONS(TRAINER_PROTOTYPE)
struct trainer_api {
    const char *precision; /* "float" or "double" */
    int digits;            /* that read a figure back: 9 or 17 */
    int (*kernel_open)(struct err *e);
    const char *(*kernel_name)(void);
    const char *(*blas_name)(void);
    TRAINER_FUNCTIONS(TRAINER_MEMBER)
};
extern const struct trainer_api trainer_api;

#endif
