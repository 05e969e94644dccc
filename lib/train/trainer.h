/* Private to lib/train: the trainer's parts.
 *
 * A step:   draw batch -> prepare states -> microbatches (forward, loss, backward) -> sum dstate
 *           -> prepare_backward -> sum gradients by piece -> norm, clip -> update by piece
 * Pieces, like microbatches, are cut by the configuration alone.
 *
 * Who calls whom is a line: pass, stage < trainer < outputs, polish, checkpoint, weights < price. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H
#include "train/optimizer.h"
#include "train/pass.h"
#include "train/stage.h"
#include "train/train.h"

enum { TRAINER_PIECE = 1 << 15 };

struct piece {
    size_t offset, count;
    bool decay;
    double factor; /* on the learning rate */
    double squares;
};

struct trainer {
    struct task task;
    struct model model;
    struct layout trained;
    struct pool *pool;
    struct sampler *sampler;
    struct samples batch;
    struct stage stage[OPTION_INTS_MAX];
    int stages, at;    /* the open stage; -1: none */
    struct pass pass;  /* the open stage's */
    struct pass *sets; /* list of passes over sets outside training */
    int pieces;
    struct piece *piece;
    real *p, *m, *v;
    double scale; /* of the loss: 1 / (rows that count x outputs) of the batch */
    double rate, clip;
    int64_t step; /* done */
    struct arena tables, run; /* layouts; parameters and moments */
};

/* Layout, sizes and descriptor table: what both opening and pricing need.  trainer_close. */
int trainer_open_shape(struct trainer *t, const struct task *task, struct err *e);
/* Parameters and moments; with a measuring arena, their price. */
int trainer_carve(struct trainer *t, struct arena *a, struct err *e);
/* The layout of n positions; t->trained where that is its size. */
int trainer_layout(struct trainer *t, int n, struct layout *out, struct err *e);
/* A pass over batches of a stage, to be opened or priced. */
struct pass trainer_stage_pass(const struct trainer *t, const struct stage *s);
/* Makes the stage of step t->step the open one: its pass and its sampler. */
int trainer_enter_stage(struct trainer *t, struct err *e);
/* The loss of t->batch; its gradient is in microbatch 0's. */
double trainer_batch_gradient(struct trainer *t);
/* A pass over sets of samples of at most n positions, to be opened or priced. */
struct pass trainer_set_pass(const struct trainer *t, int n, int microbatches, bool backward);
/* The mean loss over a set, whole batches of the open stage's size, and its gradient (elements), at
 * the present parameters. */
double trainer_loss_gradient(struct trainer *t, const struct samples *set, double *gradient);
/* Of the set that polishing works on: train.polish.samples, rounded up to batches of stage s. */
int64_t trainer_polish_samples(const struct trainer *t, const struct stage *s);
double schedule_rate(const struct train_config *c, int64_t step);

#endif
