/* --csv FILE: one results file that several calls add to.
 *
 * Invariant: the file is read, extended and replaced by the holder of its lock, so that a (cell,
 * length, subset), or one of them and a name of what was scored, is in it once however many calls add
 * at the same time, and the order of the rows is not that of the calls. */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "report/results.h"

enum { SHARED_BYTES_MAX = 1 << 30 };

/* The lock is a hidden file beside the one that it protects. */
static int lock_shared(struct file_lock *lock, const char *path, struct err *e)
{
    char hidden[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int length = snprintf(hidden, sizeof hidden, "%.*s.%s.lock", (int)(name - path), path, name);
    lock->fd = -1;
    if (length < 0 || (size_t)length >= sizeof hidden)
        return err_set(e, ERR_IO, path, "the path is too long");
    return file_lock(lock, hidden, e);
}

/* *c is empty (no rows, not even a header) for a missing or empty file; of an older program, it has
 * fewer columns. */
static int read_shared(const char *path, struct csv *c, struct err *e)
{
    char *bytes = NULL;
    size_t count;
    struct err why = {0};
    *c = (struct csv){0};
    if (!file_exists(path))
        return 0;
    int code = file_read(path, SHARED_BYTES_MAX, &bytes, &count, &why);
    if (!code && count && bytes[count - 1] != '\n')
        code = err_set(&why, ERR_FORMAT, path, "the last line is cut off; complete or delete it");
    if (!code && count)
        code = csv_parse(path, bytes, count, c, &why);
    memory_free(bytes);
    if (code == ERR_FORMAT)
        return err_set(e, ERR_USAGE, why.where, "%s; or name another file", why.msg);
    if (code)
        return err_set(e, code, why.where, "%s", why.msg);
    if (!count)
        return 0;
    if (row_header_fits(c))
        return 0;
    csv_close(c);
    return err_set(e, ERR_USAGE, path,
                   "line 1: the header is not that of results.csv; name another file");
}

int report_shared_check(const char *path, struct err *e)
{
    struct csv c = {0};
    struct file_lock lock = {.fd = -1};
    if (file_exists(path) && !file_is_regular(path))
        return err_set(e, ERR_USAGE, path, "this is no file that can be added to; name another");
    int code = file_check_write(path, e);
    if (!code)
        code = lock_shared(&lock, path, e);
    if (!code)
        code = read_shared(path, &c, e);
    file_unlock(&lock);
    csv_close(&c);
    return code;
}

/* A row, old or new. */
struct shared_row {
    const char *const *field;
    int columns, position;
};

static bool is_scored(const char *const *field)
{
    return !strcmp(field[RESULT_status], "scored");
}

/* Which model of a cell a row is about: of those from elsewhere, by their experiment's name. */
static const char *model_of(const char *const *field)
{
    return is_scored(field) ? field[RESULT_experiment] : "";
}

static int compare_keys(const struct shared_row *a, const struct shared_row *b)
{
    static const int key[] = {RESULT_cell, RESULT_length, RESULT_subset};
    int order = 0;
    for (int k = 0; k < 3 && !order; k++)
        order = strcmp(a->field[key[k]], b->field[key[k]]);
    return order ? order : strcmp(model_of(a->field), model_of(b->field));
}

static int compare_position(const void *a, const void *b)
{
    const struct shared_row *left = a, *right = b;
    return left->position - right->position;
}

/* Equal keys: the one that is to stay comes first. */
static int compare_rows(const void *a, const void *b)
{
    int order = compare_keys(a, b);
    return order ? order : compare_position(a, b);
}

static int compare_known(const void *a, const void *b)
{
    return compare_keys(a, b);
}

/* Whether an old row gives way to new ones of its cell: all of a cell's rows do so together, since a
 * failed cell has fewer. */
static bool gives_way(const char *const *row, const struct spec *s, const bool *renewed,
                      const struct results *r, bool force)
{
    const struct cell *c = spec_find(s, row[RESULT_cell]);
    bool scored = is_scored(r->row[0].field);
    if (is_scored(row) || scored)
        return c && renewed[c->index] && scored && !strcmp(model_of(row), spec_name(s));
    return c && renewed[c->index] && (force || !strcmp(row[RESULT_status], "failed"));
}

/* Old rows that stay, then those rows of s; returns how many.  renewed (spec_cells): false. */
static int gather(struct shared_row *all, const struct csv *old, const struct results *r,
                  const struct spec *s, bool *renewed, bool force)
{
    int count = 0;
    for (int k = 0; k < r->rows; k++) {
        const struct cell *c = row_cell_in(&r->row[k], s);
        if (c)
            renewed[c->index] = true;
    }
    for (int k = 1; k < old->rows; k++) {
        const char *const *row = (const char *const *)old->row[k];
        if (r->rows && gives_way(row, s, renewed, r, force))
            continue;
        all[count] = (struct shared_row){row, old->columns, count};
        count++;
    }
    for (int k = 0; k < r->rows; k++)
        if (row_cell_in(&r->row[k], s)) {
            all[count] = (struct shared_row){r->row[k].field, RESULT_COUNT, count};
            count++;
        }
    return count;
}

/* Keeps the first row of each key, in order; returns how many are left. */
static int keep_one_each(struct shared_row *all, int count)
{
    qsort(all, (size_t)count, sizeof *all, compare_rows);
    int kept = 0;
    for (int k = 0; k < count; k++)
        if (!kept || compare_keys(&all[kept - 1], &all[k]) != 0)
            all[kept++] = all[k];
    qsort(all, (size_t)kept, sizeof *all, compare_position);
    return kept;
}

/* Rows that r has, too, change places among each other until they are in its order.
 * scratch (r->rows + count). */
static void order_as(struct shared_row *all, int count, const struct results *r,
                     struct shared_row *scratch)
{
    struct shared_row *known = scratch, *common = scratch + r->rows;
    int found = 0, next = 0;
    for (int k = 0; k < r->rows; k++)
        known[k] = (struct shared_row){r->row[k].field, RESULT_COUNT, k};
    qsort(known, (size_t)r->rows, sizeof *known, compare_rows);
    for (int k = 0; k < count; k++) {
        const struct shared_row *match =
            bsearch(&all[k], known, (size_t)r->rows, sizeof *known, compare_known);
        all[k].position = match ? match->position : -1;
        if (match)
            common[found++] = all[k];
    }
    qsort(common, (size_t)found, sizeof *common, compare_position);
    for (int k = 0; k < count; k++)
        if (all[k].position >= 0)
            all[k] = common[next++];
}

static int write_shared(const char *path, const struct shared_row *all, int count, struct err *e)
{
    struct text out = {0};
    columns_append_header(&out, column_table);
    for (int k = 0; k < count; k++)
        results_append_fields(&out, all[k].field, all[k].columns);
    int code = text_check(&out, e);
    if (!code)
        code = file_write(path, out.data, out.length, e);
    text_close(&out);
    return code;
}

/* r: what to add, or NULL: what the folder has by then. */
static int add(const char *path, const char *folder, const struct results *r, const struct spec *s,
               bool force, struct err *e)
{
    struct file_lock lock = {.fd = -1};
    struct csv old = {0};
    struct results own = {0};
    struct shared_row *all = NULL, *scratch = NULL;
    bool *renewed = NULL;
    int code = lock_shared(&lock, path, e);
    if (code)
        return code;
    code = read_shared(path, &old, e);
    if (!code && !r) { /* under the lock: whoever has added rows has finished their cells */
        code = results_open(&own, &folder, 1, e);
        r = &own;
    }
    if (code)
        goto out;
    size_t most = (size_t)old.rows + (size_t)r->rows;
    all = memory_alloc(most, sizeof *all, e);
    scratch = memory_alloc(most + (size_t)r->rows, sizeof *scratch, e);
    renewed = memory_alloc((size_t)spec_cells(s), sizeof *renewed, e);
    if (!all || !scratch || !renewed) {
        code = ERR_MEMORY;
        goto out;
    }
    int count = keep_one_each(all, gather(all, &old, r, s, renewed, force));
    order_as(all, count, r, scratch);
    code = write_shared(path, all, count, e);
out:
    results_close(&own);
    memory_free(all);
    memory_free(scratch);
    memory_free(renewed);
    csv_close(&old);
    file_unlock(&lock);
    return code;
}

int report_shared_add(const char *path, const char *folder, const struct spec *s, bool force,
                      struct err *e)
{
    return add(path, folder, NULL, s, force, e);
}

int report_shared_add_rows(const char *path, const struct results *r, const struct spec *s,
                           struct err *e)
{
    return add(path, NULL, r, s, true, e);
}
