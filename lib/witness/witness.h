/* Witnesses: weights written down, not trained, that make an ordinary model compute a target.
 *
 * What the target is, is found out by evaluating it (probe.h); what the encoding can do, by calling
 * its hooks (rest.h).  Where no construction is known there is no witness, never a guess.
 * Source: the constructions are the README's section "Witnesses"; the idea of a position signal
 * from C is Luo et al. 2022, proof of Theorem 3. */
#ifndef WITNESS_WITNESS_H
#define WITNESS_WITNESS_H
#include "base/err.h"
#include "model/model.h"
#include "space/space.h"
#include "target/target.h"

struct witness {
    struct model_config config; /* with the witness's own layers, heads, width, ffn; norm none, relu */
    struct construct *built;
};

/* For positions laid out as `trained` (which must outlive the witness).  *out is NULL where no
 * witness is known.  m gives encoding, attention, c, mask, share, precision and `witness`. */
int witness_open(struct witness **out, const struct target_config *target,
                 const struct space_config *space, const struct model_config *m,
                 const struct layout *trained, struct err *e);
void witness_close(struct witness *w); /* NULL is fine */
/* Bytes, and steps of about a nanosecond, that looking for one takes; what it costs as a model, its
 * config says. */
void witness_price(const struct target_config *target, const struct space_config *space,
                   double *bytes, double *steps);
/* Overwrites the parameter block of a model opened with w->config, in that model's precision. */
void witness_write(const struct witness *w, const struct model *m, void *parameters);

#endif
