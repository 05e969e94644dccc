/* The checkpoint reader under libFuzzer: the trainer's state and the history behind it.
 *
 * A checksum guards every byte, and a fuzzer cannot guess it, so it is put right here: the checks
 * behind it must hold for themselves.  Which model it was made for is put right as well, one time
 * in two (by the last bit of the size), so that the tensors and the history are reached.
 * `fuzz_checkpoint --seed FILE` writes a valid one to begin with. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "run/history.h"
#include "run/run.h"
#include "spec/spec.h"
#include "help_fuzz.h"

enum { DIGEST = 32, HEADER = 40, LIMIT = 1 << 20 };
static const char stamp[] = "fuzz";
static const char yaml[] = "space: {length: 2, channels: 1}\ntarget: gain\n"
                           "model: {layers: 1, heads: 1, width: 1, ffn: 1, attention: rpe}\n"
                           "train: {steps: 9, batch: 1}\n";

/* Opened once: a fuzzer calls nothing but LLVMFuzzerTestOneInput. */
static struct {
    struct spec *spec;
    struct network network;
    char header[HEADER], path[64];
    int fd;
} rig;

static int write_seed(const char *path)
{
    struct history h;
    struct err e = {0};
    history_open(&h);
    for (int64_t step = 0; step < 3; step++)
        check(history_add(&h, step, 1, &e) == 0, e.msg);
    check(checkpoint_write(path, &rig.network, stamp, &h, 1, &e) == 0, e.msg);
    history_close(&h);
    return 0;
}

int LLVMFuzzerInitialize(int *count, char ***word)
{
    struct err e = {0};
    char *bytes = NULL;
    size_t size = 0;
    check(spec_parse(&rig.spec, "fuzz.yaml", yaml, strlen(yaml), NULL, 0, &e) == 0, e.msg);
    const struct task *task = &spec_cell(rig.spec, 0)->task;
    struct pool *one = NULL; /* as long as the process */
    check(pool_open(&one, 1, &e) == 0, e.msg);
    check(network_open(&rig.network, task, one, &e) == 0, e.msg);
    const struct network *x = &rig.network;
    check(x->api->save(x->trainer, stamp, NULL, 0, &bytes, &size, &e) == 0, e.msg);
    memcpy(rig.header, bytes, HEADER);
    memory_free(bytes);
    rig.fd = memfd_create("checkpoint", 0);
    check(rig.fd >= 0, "memfd_create");
    snprintf(rig.path, sizeof rig.path, "/proc/self/fd/%d", rig.fd);
    if (*count == 3 && !strcmp((*word)[1], "--seed"))
        exit(write_seed((*word)[2]));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = memory_alloc(size, 1, NULL);
    struct history h;
    struct err e = {0};
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    if (size >= HEADER + DIGEST && size % 2 == 0)
        memcpy(bytes, rig.header, HEADER);
    if (size >= DIGEST)
        hash_bytes(bytes + size - DIGEST, bytes, size - DIGEST);
    check(ftruncate(rig.fd, 0) == 0 && pwrite(rig.fd, bytes, size, 0) == (ssize_t)size, "memfd");
    memory_free(bytes);
    history_open(&h);
    int code = checkpoint_read(rig.path, LIMIT, &rig.network, stamp, &h, &e);
    check(code == 0 || (code == ERR_FORMAT && e.msg[0]), "reason");
    for (int64_t k = 1; code == 0 && k < h.points; k++)
        check(h.point[k].step > h.point[k - 1].step, "order");
    history_close(&h);
    return 0;
}
