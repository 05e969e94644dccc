/* What a cell costs: memory, operations, time.  Nothing is trained or drawn. */
#ifndef RUN_PRICE_H
#define RUN_PRICE_H
#include <stdbool.h>

#include "base/err.h"
#include "train/train.h"

/* Training and the passes over its length; the samples evaluated there, and the points of the curve;
 * everything at other lengths; merging for the floors; the search for the worst case; polishing; the
 * witness; random networks. */
enum price_part { PRICE_TRAINING, PRICE_SAMPLES, PRICE_LENGTHS, PRICE_FLOORS, PRICE_SEARCH,
                  PRICE_POLISH, PRICE_WITNESS, PRICE_NETWORKS, PRICE_PARTS };
struct price_words { /* for people */
    const char *name;
    const char *key, *advice; /* what makes its memory smaller */
};
extern const struct price_words price_words[PRICE_PARTS];

struct price {
    size_t parameters;
    double step_flops;
    double bytes_of[PRICE_PARTS], flops_of[PRICE_PARTS];
    double bytes;         /* memory of a worker, about */
    enum price_part part; /* that takes the most of it */
};

#define STEP_FLOPS 50.0 /* that a product does in a nanosecond, the step of what is no product */

/* All but the witness, which takes a while to find and BLAS; its work bounds its size
 * (evaluate.witness). */
int price_task(const struct task *t, struct price *out, struct err *e);
/* Finds the witness, where the task asks for one and there is one, and adds it to its price.
 * Where looking for it takes longer than so many seconds, only that is added, and *whole is false. */
int price_witness(const struct task *t, double seconds, struct price *p, bool *whole, struct err *e);

/* This machine's speed at matrix products, by their width; measured when first asked for. */
enum { PRICE_SPEEDS_MAX = 6 };
struct price_speeds {
    int width[PRICE_SPEEDS_MAX], count;
    double flops[PRICE_SPEEDS_MAX]; /* per second */
};
/* seconds (PRICE_PARTS) that the parts of a cell take here, one thread; their sum is returned.
 * Negative: no memory.  Calls BLAS, after kernel_open. */
double price_seconds(const struct task *t, const struct price *p, struct price_speeds *speeds,
                     double seconds[PRICE_PARTS], struct err *e);

#endif
