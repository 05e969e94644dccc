/* A cell's samples as files, for models that are trained elsewhere. */
#ifndef RUN_SAMPLES_FILE_H
#define RUN_SAMPLES_FILE_H
#include <stdint.h>

#include "spec/spec.h"

/* Writes into folder, which exists, safetensors in the cell's precision:
 *
 *   inputs-LENGTH.safetensors   of each evaluated length, x [N,n,d] or symbols I32 [N,n]; on graphs
 *                               edges I32 [N,edges,2], filled up with -1: what `predict` takes
 *   targets-LENGTH.safetensors  y [N,n,d'] or labels I32 [N,n], without n where a sample has one
 *                               output; subset I32 [N], numbered as the metadata says; length I32
 *                               [N] positions; orbit I32 [N], the sample that each is an image of;
 *                               scored U8 [N,n] where some positions do not count (-100 of labels)
 *   training.safetensors        x, y and, where they are needed, edges, scored and lengths of the first
 *                               `train` training samples, in the form that target data reads; none: 0
 *
 * n is that of the largest sample; what a shorter one lacks is 0, and of labels -100. */
int samples_write(const struct cell *c, const char *folder, int64_t train, struct err *e);

#endif
