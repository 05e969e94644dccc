/* Reading results folders.
 *
 *   specs/<hash>.yaml --> spec_parse --> places: (cell id, experiment) -> spec, index in its grid
 *   cells/<id>/row.csv ------------------> one result_row per place, length and subset
 *
 * Invariant: no file's content is believed before it was checked against the file's name: a spec
 * hashes to its name, and a cell's rows name the folder that they lie in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "report/rows.h"

enum { SPEC_BYTES_MAX = 64 << 20, ROW_BYTES_MAX = 64 << 20 };
enum { HASH_DIGITS = HASH_TEXT - 1, PLACE_DIGITS = 16 };

/* Where a cell stands in one experiment. */
struct place {
    const char *id, *experiment, *hash;
    int spec, cell;
    int first, rows; /* of it in results, so far */
    bool failed;     /* these say that it failed */
};

struct reader {
    struct results *r;
    struct row_keys key;
    struct place *place; /* sorted by id, experiment, index, hash; one per id and experiment */
    int places, row_capacity, spec_capacity;
};

/* ---- skipped files ----------------------------------------------------------------------------*/
int results_skip(struct results *r, const char *path, const char *why, struct err *e)
{
    /* Doubles at each power of two, so that no capacity need be kept. */
    if ((r->skips & (r->skips - 1)) == 0) {
        size_t capacity = r->skips ? 2 * (size_t)r->skips : 1;
        char **grown = memory_resize(r->skipped, capacity, sizeof *grown, e);
        if (!grown)
            return ERR_MEMORY;
        r->skipped = grown;
    }
    size_t size = strlen(path) + strlen(why) + 3;
    char *line = arena_alloc(&r->arena, size, 1, e);
    if (!line)
        return ERR_MEMORY;
    snprintf(line, size, "%s: %s", path, why);
    r->skipped[r->skips++] = line;
    return 0;
}

/* An error that concerns one file only becomes a skip; running out of memory does not. */
static int skip_error(struct results *r, const char *path, const struct err *found, struct err *e)
{
    if (found->code == ERR_MEMORY)
        return err_set(e, ERR_MEMORY, path, "%s", found->msg);
    return results_skip(r, path, found->msg, e);
}

static bool is_hexadecimal(const char *s, size_t digits)
{
    return strlen(s) >= digits && strspn(s, "0123456789abcdef") == digits;
}

/* ---- specs ------------------------------------------------------------------------------------*/
static bool has_spec(const struct results *r, const char *hash)
{
    for (int k = 0; k < r->specs; k++)
        if (strcmp(spec_hash(r->spec[k]), hash) == 0)
            return true;
    return false;
}

static int add_spec(struct reader *x, struct spec *s, struct err *e)
{
    struct results *r = x->r;
    if (r->specs == x->spec_capacity) {
        int capacity = x->spec_capacity ? 2 * x->spec_capacity : 8;
        struct spec **grown = memory_resize(r->spec, (size_t)capacity, sizeof *grown, e);
        if (!grown)
            return ERR_MEMORY;
        r->spec = grown;
        x->spec_capacity = capacity;
    }
    r->spec[r->specs++] = s;
    return 0;
}

static int read_spec(struct reader *x, const char *path, const char *name, struct err *e)
{
    struct err found = {0};
    struct spec *s = NULL;
    char *bytes = NULL, hash[HASH_TEXT];
    size_t count;
    if (is_hexadecimal(name, PLACE_DIGITS) && !name[PLACE_DIGITS])
        return 0; /* a folder of files that a spec names */
    if (!is_hexadecimal(name, HASH_DIGITS) || strcmp(name + HASH_DIGITS, ".yaml") != 0)
        return results_skip(x->r, path, "the name is not that of a spec", e);
    memcpy(hash, name, HASH_DIGITS);
    hash[HASH_DIGITS] = '\0';
    if (has_spec(x->r, hash))
        return 0;
    int code = file_read(path, SPEC_BYTES_MAX, &bytes, &count, &found);
    if (!code)
        code = spec_parse(&s, path, bytes, count, NULL, 0, &found);
    memory_free(bytes);
    if (code)
        return skip_error(x->r, path, &found, e);
    if (strcmp(spec_hash(s), hash) != 0)
        code = results_skip(x->r, path, "the content does not hash to the file's name: it was "
                                        "changed, or written by another version", e);
    else if ((code = add_spec(x, s, e)) == 0)
        return 0;
    spec_close(s);
    return code;
}

/* Calls `each` for every name in folder/sub; nothing when that is not there. */
static int each_name(struct reader *x, const char *folder, const char *sub,
                     int (*each)(struct reader *x, const char *path, const char *name,
                                 struct err *e),
                     struct err *e)
{
    char base[4096], path[4096], **names = NULL;
    size_t count = 0;
    int code = file_join(base, sizeof base, folder, sub, e);
    if (code || !file_exists(base))
        return code;
    code = file_list(base, &names, &count, e);
    for (size_t k = 0; !code && k < count; k++) {
        if (names[k][0] == '.')
            continue; /* locks and files in the making */
        code = file_join(path, sizeof path, base, names[k], e);
        if (!code)
            code = each(x, path, names[k], e);
    }
    file_free_names(names, count);
    return code;
}

/* ---- places -----------------------------------------------------------------------------------*/
static int compare_places(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    if (!order)
        order = strcmp(left->experiment, right->experiment);
    if (!order)
        order = (left->cell > right->cell) - (left->cell < right->cell);
    return order ? order : strcmp(left->hash, right->hash);
}

static int compare_specs(const void *a, const void *b)
{
    struct spec *const *left = a, *const *right = b;
    int order = strcmp(spec_name(*left), spec_name(*right));
    return order ? order : strcmp(spec_hash(*left), spec_hash(*right));
}

static int place_cells(struct reader *x, struct err *e)
{
    struct results *r = x->r;
    size_t total = 0;
    if (r->specs)
        qsort(r->spec, (size_t)r->specs, sizeof *r->spec, compare_specs);
    for (int k = 0; k < r->specs; k++)
        total += (size_t)spec_cells(r->spec[k]);
    x->place = memory_alloc(total, sizeof *x->place, e);
    if (!x->place)
        return ERR_MEMORY;
    struct place *next = x->place;
    for (int k = 0; k < r->specs; k++)
        for (int c = 0; c < spec_cells(r->spec[k]); c++)
            *next++ = (struct place){.id = spec_cell(r->spec[k], c)->id,
                                     .experiment = spec_name(r->spec[k]),
                                     .hash = spec_hash(r->spec[k]),
                                     .spec = k,
                                     .cell = spec_cell(r->spec[k], c)->index};
    qsort(x->place, total, sizeof *x->place, compare_places);
    for (size_t k = 0; k < total; k++) {
        struct place *last = x->place + x->places - 1, *here = x->place + k;
        if (x->places && strcmp(last->id, here->id) == 0 &&
            strcmp(last->experiment, here->experiment) == 0)
            continue;
        x->place[x->places++] = *here;
    }
    return 0;
}

static struct place *first_place(struct reader *x, const char *id)
{
    int low = 0, high = x->places;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(x->place[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < x->places && strcmp(x->place[low].id, id) == 0 ? x->place + low : NULL;
}

/* ---- rows -------------------------------------------------------------------------------------*/
static int reserve_rows(struct reader *x, int more, struct err *e)
{
    struct results *r = x->r;
    if (r->rows + more <= x->row_capacity)
        return 0;
    int capacity = 2 * x->row_capacity + more;
    struct result_row *grown = memory_resize(r->row, (size_t)capacity, sizeof *grown, e);
    if (!grown)
        return ERR_MEMORY;
    r->row = grown;
    x->row_capacity = capacity;
    return 0;
}

/* The fields of rows 1.. of c in one block: field k of row i at [(i - 1) columns + k]. */
static const char **keep_fields(struct arena *arena, const struct csv *c, struct err *e)
{
    size_t columns = (size_t)RESULT_COUNT, rows = (size_t)c->rows - 1, bytes = 0;
    for (size_t i = 1; i <= rows; i++)
        for (int k = 0; k < c->columns; k++)
            bytes += strlen(c->row[i][k]) + 1;
    const char **field = arena_alloc(arena, rows * columns, sizeof *field, e);
    char *text = arena_alloc(arena, bytes, 1, e);
    if (!field || !text)
        return NULL;
    for (size_t i = 0; i < rows; i++) {
        for (int k = 0; k < c->columns; k++) {
            size_t size = strlen(c->row[i + 1][k]) + 1;
            memcpy(text, c->row[i + 1][k], size);
            field[i * columns + (size_t)k] = text;
            text += size;
        }
    }
    return field;
}

/* The rows of one cell, once for each experiment that has it, in place of those that say that it
 * failed elsewhere. */
static int add_rows(struct reader *x, struct place *place, const struct csv *c, const char *folder,
                    bool failed, struct err *e)
{
    struct results *r = x->r;
    size_t columns = (size_t)RESULT_COUNT, rows = (size_t)c->rows - 1;
    char *kept = arena_text(&r->arena, folder, e);
    const char **base = kept ? keep_fields(&r->arena, c, e) : NULL;
    if (!base)
        return ERR_MEMORY;
    const char *id = place->id;
    for (; place < x->place + x->places && strcmp(place->id, id) == 0; place++) {
        const char **field = arena_alloc(&r->arena, rows * columns, sizeof *field, e);
        if (!field || reserve_rows(x, (int)rows, e))
            return ERR_MEMORY;
        memcpy(field, base, rows * columns * sizeof *field);
        for (int k = 0; k < place->rows; k++)
            r->row[place->first + k].field = NULL;
        place->first = r->rows;
        place->rows = (int)rows;
        place->failed = failed;
        for (size_t i = 0; i < rows; i++) {
            field[i * columns + (size_t)x->key.experiment] = place->experiment;
            field[i * columns + (size_t)x->key.spec_hash] = place->hash;
            r->row[r->rows++] = (struct result_row){.field = field + i * columns,
                                                    .folder = kept,
                                                    .spec = place->spec,
                                                    .cell = place->cell,
                                                    .order = (int)i};
        }
    }
    return 0;
}

static bool has_failed(const struct csv *c)
{
    int status = column_index("status");
    return status < c->columns && strcmp(c->row[1][status], "failed") == 0;
}

/* Leaves out the rows that others have replaced. */
static void drop_replaced(struct results *r)
{
    int kept = 0;
    for (int k = 0; k < r->rows; k++)
        if (r->row[k].field)
            r->row[kept++] = r->row[k];
    r->rows = kept;
}

static int read_cell(struct reader *x, const char *path, const char *name, struct err *e)
{
    char file[4096];
    struct err found = {0};
    struct csv c = {0};
    char *bytes = NULL;
    size_t count = 0;
    if (!is_hexadecimal(name, SPEC_ID - 1) || name[SPEC_ID - 1])
        return results_skip(x->r, path, "the name is not that of a cell", e);
    struct place *place = first_place(x, name);
    if (!place)
        return results_skip(x->r, path, "no spec in specs/ has this cell", e);
    if (place->rows && !place->failed)
        return 0; /* another folder had it: same id, same numbers */
    int code = file_join(file, sizeof file, path, "row.csv", e);
    if (code)
        return code;
    if (!file_exists(file))
        return results_skip(x->r, path, "unfinished: no row.csv yet", e);
    code = file_read(file, ROW_BYTES_MAX, &bytes, &count, &found);
    if (!code)
        code = csv_parse(file, bytes, count, &c, &found);
    if (code) {
        code = skip_error(x->r, file, &found, e);
    } else {
        bool whole = count > 0 && bytes[count - 1] == '\n';
        const struct cell *cell = spec_cell(x->r->spec[place->spec], place->cell);
        const char *why = cell_rows_check(&c, cell, whole);
        if (why)
            code = results_skip(x->r, file, why, e);
        else if (!place->rows || !has_failed(&c))
            code = add_rows(x, place, &c, path, has_failed(&c), e);
    }
    csv_close(&c);
    memory_free(bytes);
    return code;
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int compare_rows(const void *a, const void *b)
{
    struct row_keys key = row_keys_of_table();
    const struct result_row *left = a, *right = b;
    int order = strcmp(left->field[key.experiment], right->field[key.experiment]);
    if (!order)
        order = (left->cell > right->cell) - (left->cell < right->cell);
    if (!order)
        order = strcmp(left->field[key.cell], right->field[key.cell]);
    return order ? order : left->order - right->order;
}

int results_open(struct results *r, const char *const *folder, int folders, struct err *e)
{
    *r = (struct results){0};
    struct reader x = {.r = r, .key = row_keys_of_table()};
    int code = arena_open(&r->arena, 0, e);
    for (int k = 0; !code && k < folders; k++) {
        if (!file_exists(folder[k]))
            code = err_set(e, ERR_IO, folder[k], "there is no such folder");
        else if (access(folder[k], R_OK | X_OK) != 0)
            code = err_set(e, ERR_IO, folder[k], "%s", err_system(errno));
        else
            code = each_name(&x, folder[k], "specs", read_spec, e);
    }
    if (!code)
        code = place_cells(&x, e);
    if (!code)
        code = axes_open(r, e);
    for (int k = 0; !code && k < folders; k++)
        code = each_name(&x, folder[k], "cells", read_cell, e);
    drop_replaced(r);
    if (!code && r->rows)
        qsort(r->row, (size_t)r->rows, sizeof *r->row, compare_rows);
    memory_free(x.place);
    if (code)
        results_close(r);
    return code;
}

int results_parse(struct results *r, const struct spec *s, const char *bytes, size_t count,
                  struct err *e)
{
    *r = (struct results){.borrowed = true};
    struct row_keys key = row_keys_of_table();
    struct cell_index index = {0};
    struct csv c = {0};
    const char **field = NULL;
    int code = arena_open(&r->arena, 0, e);
    if (!code)
        code = csv_parse(spec_name(s), bytes, count, &c, e);
    if (!code && (c.rows < 1 || !row_header_fits(&c) || c.columns != RESULT_COUNT))
        code = err_set(e, ERR_FORMAT, spec_name(s), "the header is not that of results.csv");
    if (!code)
        code = cell_index_open(&index, s, e);
    if (code)
        goto out;
    r->spec = memory_alloc(1, sizeof *r->spec, e);
    r->row = memory_alloc((size_t)c.rows, sizeof *r->row, e);
    field = keep_fields(&r->arena, &c, e);
    if (!r->spec || !r->row || !field) {
        code = ERR_MEMORY;
        goto out;
    }
    memcpy(r->spec, &s, sizeof s); /* read only while borrowed */
    r->specs = 1;
    code = axes_open(r, e);
    for (int k = 1; k < c.rows && !code; k++, field += RESULT_COUNT) {
        const struct cell *cell = cell_index_find(&index, field[key.cell]);
        if (!cell)
            code = err_set(e, ERR_FORMAT, spec_name(s), "no cell has the id %s", field[key.cell]);
        else
            r->row[r->rows++] =
                (struct result_row){.field = field, .cell = cell->index, .order = k};
    }
out:
    cell_index_close(&index);
    csv_close(&c);
    if (code)
        results_close(r);
    return code;
}

void results_close(struct results *r)
{
    for (int k = 0; !r->borrowed && k < r->specs; k++)
        spec_close(r->spec[k]);
    memory_free(r->spec);
    memory_free(r->row);
    memory_free(r->skipped);
    arena_close(&r->arena);
    *r = (struct results){0};
}

int results_finished(const struct results *r, const struct spec *s, int *finished, struct err *e)
{
    struct cell_index index;
    const char *last = "";
    *finished = 0;
    int code = cell_index_open(&index, s, e);
    if (code)
        return code;
    for (int k = 0; k < r->rows; k++) { /* the rows of one cell are neighbours */
        const char *id = result_text(&r->row[k], "cell");
        if (strcmp(id, last) != 0 && row_cell_in(&r->row[k], s, &index))
            ++*finished;
        last = id;
    }
    cell_index_close(&index);
    return 0;
}
