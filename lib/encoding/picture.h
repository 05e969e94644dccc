/* A picture of an encoding in numbers: what it makes of the logits of a few equal tokens. */
#ifndef ENCODING_PICTURE_H
#define ENCODING_PICTURE_H
#include "encoding/encoding.h"

enum { ENCODING_PICTURE_N = 4 };

struct encoding_picture {
    /* (i,j): logit of the first of two heads of 8 channels, W_Q = W_K = 1 and all tokens (1,...,1),
     * less the logit without an encoding; NaN where a mask that the encoding needs hides j. */
    double logit[ENCODING_PICTURE_N][ENCODING_PICTURE_N];
    /* 0, 1, ... in order of appearance: pairs that every choice of parameters treats alike. */
    int alike[ENCODING_PICTURE_N][ENCODING_PICTURE_N];
    bool graph; /* the positions are a path in a graph; else a sequence */
};

/* By the encoding's own hooks, with parameters as training starts with them (seed 0).  ERR_USAGE where
 * it refuses the configuration. */
int encoding_picture(const struct kind_config *c, struct encoding_picture *out, struct err *e);

#endif
