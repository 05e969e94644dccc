/* Readers of the user's own numbers under libFuzzer: each input as samples (target data) and as
 * predictions to be judged (score).  What is accepted must be read to its end, what is refused needs a
 * reason.  `fuzz_data --seed FILE` writes samples to begin with, whose y are predictions. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/safetensors.h"
#include "run/evaluate.h"
#include "run/score.h"
#include "spec/spec.h"
#include "help_fuzz.h"

enum { SAMPLES = 6, LENGTH = 3 };
static const char model[] = "model: {layers: 1, heads: 1, width: 2, ffn: 2, encoding: alibi}\n"
                            "evaluate: {samples: 6}\n";

/* Opened once: a fuzzer calls nothing but LLVMFuzzerTestOneInput. */
static struct {
    struct spec *judged;
    struct pool *pool;
    char path[64], yaml[512];
    int fd;
} rig;

static int write_seed(const char *path)
{
    static float x[SAMPLES * LENGTH], y[SAMPLES * LENGTH];
    struct err e = {0};
    const struct safetensor tensor[] = {
        {.name = "x", .type = SAFETENSORS_F32, .rank = 3, .shape = {SAMPLES, LENGTH, 1},
         .count = SAMPLES * LENGTH, .data = x},
        {.name = "y", .type = SAFETENSORS_F32, .rank = 3, .shape = {SAMPLES, LENGTH, 1},
         .count = SAMPLES * LENGTH, .data = y}};
    for (int i = 0; i < SAMPLES * LENGTH; i++)
        x[i] = y[i] = (float)(i % 4) / 4;
    check(safetensors_write(path, tensor, 2, NULL, &e) == 0, e.msg);
    return 0;
}

int LLVMFuzzerInitialize(int *count, char ***word)
{
    struct err e = {0};
    if (*count == 3 && !strcmp((*word)[1], "--seed"))
        exit(write_seed((*word)[2]));
    rig.fd = memfd_create("data", 0);
    check(rig.fd >= 0, "memfd_create");
    snprintf(rig.path, sizeof rig.path, "/proc/self/fd/%d", rig.fd);
    snprintf(rig.yaml, sizeof rig.yaml, "space: {length: %d, channels: 1}\n%s"
             "target: {kind: data, file: %s, test: 0.5}\n", LENGTH, model, rig.path);
    char yaml[512];
    snprintf(yaml, sizeof yaml, "space: {length: %d, channels: 1, inputs: {identical: 0.5}}\n%s"
             "target: gain\n", LENGTH, model);
    check(spec_parse(&rig.judged, "fuzz.yaml", yaml, strlen(yaml), NULL, 0, &e) == 0, e.msg);
    check(pool_open(&rig.pool, 1, &e) == 0, e.msg);
    return 0;
}

static void read_samples(void)
{
    struct spec *s = NULL;
    struct evaluation *ev = NULL;
    struct err e = {0};
    int code = spec_parse(&s, "fuzz.yaml", rig.yaml, strlen(rig.yaml), NULL, 0, &e);
    check(code == 0 || (code == ERR_USAGE && e.msg[0]) || code == ERR_MEMORY, "reason");
    if (code == 0) {
        code = evaluation_open_number(&ev, &spec_cell(s, 0)->task, 0, &e);
        check(code == 0 || e.msg[0], "reason of the samples");
    }
    evaluation_close(ev);
    spec_close(s);
}

static void judge_predictions(void)
{
    struct text rows = {0};
    struct score_finding finding = {0};
    struct err e = {0};
    int code = score_cell(rig.judged, spec_cell(rig.judged, 0), rig.pool, rig.path, &rows, &finding, &e);
    check(code == 0 || e.msg[0], "reason");
    check(code != 0 || rows.length > 0, "rows");
    score_finding_close(&finding);
    text_close(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(ftruncate(rig.fd, 0) == 0 && pwrite(rig.fd, data, size, 0) == (ssize_t)size, "memfd");
    judge_predictions();
    read_samples();
    return 0;
}
