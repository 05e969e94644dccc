/* softmax: a_ij = exp(s_ij) / sum_k exp(s_ik).
 * Source: Vaswani et al. 2017, eq. 1. */
#include "normaliser/parts.h"

const struct normaliser normaliser_softmax = {
    .name = "softmax",
    .formula = "a_ij = e^s_ij / sum_k e^s_ik",
    .summary = "rows sum to 1",
    .citation = "Vaswani et al. 2017, eq. 1",
    .facts = normaliser_facts_softmax,
};
