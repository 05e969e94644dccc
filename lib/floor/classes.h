/* What a pair (i,j) of positions is to a layer, as a small number: its relation class.
 * Invariant: ids are dense and shared by all layouts of a set, so that classes of different samples
 * can be compared. */
#ifndef FLOOR_CLASSES_H
#define FLOOR_CLASSES_H
#include <stdbool.h>
#include <stdint.h>

#include "floor/floor.h"
#include "floor/intern.h"

/* Classes on one layout, by relation where the class of layers is relative, else by pair; negative
 * where i does not see j. */
struct layout_classes {
    const struct layout *layout;
    int32_t *class;    /* (relations) or (n,n) */
    /* (relations) weight[class[r]] of classes_weigh, where a row is one piece of `class` and has no
     * holes; else NULL */
    uint32_t *weight;
    bool relative;
    int low, high;     /* i sees none but i+low .. i+high */
    bool holes;        /* and not each of these */
    bool uniform;      /* no holes, and all that is seen is of one class */
    bool lone;         /* each row that sees anything sees some factor of its weights once */
};

struct classes {
    int layouts;
    struct layout_classes *item; /* (layouts) the distinct layouts of the set */
    int32_t *of_sample;          /* (count) index into item */
    struct intern ids;           /* ids.count classes */
    int32_t *value, *factor;     /* (classes) number of key[1], and of key[0] and key[2] */
    int32_t *exponent;           /* (classes) key[0]; NULL without FLOOR_POWERS */
};

/* Fills t for all samples of s, in arena a; t->ids is released with intern_close, also after a
 * failure. */
int classes_open(struct classes *t, const struct floor_class *c, const struct floor_set *s,
                 struct arena *a, struct err *e);

/* weight (classes): a number for each, laid out as rows are read. */
int classes_weigh(struct classes *t, const uint32_t *weight, struct arena *a, struct err *e);

/* Row i: what it sees lies in first .. first+count-1. */
struct class_row {
    int first, count;
    const int32_t *class; /* (count) */
};
/* scratch (n) may be where the classes are; NULL: they are not wanted. */
struct class_row classes_row(const struct layout_classes *l, int i, int32_t *scratch);

#endif
