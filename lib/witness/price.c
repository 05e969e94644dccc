/* What looking for a witness costs. */
#include "witness/witness.h"

/* Probes look at all pairs of positions, in matrices of so many bytes for each. */
enum { PAIR_BYTES = 16 };

size_t witness_price(int n)
{
    return (size_t)PAIR_BYTES * (size_t)n * (size_t)n;
}
