/* What looking for a witness costs. */
#include "witness/witness.h"

/* Probes look at all pairs of positions, in matrices of so many bytes for each, and take so many
 * nanoseconds for each: 1 to 36 and 60 to 450 were measured.  And at all pairs of channels at each position:
 * 16 and 110, at 512 to 4096 channels. */
enum { PAIR_BYTES = 36, PAIR_STEPS = 300, CHANNELS_BYTES = 16, CHANNELS_STEPS = 110 };

/* A linear map is read off one position after the other; where samples differ in layout or length
 * nothing is looked for. */
void witness_price(const struct target_config *target, const struct space_config *space,
                   double *bytes, double *steps)
{
    const struct target *t = target_of(target);
    double n = space_is_one(space) ? (double)space_positions(space) : 0;
    double channels = n * (double)space->channels * (double)space->channels;
    *bytes = PAIR_BYTES * n * n + CHANNELS_BYTES * channels;
    *steps = PAIR_STEPS * n * n + CHANNELS_STEPS * channels + (t->work && t->evaluate ? n * t->work(target, space) : 0);
}
