/* Private to lib/train: the trainer's parts.
 *
 * A step:   draw batch -> prepare states -> lanes (forward, loss, backward) -> sum dstate over lanes
 *           -> prepare_backward -> sum gradients over lanes by piece -> norm, clip -> update by piece
 * Lanes and pieces are cut by the configuration alone; the pool only decides who does which. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H
#include "train/optimizer.h"
#include "train/train.h"

enum { TRAINER_LANES_MAX = 4, TRAINER_LANE_ROWS = 256, TRAINER_PIECE = 1 << 15 };

/* A part of a batch: real copies of samples first .. first+count-1 of a set. */
struct lane {
    struct workspace *w;
    struct batch batch;
    int *first;
    const struct layout **layout;
    real *x;
    int32_t *token, *label;
    real *target;              /* (rows,channels) */
    real *out;                 /* (chunk,outputs) */
    real *gradient, *dstate;   /* lanes with a backward pass only */
    double *logits;            /* (chunk,labels): evaluation of tokens only */
    int chunk;
    double loss;
};

struct piece {
    size_t offset, count;
    bool decay;
    double factor; /* on the learning rate */
    double squares;
};

/* A stretch of training at one length. */
struct stage {
    int n, batch;
    int64_t first_step;    /* steps done before it */
    uint64_t first_sample; /* samples drawn before it */
};

/* Passes at one layout size outside training: forward alone, or with the input's gradient. */
struct evaluator {
    struct evaluator *next;
    int n, samples; /* longest layout; samples per lane and wave */
    bool backward;
    int lanes;
    struct model_state state;
    struct lane lane[TRAINER_LANES_MAX];
    struct arena arena;
};

struct trainer {
    struct task task;
    struct model_io io;
    struct model model;
    struct layout trained;
    struct pool *pool;
    volatile const int *stop; /* NULL: never */
    struct sampler *sampler;
    struct samples batch;
    struct stage stage[OPTION_INTS_MAX];
    int stages, at; /* the open stage; -1: none */
    struct model_state state;
    struct lane lane[TRAINER_LANES_MAX];
    int lanes, pieces;
    struct piece *piece;
    real *p, *m, *v;
    real *dstate; /* summed over lanes */
    double scale; /* of the loss: 1 / (rows x channels) of the batch */
    double rate, clip;
    int64_t step; /* done */
    struct evaluator *evaluators;
    struct arena tables, run, pass; /* layouts; parameters and moments; the open stage */
};

/* The first sample of lane k, of a batch that is cut into lanes. */
static inline int lane_first(int batch, int lanes, int k)
{
    return (int)((int64_t)k * batch / lanes);
}
/* Layout, sizes and descriptor table: what both opening and pricing need.  trainer_close. */
int trainer_open_shape(struct trainer *t, const struct task *task, struct err *e);
/* Carves a lane for up to `samples` samples of `n` positions. */
int lane_open(struct lane *lane, const struct trainer *t, const struct model_state *s, int samples,
              int n, bool backward, struct arena *arena, struct err *e);
/* Points the lane at samples first .. first+count-1 of the set and copies them to real. */
void lane_fill(struct lane *lane, const struct trainer *t, const struct samples *s, int first,
               int count);
/* Fills t->stage: which length, batch and samples belong to which steps. */
void stages_plan(struct trainer *t);
/* Makes the stage of step t->step the open one: its layout, state, lanes and sampler. */
int stage_enter(struct trainer *t, struct err *e);
/* The most lanes that a stage has. */
int stages_lanes(const struct trainer *t);
/* The layout of n positions; t->trained where that is its size. */
int trainer_layout(struct trainer *t, int n, struct layout *out, struct err *e);
/* Bytes of the dearest stage. */
int stages_price(struct trainer *t, size_t *bytes, struct err *e);
/* The loss of t->batch; its gradient is in lane 0's. */
double batch_gradient(struct trainer *t);
/* The mean loss over batches of the open stage's size and its gradient (elements), at the present
 * parameters. */
double trainer_loss_gradient(struct trainer *t, const struct samples *set, int sets,
                             double *gradient);
/* Bytes that polishing takes; 0: there is none. */
size_t polish_price(const struct trainer *t);
double schedule_rate(const struct train_config *c, int64_t step);

#endif
