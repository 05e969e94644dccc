/* The curve of a cell and its checkpoint file.
 *
 *   checkpoint = what trainer_save makes of (state, stamp, extra); it carries the checksum
 *   extra      = struct head | points x struct curve_record
 *
 * Invariant: checkpoint_read believes no size in the file that it has not compared with the bytes
 * that are there. */
#include "run/history.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

struct head {
    double seconds, train_seconds, loss, rate, gradient_norm;
    int64_t points;
};

void history_open(struct history *h)
{
    *h = (struct history){.loss = NAN, .rate = NAN, .gradient_norm = NAN};
}

void history_close(struct history *h)
{
    memory_free(h->point);
    history_open(h);
}

bool history_has(const struct history *h, int64_t step)
{
    return h->points > 0 && h->point[h->points - 1].step >= step;
}

int history_add(struct history *h, int64_t step, double error, struct err *e)
{
    if (history_has(h, step))
        return 0;
    if (memory_grow(h->point, (size_t)h->points + 1, e))
        return ERR_MEMORY;
    h->point[h->points++] = (struct curve_record){.step = step, .train_loss = h->loss,
                                                  .error_rel = error, .lr = h->rate,
                                                  .grad_norm = h->gradient_norm};
    return 0;
}

void history_csv(const struct history *h, int digits, struct text *out)
{
    const struct column *own = column_files[FILE_CURVES].own;
    columns_append_header(out, own);
    for (int64_t k = 0; k < h->points; k++) {
        struct curve_record p = h->point[k];
        p.error_rel = isfinite(p.error_rel) ? p.error_rel : NAN;
        columns_append(out, own, &p, NULL, digits);
    }
}

int checkpoint_write(const char *path, const struct network *x, const char *stamp,
                     const struct history *h, double seconds, struct err *e)
{
    struct head head = {seconds, h->train_seconds, h->loss, h->rate, h->gradient_norm, h->points};
    size_t size = sizeof head + (size_t)h->points * sizeof *h->point, count = 0;
    char *bytes = NULL;
    char *extra = memory_alloc(size, 1, e);
    if (!extra)
        return ERR_MEMORY;
    memcpy(extra, &head, sizeof head);
    if (h->points)
        memcpy(extra + sizeof head, h->point, size - sizeof head);
    int code = x->api->save(x->trainer, stamp, extra, size, &bytes, &count, e);
    if (!code)
        code = file_write(path, bytes, count, e);
    memory_free(bytes);
    memory_free(extra);
    return code;
}

static int history_unpack(struct history *h, const char *extra, size_t size, struct err *e)
{
    struct head head;
    if (size < sizeof head)
        return err_set(e, ERR_FORMAT, NULL, "no history in the checkpoint");
    memcpy(&head, extra, sizeof head);
    size_t bytes = size - sizeof head;
    if (head.points < 0 || bytes % sizeof *h->point ||
        bytes / sizeof *h->point != (size_t)head.points)
        return err_set(e, ERR_FORMAT, NULL, "the checkpoint's history has the wrong size");
    struct curve_record *point = memory_alloc((size_t)head.points, sizeof *point, e);
    if (!point)
        return ERR_MEMORY;
    memcpy(point, extra + sizeof head, bytes);
    for (int64_t k = 0; k < head.points; k++) {
        if (point[k].step < 0 || (k && point[k].step <= point[k - 1].step)) {
            memory_free(point);
            return err_set(e, ERR_FORMAT, NULL, "the checkpoint's history is out of order");
        }
    }
    history_close(h);
    *h = (struct history){.seconds = head.seconds, .train_seconds = head.train_seconds,
                          .loss = head.loss, .rate = head.rate,
                          .gradient_norm = head.gradient_norm, .point = point,
                          .points = head.points};
    return 0;
}

int checkpoint_read(const char *path, size_t limit, struct network *x, const char *stamp,
                    struct history *h, struct err *e)
{
    char *bytes = NULL, *extra = NULL;
    size_t count = 0, size = 0;
    int code = file_read(path, limit, &bytes, &count, e);
    if (code)
        return code;
    extra = memory_alloc(count, 1, e); /* what the file holds cannot be longer than the file */
    code = extra ? x->api->load(x->trainer, stamp, bytes, count, extra, count, &size, e)
                 : ERR_MEMORY;
    if (!code)
        code = history_unpack(h, extra, size, e);
    memory_free(extra);
    memory_free(bytes);
    return code;
}
