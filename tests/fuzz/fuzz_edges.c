/* The reader of edge lists under libFuzzer: a file is refused with a line, or every graph of it can
 * be drawn. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spec/spec.h"
#include "help_fuzz.h"

static char yaml[256];
static int fd;

int LLVMFuzzerInitialize(int *count, char ***word)
{
    fd = memfd_create("edges", 0);
    check(fd >= 0, "memfd_create");
    snprintf(yaml, sizeof yaml, "space: {kind: graph, file: /proc/self/fd/%d, channels: 1}\n"
             "target: gain\nmodel: {heads: 1, width: 4, ffn: 4}\n", fd);
    return 0;
}

static void draw(const struct space_config *c)
{
    enum { DRAWS = 4 };
    struct arena a;
    void *state = NULL;
    struct err e = {0};
    check(arena_open(&a, 0, NULL) == 0 && space_of(c)->open(c, &a, &state, &e) == 0, e.msg);
    for (uint64_t k = 0; k < DRAWS; k++) {
        struct layout l;
        struct stream random;
        stream_open(&random, 1, "fuzz", k);
        check(space_of(c)->draw(c, state, (int)c->length, &random, &a, &l, &e) == 0, e.msg);
        check(l.n >= 1 && l.n <= c->length, "size");
    }
    arena_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spec *s = NULL;
    struct err e = {0};
    check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "memfd");
    int code = spec_parse(&s, "fuzz.yaml", yaml, strlen(yaml), NULL, 0, &e);
    check(code == 0 || (code == ERR_USAGE && e.msg[0]) || code == ERR_MEMORY, "reason");
    if (code == 0)
        draw(&spec_cell(s, 0)->task.space);
    spec_close(s);
    return 0;
}
