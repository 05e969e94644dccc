/* Reading results folders.
 *
 *   specs/<hash>.yaml --> spec_parse --> places: (cell id, experiment) -> spec, index in its grid
 *   cells/<id>/row.csv ------------------> one result_row per place, length and subset
 *
 * Invariant: no file's content is believed before it was checked against the file's name: a spec
 * hashes to its name, and a cell's rows name the folder that they lie in. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "report/label.h"
#include "report/results.h"

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
    struct place *place; /* sorted by id, experiment, index, hash; one per id and experiment */
    int places;
};

/* ---- rows -------------------------------------------------------------------------------------*/
const char *result_text(const struct result_row *row, const char *column)
{
    int k = column_index(column);
    return k >= 0 && row->field[k] ? row->field[k] : "";
}

double result_number(const struct result_row *row, const char *column)
{
    double value;
    return text_to_double(result_text(row, column), &value) ? value : (double)NAN;
}

const struct cell *result_cell(const struct results *r, const struct result_row *row)
{
    return spec_cell(r->spec[row->spec], row->cell);
}

static int compare_cells(const void *a, const void *b)
{
    const struct cell *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

int cell_index_open(struct cell_index *index, const struct spec *s, struct err *e)
{
    index->count = spec_cells(s);
    index->by_id = memory_alloc((size_t)index->count, sizeof *index->by_id, e);
    if (!index->by_id)
        return ERR_MEMORY;
    for (int k = 0; k < index->count; k++)
        index->by_id[k] = spec_cell(s, k);
    qsort(index->by_id, (size_t)index->count, sizeof *index->by_id, compare_cells);
    return 0;
}

void cell_index_close(struct cell_index *index)
{
    memory_free(index->by_id);
    *index = (struct cell_index){0};
}

const struct cell *cell_index_find(const struct cell_index *index, const char *id)
{
    int low = 0, high = index->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(index->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < index->count && strcmp(index->by_id[low]->id, id) == 0;
    return found ? index->by_id[low] : NULL;
}

const struct cell *row_cell_in(const struct result_row *row, const struct spec *s,
                               const struct cell_index *index)
{
    if (strcmp(result_text(row, "experiment"), spec_name(s)) != 0)
        return NULL;
    return cell_index_find(index, result_text(row, "cell"));
}

int subset_rank(const char *subset)
{
    if (strcmp(subset, "all") == 0)
        return 0;
    for (int k = 0; pattern_table[k]; k++)
        if (strcmp(subset, pattern_table[k]->name) == 0)
            return k + 1;
    return -1;
}

void results_append_fields(struct text *out, const char *const *field, int columns)
{
    for (int k = 0; k < RESULT_COUNT; k++)
        csv_field(out, k < columns && field[k] ? field[k] : "");
    csv_end_row(out);
}

/* ---- the rows of a cell -----------------------------------------------------------------------*/
bool row_header_fits(const struct csv *c)
{
    if (c->columns > RESULT_COUNT)
        return false;
    for (int k = 0; k < c->columns; k++)
        if (strcmp(c->row[0][k], column_table[k].name) != 0)
            return false;
    return true;
}

static int64_t length_of(char **row)
{
    int64_t length = 0;
    text_to_int64(row[RESULT_length], &length);
    return length;
}

/* By length, then subset. */
static int compare_fields(const void *a, const void *b)
{
    char **left = *(char **const *)a, **right = *(char **const *)b;
    int64_t difference = length_of(left) - length_of(right);
    if (difference)
        return difference < 0 ? -1 : 1;
    return subset_rank(left[RESULT_subset]) - subset_rank(right[RESULT_subset]);
}

static bool has_row(const struct csv *c, int64_t length, const char *subset)
{
    for (int k = 1; k < c->rows; k++)
        if (length_of(c->row[k]) == length && strcmp(c->row[k][RESULT_subset], subset) == 0)
            return true;
    return false;
}

/* Generic inputs may have no sample when all else is rounded up; every other share has one. */
static bool has_subsets(const struct csv *c, const struct task *t, int64_t length)
{
    bool patterned = false;
    if (!has_row(c, length, "all"))
        return false;
    for (int k = 1; pattern_table[k]; k++) {
        if (t->space.share[k] <= 0)
            continue;
        patterned = true;
        if (!has_row(c, length, pattern_table[k]->name))
            return false;
    }
    return patterned || has_row(c, length, pattern_table[0]->name);
}

static bool has_failed(const struct csv *c)
{
    return RESULT_status < c->columns && strcmp(c->row[1][RESULT_status], "failed") == 0;
}

static bool is_complete(const struct csv *c, const struct task *t)
{
    if (has_failed(c))
        return true;
    if (!has_subsets(c, t, t->space.length))
        return false;
    for (int k = 0; k < t->evaluate.lengths.count; k++)
        if (!has_subsets(c, t, t->evaluate.lengths.value[k]))
            return false;
    return true;
}

const char *cell_rows_check(struct csv *c, const struct cell *cell, bool whole)
{
    int64_t length;
    if (c->rows < 1 || c->columns <= RESULT_subset || !row_header_fits(c))
        return "the header is not that of results.csv";
    if (c->rows < 2)
        return "there are no rows";
    if (!whole)
        return "the last line is cut off";
    for (int k = 1; k < c->rows; k++) {
        char **row = c->row[k];
        if (strcmp(row[RESULT_cell], cell->id) != 0)
            return "a row belongs to another cell";
        if (!text_to_int64(row[RESULT_length], &length) || length < 1)
            return "a length is not a number";
        if (subset_rank(row[RESULT_subset]) < 0)
            return "a subset has an unknown name";
    }
    qsort(c->row + 1, (size_t)c->rows - 1, sizeof *c->row, compare_fields);
    for (int k = 2; k < c->rows; k++)
        if (compare_fields(&c->row[k - 1], &c->row[k]) == 0)
            return "a row is there twice";
    return is_complete(c, &cell->task) ? NULL : "rows are missing";
}

/* ---- skipped files ----------------------------------------------------------------------------*/
int results_skip(struct results *r, const char *path, const char *why, struct err *e)
{
    size_t size = strlen(path) + strlen(why) + 3;
    char *line = arena_alloc(&r->arena, size, 1, e);
    if (!line || memory_grow(r->skipped, (size_t)r->skips + 1, e))
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

static int add_spec(struct results *r, struct spec *s, struct err *e)
{
    if (memory_grow(r->spec, (size_t)r->specs + 1, e))
        return ERR_MEMORY;
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
    else if ((code = add_spec(x->r, s, e)) == 0)
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

/* What a row says of its experiment. */
struct told {
    const char *experiment, *hash, *settings, *axes;
};

static int tell(struct results *r, int spec, int cell, struct told *out, struct err *e)
{
    const struct axes *axes = &r->axes[spec];
    const struct cell *c = spec_cell(r->spec[spec], cell);
    struct text t[2] = {{0}};
    spec_cell_settings(c, axes->key, axes->count, &t[0]);
    axes_append(&t[1], axes, c, NULL);
    int code = text_check(&t[0], e);
    if (!code)
        code = text_check(&t[1], e);
    if (!code) {
        *out = (struct told){spec_name(r->spec[spec]), spec_hash(r->spec[spec]),
                             arena_text(&r->arena, t[0].data ? t[0].data : "", e),
                             arena_text(&r->arena, t[1].data, e)};
        code = out->settings && out->axes ? 0 : ERR_MEMORY;
    }
    text_close(&t[0]);
    text_close(&t[1]);
    return code;
}

static void put(const char **field, const struct told *told)
{
    field[RESULT_experiment] = told->experiment;
    field[RESULT_spec_hash] = told->hash;
    field[RESULT_settings] = told->settings;
    field[RESULT_axes] = told->axes;
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
        struct told told;
        if (!field || tell(r, place->spec, place->cell, &told, e) ||
            memory_grow(r->row, (size_t)r->rows + rows, e))
            return ERR_MEMORY;
        memcpy(field, base, rows * columns * sizeof *field);
        for (int k = 0; k < place->rows; k++)
            r->row[place->first + k].field = NULL;
        place->first = r->rows;
        place->rows = (int)rows;
        place->failed = failed;
        for (size_t i = 0; i < rows; i++) {
            put(field + i * columns, &told);
            r->row[r->rows++] = (struct result_row){.field = field + i * columns,
                                                    .folder = kept,
                                                    .spec = place->spec,
                                                    .cell = place->cell,
                                                    .order = (int)i};
        }
    }
    return 0;
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
    const struct result_row *left = a, *right = b;
    int order = strcmp(left->field[RESULT_experiment], right->field[RESULT_experiment]);
    if (!order)
        order = (left->cell > right->cell) - (left->cell < right->cell);
    if (!order)
        order = strcmp(left->field[RESULT_cell], right->field[RESULT_cell]);
    return order ? order : left->order - right->order;
}

int results_open(struct results *r, const char *const *folder, int folders, struct err *e)
{
    *r = (struct results){0};
    struct reader x = {.r = r};
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
        const struct cell *cell = cell_index_find(&index, field[RESULT_cell]);
        struct told told;
        if (!cell)
            code = err_set(e, ERR_FORMAT, spec_name(s), "no cell has the id %s", field[RESULT_cell]);
        else
            code = tell(r, 0, cell->index, &told, e);
        if (code)
            break;
        put(field, &told);
        r->row[r->rows++] = (struct result_row){.field = field, .cell = cell->index, .order = k};
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
