/* Training: configuration, samples, loss, optimisers, schedules, the loop over steps, checkpoints.
 *
 * Invariant: a step is a function of (parameters, moments, streams) and the configuration alone.
 * The batch is cut into lanes whose number depends on the configuration only; each lane has its own
 * gradient, and lanes are summed in a fixed order, so threads change nothing. */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "base/pool.h"
#include "base/random.h"
#include "model/model.h"
#include "space/space.h"
#include "target/target.h"

enum { TRAIN_POLISH_PARAMETERS = 20000 }; /* the most that polishing takes */
enum { TRAIN_PASS_ROWS = 512 }; /* of a lane in a pass over a set, or one sample where longer */
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
    int polish;                   /* enum above: descent on a fixed set after the last step */
    int64_t polish_steps, polish_samples;
};
extern const struct option train_options[];
extern const struct kind_table optimizer_kinds;

enum { EVALUATE_WITNESS_AUTO, EVALUATE_WITNESS_ALWAYS, EVALUATE_WITNESS_NEVER };
struct evaluate_config {
    int64_t samples, every;
    int orbit;                    /* index into orbit_table */
    struct option_ints lengths;   /* of a cell: ascending, each once, the training length too */
    double tolerance;
    int witness;                  /* enum above: whether rows show the witness's figures too */
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
};

/* Sizes that follow from a task. */
struct model_io task_io(const struct task *t);

/* What no single layer below can see: mask, orbit, labels at other lengths, the curriculum, how much
 * a step may hold.  ERR_USAGE; e->where names the key concerned ("train.lengths"). */
int task_check(const struct task *t, struct err *e);

/* ---- samples ----------------------------------------------------------------------------------*/
/* A set of samples in double and in real, packed as struct batch wants it. */
struct samples {
    int count, rows, channels; /* channels 0: tokens */
    int *first;                /* (count+1) */
    struct layout **layout;    /* (count) */
    int *pattern;              /* (count) index into pattern_table */
    int32_t *token, *label;    /* (rows) tokens only */
    double *x, *y;             /* (rows,channels) continuous only */
    struct arena arena;
};
/* The evaluation set of length `length`: round(share x samples) of each pattern (at least 1 where
 * the share is positive), grouped by pattern in table order, then all images under the orbit: the
 * images of one sample are neighbours.  Stream "evaluation". */
int samples_evaluation(struct samples *s, const struct task *t, int length, struct err *e);
void samples_close(struct samples *s);
/* Bytes of memory that drawing takes besides the samples: what the target keeps, a text say. */
int samples_price(const struct task *t, size_t *bytes, struct err *e);
/* Draws training batches of one length: stream "data", never the evaluation stream. */
struct sampler;
int sampler_open(struct sampler **out, const struct task *t, int length, struct err *e);
/* Fills count samples, numbers `number`, number+1, ... of the training stream: sample k is a
 * function of (seed, k) alone. */
int sampler_draw(struct sampler *s, uint64_t number, int count, struct samples *into,
                 struct err *e);
/* The same from a stream of another name. */
int sampler_open_stream(struct sampler **out, const struct task *t, const char *purpose, int length,
                        struct err *e);
void sampler_close(struct sampler *s);

/* ---- the trainer ------------------------------------------------------------------------------*/
struct trainer;
/* Opens model, parameters (initialised), moments and lanes. */
int trainer_open(struct trainer **out, const struct task *t, struct pool *pool, struct err *e);
void trainer_close(struct trainer *t);
/* Once *stop is not zero, passes over a set of samples (outputs, gradients of inputs) end between
 * two waves of it, with ERR_INTERRUPTED.  NULL, as at first: they never do. */
void trainer_watch(struct trainer *t, volatile const int *stop);
const struct model *trainer_model(const struct trainer *t);
real *trainer_parameters(struct trainer *t);
int64_t trainer_step_number(const struct trainer *t); /* steps done */
struct train_report {
    double loss, gradient_norm, rate; /* of the step just done */
    bool diverged;                    /* NaN or Inf in loss or gradient; nothing was updated */
};
int trainer_step(struct trainer *t, struct train_report *r, struct err *e);
struct polish_report {
    int64_t steps; /* of the descent; fewer than train.polish.steps where it found no way down */
    double loss;   /* on its samples, afterwards; NaN: it is no number there */
    bool stopped;
};
/* Descends on a fixed set of samples (stream "polish"), as train.polish says.  When *stop becomes
 * non-zero it ends early; then the parameters are of no use, and a checkpoint made before is. */
int trainer_polish(struct trainer *t, volatile const int *stop, struct polish_report *r,
                   struct err *e);
/* Outputs for a set of samples, row by row in sample order.  Continuous: y (rows,channels) as real
 * values in double.  Tokens: `each` is called with (context, first row, rows, labels, logits
 * (rows,labels)) for successive chunks; the logits are only valid during the call. */
typedef void (*trainer_logits)(void *context, int first, int rows, int labels, const double *logits);
int trainer_outputs(struct trainer *t, const struct samples *s, double *y, trainer_logits each,
                    void *context, struct err *e);
/* The gradient of sum cotangent * y with respect to the inputs of the set; continuous only.
 * cotangent, dx (rows,channels), dx overwritten.  The same for any number of threads. */
int trainer_input_gradient(struct trainer *t, const struct samples *s, const double *cotangent,
                           double *dx, struct err *e);
/* The resumable state as bytes, checksum included (memory_free by the caller), and back.  `stamp`
 * names binary, machine and kernel: another stamp is ERR_FORMAT. */
int trainer_save(const struct trainer *t, const char *stamp, const void *extra, size_t extra_size,
                 char **bytes, size_t *count, struct err *e);
int trainer_load(struct trainer *t, const char *stamp, const char *bytes, size_t count,
                 void *extra, size_t extra_capacity, size_t *extra_size, struct err *e);
/* Bytes of memory that the task will need: parameters, moments, lanes, samples. */
int trainer_price(const struct task *t, size_t *bytes, size_t *parameters, double *flops_step,
                  struct err *e);
/* Bytes that the first pass over so many samples of `length` takes besides, with gradients of the
 * inputs or without; the trainer keeps them for the next pass. */
int trainer_price_pass(const struct task *t, int length, int64_t samples, bool backward,
                       size_t *bytes, struct err *e);

/* Weights as safetensors, by the names of the descriptor table; reading checks every name, shape
 * and type. */
int trainer_export(const struct trainer *t, const char *path, struct err *e);
int trainer_import(struct trainer *t, const char *path, struct err *e);
/* Learned tables by relation, at the training length: calls each(context, layer, head, relation, b,
 * c) with b NaN where the encoding has no bias by relation and c NaN under rpe; layer is -1 where
 * the tables are shared. */
typedef void (*trainer_table)(void *context, int layer, int head, int relation, double b, double c);
int trainer_tables(struct trainer *t, trainer_table each, void *context, struct err *e);

/* ---- both precisions --------------------------------------------------------------------------
 * All of the above as a table of functions.  The numeric layers are compiled twice, so two tables
 * exist; what lies above picks one by model.precision and never sees `real`. */
struct trainer_api {
    const char *precision; /* "float" or "double" */
    int digits;            /* that read a figure back: 9 or 17 */
    int (*kernel_open)(struct err *e);
    const char *(*kernel_name)(void);
    const char *(*blas_name)(void);
    int (*open)(struct trainer **out, const struct task *t, struct pool *pool, struct err *e);
    void (*close)(struct trainer *t);
    void (*watch)(struct trainer *t, volatile const int *stop);
    int64_t (*step_number)(const struct trainer *t);
    int (*step)(struct trainer *t, struct train_report *r, struct err *e);
    int (*polish)(struct trainer *t, volatile const int *stop, struct polish_report *r,
                  struct err *e);
    int (*outputs)(struct trainer *t, const struct samples *s, double *y, trainer_logits each,
                   void *context, struct err *e);
    int (*input_gradient)(struct trainer *t, const struct samples *s, const double *cotangent,
                          double *dx, struct err *e);
    int (*save)(const struct trainer *t, const char *stamp, const void *extra, size_t extra_size,
                char **bytes, size_t *count, struct err *e);
    int (*load)(struct trainer *t, const char *stamp, const char *bytes, size_t count, void *extra,
                size_t extra_capacity, size_t *extra_size, struct err *e);
    int (*price)(const struct task *t, size_t *bytes, size_t *parameters, double *flops_step,
                 struct err *e);
    int (*price_pass)(const struct task *t, int length, int64_t samples, bool backward,
                      size_t *bytes, struct err *e);
    int (*export_weights)(const struct trainer *t, const char *path, struct err *e);
    int (*import_weights)(struct trainer *t, const char *path, struct err *e);
    int (*tables)(struct trainer *t, trainer_table each, void *context, struct err *e);
    size_t (*parameters)(const struct trainer *t);
    const struct model *(*model)(const struct trainer *t);
    void *(*block)(struct trainer *t); /* the parameters, (parameters) of real */
};
extern const struct trainer_api trainer_api;

#endif
