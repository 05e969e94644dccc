/* Fixtures of parity/generate.py: what they say of models and samples, and a model beside what PyTorch made of
 * it, outputs and gradients. */
#ifndef TESTS_HELP_PARITY_H
#define TESTS_HELP_PARITY_H
#include "base/safetensors.h"
#include "model/help_model.h"

/* tests/model/parity/FILE.safetensors; fails the test where it cannot be read. */
void parity_open(const char *file, struct safetensors *f);
int parity_cases(const struct safetensors *f);
int parity_integer(const struct safetensors *f, const char *name, int at);
/* All of case k but its kinds. */
struct rig_config parity_sizes(const struct safetensors *f, int k);
/* A rig of the configuration with the fixture's weights, samples and cotangent. */
void parity_rig(struct rig *r, const struct safetensors *f, const struct rig_config *c);
/* How far outputs are from those of case k, over the largest. */
double parity_distance(const struct rig *r, const struct safetensors *f, int k);
/* Fail the test where outputs or a gradient are not those of case k; where one wrong element, in any tensor
 * that outputs depend on, is seen in neither. */
void parity_check(const char *file, const struct safetensors *f, int k, const struct rig_config *c);
void parity_check_wrong(const char *file, const struct safetensors *f, int k, const struct rig_config *c);

#endif
