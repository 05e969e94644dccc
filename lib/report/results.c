/* Reading results folders.
 *
 *   specs/<hash>.yaml --> spec_parse --> specs, by name and hash
 *   cells/<id>/row.csv ----------------> one result_row per experiment that has the cell, length and
 *                                        subset
 *
 * Invariant: no file's content is believed before it was checked against the file's name: a spec
 * hashes to its name, a cell's rows name the folder that they lie in, and a file that was cut off
 * anywhere, even between two lines, is not taken for a result. */
#include "report/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/label.h"

enum { ROW_BYTES_MAX = 64 << 20 };
enum { HASH_DIGITS = HASH_TEXT - 1, PLACE_DIGITS = 16 };

/* A folder that is called like a cell. */
struct found_cell {
    const char *id, *folder;
    int position; /* in the order of the folders that it was found in */
};

struct reader {
    struct results *r;
    struct found_cell *cell;
    int cells;
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

const struct cell *row_cell_in(const struct result_row *row, const struct spec *s)
{
    if (strcmp(row->field[RESULT_experiment], spec_name(s)) != 0)
        return NULL;
    return spec_find(s, row->field[RESULT_cell]);
}

int subset_rank(const char *subset)
{
    if (strcmp(subset, "all") == 0)
        return 0;
    for (int k = 0; pattern_table[k]; k++)
        if (strcmp(subset, pattern_table[k]->name) == 0)
            return k + 1;
    for (int k = 0; k < SHARED_KINDS; k++)
        if (strcmp(subset, shared_table[k]->name) == 0)
            return pattern_count() + 1 + k;
    return -1;
}

void results_append_fields(struct text *out, const char *const *field, int columns)
{
    for (int k = 0; k < RESULT_COUNT; k++)
        csv_field(out, k < columns && field[k] ? field[k] : "");
    csv_end_row(out);
}

bool row_header_fits(const struct csv *c)
{
    for (int k = 0; k < c->columns; k++)
        if (k == RESULT_COUNT || strcmp(c->row[0][k], column_table[k].name) != 0)
            return false;
    return c->columns > RESULT_status;
}

/* ---- the rows of a cell -----------------------------------------------------------------------*/
static int64_t length_of(char *const *row)
{
    return length_of_text(row[RESULT_length]);
}

/* By length, then subset. */
static int compare_fields(const void *a, const void *b)
{
    char **left = *(char **const *)a, **right = *(char **const *)b;
    int64_t a_length = length_of(left), b_length = length_of(right);
    if (a_length != b_length)
        return a_length < b_length ? -1 : 1;
    return subset_rank(left[RESULT_subset]) - subset_rank(right[RESULT_subset]);
}

/* Whether row k is that of a length and subset; then the next one is due. */
static bool take_row(const struct csv *c, int *k, int64_t length, const char *subset)
{
    bool is_it = *k < c->rows && length_of(c->row[*k]) == length &&
                 strcmp(c->row[*k][RESULT_subset], subset) == 0;
    *k += is_it;
    return is_it;
}

/* Takes the rows of a length.  Generic inputs may have no sample when all else is rounded up; every
 * other share has one.  Rows of shared sets came later than others. */
static bool take_length(const struct csv *c, int *next, const struct task *t, int64_t length)
{
    if (!take_row(c, next, length, "all"))
        return false;
    bool generic = take_row(c, next, length, pattern_table[0]->name), patterned = false;
    for (int p = 1; pattern_table[p]; p++) {
        if (t->space.share[p] > 0 && !take_row(c, next, length, pattern_table[p]->name))
            return false;
        patterned |= t->space.share[p] > 0;
    }
    for (int k = 0; k < SHARED_KINDS; k++)
        take_row(c, next, length, shared_table[k]->name);
    return generic || patterned;
}

/* Whether sorted rows are what an evaluated cell must have, once each.  Those of all lengths together
 * came later than others. */
static bool is_complete(const struct csv *c, const struct task *t)
{
    int next = 1;
    for (int k = 0; k < t->evaluate.lengths.count; k++)
        if (!take_length(c, &next, t, t->evaluate.lengths.value[k]))
            return false;
    return next == c->rows || (take_length(c, &next, t, LENGTH_ALL) && next == c->rows);
}

/* What is wrong, or NULL. */
static const char *check_rows(struct csv *c, const struct cell *cell, bool *failed)
{
    if (!row_header_fits(c))
        return "the header is not that of results.csv";
    if (c->rows < 2)
        return "there are no rows";
    *failed = false;
    for (int k = 1; k < c->rows; k++) {
        if (strcmp(c->row[k][RESULT_cell], cell->id) != 0)
            return "a row belongs to another cell";
        *failed |= strcmp(c->row[k][RESULT_status], "failed") == 0;
    }
    qsort(c->row + 1, (size_t)c->rows - 1, sizeof *c->row, compare_fields);
    return *failed || is_complete(c, &cell->task) ? NULL : "rows are missing, or there twice";
}

int cell_rows_read(const char *folder, const struct cell *cell, struct csv *c, bool *failed,
                   struct err *e)
{
    char path[FILE_PATH_MAX], *bytes = NULL;
    size_t count = 0;
    *c = (struct csv){0};
    int code = file_join(path, sizeof path, folder, "row.csv", e);
    if (!code && !file_exists(path))
        return err_set(e, ERR_FORMAT, folder, "unfinished: no row.csv yet");
    if (!code)
        code = file_read(path, ROW_BYTES_MAX, &bytes, &count, e);
    if (!code)
        code = csv_parse(path, bytes, count, c, e);
    const char *why = NULL;
    if (!code && (!count || bytes[count - 1] != '\n'))
        why = "the last line is cut off";
    else if (!code)
        why = check_rows(c, cell, failed);
    if (why)
        code = err_set(e, ERR_FORMAT, path, "%s", why);
    memory_free(bytes);
    if (code)
        csv_close(c);
    return code;
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

/* ---- folders ----------------------------------------------------------------------------------*/
static bool has_spec(const struct results *r, const char *hash)
{
    for (int k = 0; k < r->specs; k++)
        if (strncmp(spec_hash(r->spec[k]), hash, HASH_DIGITS) == 0)
            return true;
    return false;
}

static int read_spec(struct reader *x, const char *path, const char *name, struct err *e)
{
    struct results *r = x->r;
    struct err found = {0};
    struct spec *s = NULL;
    if (is_hexadecimal(name, PLACE_DIGITS) && !name[PLACE_DIGITS])
        return 0; /* a folder of files that a spec names */
    if (!is_hexadecimal(name, HASH_DIGITS) || strcmp(name + HASH_DIGITS, ".yaml") != 0)
        return results_skip(r, path, "the name is not that of a spec", e);
    if (has_spec(r, name))
        return 0;
    int code = spec_open_kept(&s, path, &found);
    if (code)
        return skip_error(r, path, &found, e);
    bool same = strncmp(spec_hash(s), name, HASH_DIGITS) == 0;
    code = same ? memory_grow(r->spec, (size_t)r->specs + 1, e)
                : results_skip(r, path, "the content does not hash to the file's name: it was "
                                        "changed, or written by another version", e);
    if (same && !code)
        r->spec[r->specs++] = s;
    else
        spec_close(s);
    return code;
}

static int find_cell(struct reader *x, const char *path, const char *name, struct err *e)
{
    struct arena *arena = &x->r->arena;
    if (!is_hexadecimal(name, SPEC_ID - 1) || name[SPEC_ID - 1])
        return results_skip(x->r, path, "the name is not that of a cell", e);
    if (memory_grow(x->cell, (size_t)x->cells + 1, e))
        return ERR_MEMORY;
    struct found_cell *c = &x->cell[x->cells];
    *c = (struct found_cell){arena_text(arena, name, e), arena_text(arena, path, e), x->cells};
    x->cells++;
    return c->id && c->folder ? 0 : ERR_MEMORY;
}

/* Calls `each` for every name in folder/sub; nothing when that is not there. */
static int each_name(struct reader *x, const char *folder, const char *sub,
                     int (*each)(struct reader *x, const char *path, const char *name,
                                 struct err *e),
                     struct err *e)
{
    char base[FILE_PATH_MAX], path[FILE_PATH_MAX], **names = NULL;
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

static int look_into(struct reader *x, const char *folder, struct err *e)
{
    int code = file_check_folder(folder, "a results folder", e);
    code = code ? code : each_name(x, folder, "specs", read_spec, e);
    return code ? code : each_name(x, folder, "cells", find_cell, e);
}

/* ---- from cells to rows -----------------------------------------------------------------------*/
/* The fields of rows 1.. of c in one block: field k of row i at [(i - 1) columns + k]. */
static const char **keep_fields(struct arena *arena, const struct csv *c, struct err *e)
{
    size_t columns = (size_t)RESULT_COUNT, rows = (size_t)c->rows - 1, bytes = 0;
    for (size_t i = 1; i <= rows; i++)
        for (int k = 0; k < c->columns; k++)
            bytes += strlen(c->row[i][k]) + 1;
    const char **field = arena_alloc(arena, rows * columns, sizeof *field, e);
    char *text = arena_alloc(arena, bytes, 1, e);
    for (size_t i = 0; field && text && i < rows; i++)
        for (int k = 0; k < c->columns; k++) {
            size_t size = strlen(c->row[i + 1][k]) + 1;
            field[i * columns + (size_t)k] = memcpy(text, c->row[i + 1][k], size);
            text += size;
        }
    return text ? field : NULL;
}

/* Fills in what rows say of their experiment: field (rows,columns) are those of one cell. */
static int tell(struct results *r, int spec, int cell, const char **field, int rows,
                struct err *e)
{
    const struct spec *s = r->spec[spec];
    const struct axes *axes = &r->axes[spec];
    struct text settings = {0}, varied = {0};
    spec_cell_settings(spec_cell(s, cell), axes->key, axes->count, &settings);
    text_append(&settings, "");
    axes_append(&varied, axes, spec_cell(s, cell), NULL);
    varied.failed |= settings.failed;
    int code = text_check(&varied, e);
    const char *kept[2] = {NULL, NULL};
    if (!code) {
        kept[0] = arena_text(&r->arena, settings.data, e);
        kept[1] = arena_text(&r->arena, varied.data, e);
        code = kept[0] && kept[1] ? 0 : ERR_MEMORY;
    }
    for (int i = 0; !code && i < rows; i++, field += RESULT_COUNT) {
        field[RESULT_experiment] = spec_name(s);
        field[RESULT_spec_hash] = spec_hash(s);
        field[RESULT_settings] = kept[0];
        field[RESULT_axes] = kept[1];
    }
    text_close(&settings);
    text_close(&varied);
    return code;
}

/* The rows of a cell as those of one experiment. */
static int add_rows(struct results *r, int spec, int cell, const struct csv *c,
                    const char *folder, bool first, struct err *e)
{
    int rows = c->rows - 1;
    const char **field = keep_fields(&r->arena, c, e);
    if (!field || memory_grow(r->row, (size_t)(r->rows + rows), e) ||
        tell(r, spec, cell, field, rows, e))
        return ERR_MEMORY;
    for (int i = 0; i < rows; i++, field += RESULT_COUNT)
        r->row[r->rows++] = (struct result_row){.field = field,
                                                .folder = folder,
                                                .first = first && i == 0,
                                                .spec = spec,
                                                .cell = cell,
                                                .order = i};
    return 0;
}

/* Once for each experiment that has the cell, where its index is lowest. */
static int add_cell(struct results *r, const struct found_cell *found, const struct csv *c,
                    struct err *e)
{
    int code = 0;
    for (int k = 0, end, first = 1; !code && k < r->specs; k = end) {
        int best = -1, index = 0;
        for (end = k; end < r->specs; end++) {
            if (strcmp(spec_name(r->spec[k]), spec_name(r->spec[end])) != 0)
                break;
            const struct cell *cell = spec_find(r->spec[end], found->id);
            if (cell && (best < 0 || cell->index < index))
                best = end, index = cell->index;
        }
        if (best < 0)
            continue;
        code = add_rows(r, best, index, c, found->folder, first, e);
        first = 0;
    }
    return code;
}

static const struct cell *cell_of(const struct results *r, const char *id)
{
    const struct cell *c = NULL;
    for (int k = 0; !c && k < r->specs; k++)
        c = spec_find(r->spec[k], id);
    return c;
}

/* A cell that was found in several folders (count): from the first in which it did not fail, since
 * the same id means the same numbers. */
static int read_cell(struct results *r, const struct found_cell *found, int count, struct err *e)
{
    const struct cell *cell = cell_of(r, found->id);
    const struct found_cell *taken = NULL;
    struct csv rows = {0};
    bool failed = true;
    int code = 0;
    for (int k = 0; !code && failed && k < count; k++) {
        struct err why = {0};
        struct csv here;
        if (!cell)
            code = results_skip(r, found[k].folder, "no spec in specs/ has this cell", e);
        else if (cell_rows_read(found[k].folder, cell, &here, &failed, &why)) {
            code = skip_error(r, why.where, &why, e);
            failed = true;
        } else if (taken && failed) {
            csv_close(&here);
        } else {
            csv_close(&rows);
            rows = here;
            taken = &found[k];
        }
    }
    if (!code && taken)
        code = add_cell(r, taken, &rows, e);
    csv_close(&rows);
    return code;
}

static int compare_found(const void *a, const void *b)
{
    const struct found_cell *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order ? order : left->position - right->position;
}

static int read_cells(struct reader *x, struct err *e)
{
    int code = 0;
    if (x->cells)
        qsort(x->cell, (size_t)x->cells, sizeof *x->cell, compare_found);
    for (int k = 0, end; !code && k < x->cells; k = end) {
        for (end = k + 1; end < x->cells && !strcmp(x->cell[k].id, x->cell[end].id);)
            end++;
        code = read_cell(x->r, &x->cell[k], end - k, e);
    }
    return code;
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int compare_specs(const void *a, const void *b)
{
    struct spec *const *left = a, *const *right = b;
    int order = strcmp(spec_name(*left), spec_name(*right));
    return order ? order : strcmp(spec_hash(*left), spec_hash(*right));
}

/* Of several specs of one name, those with the lower index in their grid first, then by spec. */
static int compare_rows(const void *a, const void *b)
{
    const struct result_row *left = a, *right = b;
    int order = strcmp(left->field[RESULT_experiment], right->field[RESULT_experiment]);
    if (!order)
        order = (left->cell > right->cell) - (left->cell < right->cell);
    if (!order)
        order = left->spec - right->spec;
    return order ? order : left->order - right->order;
}

int results_open(struct results *r, const char *const *folder, int folders, struct err *e)
{
    *r = (struct results){0};
    struct reader x = {.r = r};
    int code = arena_open(&r->arena, 0, e);
    for (int k = 0; !code && k < folders; k++)
        code = look_into(&x, folder[k], e);
    if (r->specs)
        qsort(r->spec, (size_t)r->specs, sizeof *r->spec, compare_specs);
    if (!code)
        code = axes_open(r, e);
    if (!code)
        axes_sort(r);
    if (!code)
        code = read_cells(&x, e);
    if (!code && r->rows)
        qsort(r->row, (size_t)r->rows, sizeof *r->row, compare_rows);
    memory_free(x.cell);
    if (code)
        results_close(r);
    return code;
}

static int parse(struct results *r, const struct spec *s, const struct csv *c, struct err *e)
{
    r->spec = memory_alloc(1, sizeof *r->spec, e);
    r->row = memory_alloc((size_t)c->rows, sizeof *r->row, e);
    const char **field = keep_fields(&r->arena, c, e);
    if (!r->spec || !r->row || !field)
        return ERR_MEMORY;
    memcpy(r->spec, &s, sizeof s); /* read only while borrowed */
    r->specs = 1;
    int code = axes_open(r, e);
    for (int k = 1, rows; k < c->rows && !code; k += rows, field += rows * RESULT_COUNT) {
        const struct cell *cell = spec_find(s, field[RESULT_cell]);
        if (!cell)
            return err_set(e, ERR_FORMAT, spec_name(s), "no cell has the id %s", field[RESULT_cell]);
        for (rows = 0; k + rows < c->rows && strcmp(c->row[k + rows][RESULT_cell], cell->id) == 0; rows++)
            r->row[r->rows++] = (struct result_row){.field = field + rows * RESULT_COUNT, .cell = cell->index,
                                                    .order = k + rows};
        code = tell(r, 0, cell->index, field, rows, e);
    }
    return code;
}

int results_parse(struct results *r, const struct spec *s, const char *bytes, size_t count,
                  struct err *e)
{
    *r = (struct results){.borrowed = true};
    struct csv c = {0};
    int code = arena_open(&r->arena, 0, e);
    if (!code)
        code = csv_parse(spec_name(s), bytes, count, &c, e);
    if (!code && (c.rows < 1 || !row_header_fits(&c) || c.columns != RESULT_COUNT))
        code = err_set(e, ERR_FORMAT, spec_name(s), "the header is not that of results.csv");
    if (!code)
        code = parse(r, s, &c, e);
    csv_close(&c);
    if (code)
        results_close(r);
    return code;
}

/* A line of the file in the form of results.csv; at (RESULT_COUNT): its column there, or -1. */
static void append_whole(struct text *out, const struct csv *c, int row, const int *at)
{
    const char *field[RESULT_COUNT];
    for (int k = 0; k < RESULT_COUNT; k++)
        field[k] = at[k] < 0 ? "" : c->row[row][at[k]];
    results_append_fields(out, field, RESULT_COUNT);
}

static int complete(const struct csv *c, const struct spec *s, struct text *out, int *others, struct err *e)
{
    int at[RESULT_COUNT];
    const char *name[RESULT_COUNT];
    for (int k = 0; k < RESULT_COUNT; k++) {
        name[k] = column_table[k].name;
        at[k] = c->rows ? csv_column(c, name[k]) : -1;
    }
    for (const int *need = (const int[]){RESULT_cell, RESULT_length, RESULT_subset, -1}; *need >= 0; need++)
        if (at[*need] < 0)
            return err_set(e, ERR_FORMAT, spec_name(s), "there is no column %s", name[*need]);
    results_append_fields(out, name, RESULT_COUNT);
    for (int k = 1; k < c->rows; k++) {
        bool own = spec_find(s, c->row[k][at[RESULT_cell]]);
        *others += !own;
        if (own)
            append_whole(out, c, k, at);
    }
    return text_check(out, e);
}

int results_parse_some(struct results *r, const struct spec *s, const char *bytes, size_t count,
                       int *others, struct err *e)
{
    struct csv c = {0};
    struct text whole = {0};
    *others = 0;
    int code = csv_parse(spec_name(s), bytes, count, &c, e);
    if (!code)
        code = complete(&c, s, &whole, others, e);
    csv_close(&c);
    if (!code)
        code = results_parse(r, s, whole.data, whole.length, e);
    text_close(&whole);
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

int results_finished(const struct results *r, const struct spec *s)
{
    int finished = 0;
    for (int k = 0; k < r->rows; k++) /* the first row of each cell that the experiment has */
        finished += r->row[k].order == 0 && row_cell_in(&r->row[k], s);
    return finished;
}
