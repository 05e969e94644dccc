/* A trainer's resumable state as bytes.
 *
 *   "URPECKPT" | version u32 | real size u32 | step i64 | elements u64 | stamp size u64 | stamp |
 *   p | m | v | extra size u64 | extra | SHA-256 of all before it
 *
 * Streams need no place of their own: sample k is a function of (seed, k), and the step says k.
 * Invariant: nothing of the trainer changes unless every byte has been checked. */
#include <string.h>

#include "base/file.h"
#include "train/trainer.h"

static const char magic[8] = {'U', 'R', 'P', 'E', 'C', 'K', 'P', 'T'};
enum { FORMAT_VERSION = 1, DIGEST = 32 };

struct header {
    char magic[8];
    uint32_t version, real_size;
    int64_t step;
    uint64_t elements, stamp_size;
};

struct cursor {
    char *at;
};

static void put(struct cursor *c, const void *bytes, size_t count)
{
    if (count)
        memcpy(c->at, bytes, count);
    c->at += count;
}

int trainer_save(const struct trainer *t, const char *stamp, const void *extra, size_t extra_size,
                 char **bytes, size_t *count, struct err *e)
{
    struct header h = {.version = FORMAT_VERSION, .real_size = sizeof(real), .step = t->step,
                       .elements = t->model.tensors.elements, .stamp_size = strlen(stamp)};
    memcpy(h.magic, magic, sizeof magic);
    size_t block = h.elements * sizeof(real);
    size_t total = sizeof h + h.stamp_size + 3 * block + sizeof(uint64_t) + extra_size + DIGEST;
    uint64_t extra_count = extra_size;
    char *out = memory_alloc(total, 1, e);
    if (!out)
        return ERR_MEMORY;
    struct cursor c = {out};
    put(&c, &h, sizeof h);
    put(&c, stamp, h.stamp_size);
    put(&c, t->p, block);
    put(&c, t->m, block);
    put(&c, t->v, block);
    put(&c, &extra_count, sizeof extra_count);
    put(&c, extra, extra_size);
    hash_bytes((unsigned char *)c.at, out, (size_t)(c.at - out));
    *bytes = out;
    *count = total;
    return 0;
}

static int check_header(const struct trainer *t, const struct header *h, const char *stamp,
                        const char *found, struct err *e)
{
    if (memcmp(h->magic, magic, sizeof magic))
        return err_set(e, ERR_FORMAT, "", "this is no checkpoint");
    if (h->version != FORMAT_VERSION)
        return err_set(e, ERR_FORMAT, "", "checkpoint format %u; this program writes format %d",
                       h->version, FORMAT_VERSION);
    if (h->real_size != sizeof(real) || h->elements != t->model.tensors.elements)
        return err_set(e, ERR_FORMAT, "", "the checkpoint belongs to another model");
    if (h->stamp_size != strlen(stamp) || memcmp(found, stamp, strlen(stamp)))
        return err_set(e, ERR_FORMAT, "", "the checkpoint was made by \"%.*s\"; this is \"%s\"",
                       (int)(h->stamp_size < 200 ? h->stamp_size : 200), found, stamp);
    return 0;
}

int trainer_load(struct trainer *t, const char *stamp, const char *bytes, size_t count,
                 void *extra, size_t extra_capacity, size_t *extra_size, struct err *e)
{
    struct header h;
    unsigned char digest[DIGEST];
    size_t fixed = sizeof h + sizeof(uint64_t) + DIGEST;
    if (count < fixed)
        return err_set(e, ERR_FORMAT, "", "the checkpoint is cut off after %zu bytes", count);
    hash_bytes(digest, bytes, count - DIGEST);
    if (memcmp(digest, bytes + count - DIGEST, DIGEST))
        return err_set(e, ERR_FORMAT, "", "the checkpoint is damaged: its checksum does not match");
    memcpy(&h, bytes, sizeof h);
    if (h.stamp_size > count - fixed)
        return err_set(e, ERR_FORMAT, "", "the checkpoint's stamp is longer than the file");
    const char *at = bytes + sizeof h;
    int code = check_header(t, &h, stamp, at, e);
    if (code)
        return code;
    if (h.step < 0 || h.step > t->task.train.steps)
        return err_set(e, ERR_FORMAT, "", "the checkpoint is of step %lld; expected 0 to %lld",
                       (long long)h.step, (long long)t->task.train.steps);
    at += h.stamp_size;
    size_t block = h.elements * sizeof(real), left = count - fixed - h.stamp_size;
    uint64_t extra_count;
    if (left / 3 < block)
        return err_set(e, ERR_FORMAT, "", "the checkpoint is shorter than its tensors");
    memcpy(&extra_count, at + 3 * block, sizeof extra_count);
    if (extra_count != left - 3 * block || extra_count > extra_capacity)
        return err_set(e, ERR_FORMAT, "", "the checkpoint's history has %llu bytes where %zu are",
                       (unsigned long long)extra_count, left - 3 * block);
    memcpy(t->p, at, block);
    memcpy(t->m, at + block, block);
    memcpy(t->v, at + 2 * block, block);
    if (extra_count)
        memcpy(extra, at + 3 * block + sizeof extra_count, extra_count);
    *extra_size = extra_count;
    t->step = h.step;
    return 0;
}
