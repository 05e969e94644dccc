/* The atlas's table as rows of results: what shipped results of built-in encodings lie in, since a line for
 * each class and target is a fiftieth of the rows. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "report/card.h"
#include "report/results.h"

enum { VALUE_SIZE = 512, KEY_SIZE = 1024, KEYS = 8 };

/* Columns of the table that tell a cell, and the keys of a spec that they show; one more, which is added
 * behind a plus where it is not none.  Those that a table does not have tell nothing. */
static const struct {
    const char *column, *key, *more;
} told_by[KEYS] = {{"encoding", "model.encoding", NULL}, {"attention", "model.attention", NULL},
                   {"normaliser", "model.normaliser", NULL}, {"mask", "model.mask", "model.prefix"},
                   {"target", "target", NULL}, {"length", "space.length", NULL},
                   {"layers", "model.layers", NULL}, {"seed", "seed", NULL}};

struct named {
    char *key;
    const struct cell *cell;
};

struct atlas {
    struct csv csv;
    const struct spec *plain;
    int at[KEYS];              /* column in the table, or -1 */
    struct named *cell;        /* (cells) sorted by key */
    int cells;
    struct arena arena;
    struct text *rows;
};

bool card_is_atlas(const char *bytes)
{
    return strncmp(bytes, "encoding,", strlen("encoding,")) == 0;
}

static void key_of_cell(const struct atlas *a, const struct cell *c, char out[KEY_SIZE])
{
    char value[VALUE_SIZE];
    size_t used = 0;
    out[0] = '\0';
    for (int k = 0; k < KEYS && used < KEY_SIZE; k++) {
        if (a->at[k] < 0)
            continue;
        if (!spec_value(c, told_by[k].key, value, sizeof value))
            value[0] = '\0';
        used += (size_t)snprintf(out + used, KEY_SIZE - used, "%s", value);
        if (told_by[k].more && used < KEY_SIZE && spec_value(c, told_by[k].more, value, sizeof value) &&
            strcmp(value, "none"))
            used += (size_t)snprintf(out + used, KEY_SIZE - used, "+%s", value);
        if (used < KEY_SIZE)
            used += (size_t)snprintf(out + used, KEY_SIZE - used, "|");
    }
}

static void key_of_line(const struct atlas *a, int row, char out[KEY_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    for (int k = 0; k < KEYS && used < KEY_SIZE; k++)
        if (a->at[k] >= 0)
            used += (size_t)snprintf(out + used, KEY_SIZE - used, "%s|", a->csv.row[row][a->at[k]]);
}

static int compare(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static int name_cells(struct atlas *a, struct err *e)
{
    char key[KEY_SIZE];
    a->cells = spec_cells(a->plain);
    a->cell = arena_alloc(&a->arena, (size_t)a->cells, sizeof *a->cell, e);
    if (!a->cell)
        return ERR_MEMORY;
    for (int k = 0; k < a->cells; k++) {
        const struct cell *c = spec_cell(a->plain, k);
        key_of_cell(a, c, key);
        a->cell[k] = (struct named){arena_text(&a->arena, key, e), c};
        if (!a->cell[k].key)
            return ERR_MEMORY;
    }
    qsort(a->cell, (size_t)a->cells, sizeof *a->cell, compare);
    return 0;
}

static const char *proof_called(char letter)
{
    return letter == 'I' ? "impossible" : letter == 'B' ? "bounded" : letter == 'P' ? "possible" : "open";
}

static const char *cell_text(const struct atlas *a, int row, const char *column)
{
    int at = csv_column(&a->csv, column);
    return at < 0 ? "" : a->csv.row[row][at];
}

/* The row of one kind of input; letter: its proof. */
static void append_row(struct atlas *a, const struct cell *c, int row, int column, char letter)
{
    const char *field[RESULT_COUNT] = {NULL}, *known = cell_text(a, row, "witness");
    char length[TEXT_NUMBER_MAX], ceiling[TEXT_NUMBER_MAX], share[TEXT_NUMBER_MAX];
    double floor, witness;
    bool labels = target_form(&c->task.target).labels;
    if (!text_to_double(a->csv.row[row][column], &floor))
        return;
    field[RESULT_experiment] = spec_name(a->plain);
    field[RESULT_cell] = c->id;
    field[RESULT_subset] = a->csv.row[0][column];
    field[RESULT_length] = length_text(length, c->task.space.length);
    field[RESULT_version] = cell_text(a, row, "version");
    field[RESULT_proof] = proof_called(letter);
    field[RESULT_verdict] = letter == 'I' ? "impossible" : "open";
    field[labels ? RESULT_accuracy_ceiling : RESULT_floor_rel] =
        labels ? text_from_double(ceiling, 1 - floor, 9) : a->csv.row[row][column];
    field[RESULT_witness] = *known ? "known" : "none";
    if (text_to_double(known, &witness))
        field[labels ? RESULT_witness_accuracy : RESULT_witness_rel] =
            labels ? text_from_double(share, 1 - witness, 9) : known;
    results_append_fields(a->rows, field, RESULT_COUNT);
}

static void append_line(struct atlas *a, const struct cell *c, int row)
{
    const char *letter = cell_text(a, row, "proof");
    for (int k = 0; k < a->csv.columns; k++)
        if (subset_rank(a->csv.row[0][k]) > 0 && *letter)
            append_row(a, c, row, k, *letter++);
}

static int append_lines(struct atlas *a, int *others, struct err *e)
{
    char key[KEY_SIZE];
    for (int row = 1; row < a->csv.rows; row++) {
        struct named wanted = {.key = key};
        key_of_line(a, row, key);
        const struct named *found = bsearch(&wanted, a->cell, (size_t)a->cells, sizeof *a->cell, compare);
        if (found)
            append_line(a, found->cell, row);
        *others += !found;
    }
    return text_check(a->rows, e);
}

int card_rows_of_atlas(struct text *rows, const struct spec *plain, const char *bytes, size_t count,
                       int *others, int *numerics, struct err *e)
{
    struct atlas a = {.plain = plain, .rows = rows};
    const char *name[RESULT_COUNT];
    int64_t made = 0;
    *others = *numerics = 0;
    int code = csv_parse(spec_name(plain), bytes, count, &a.csv, e);
    if (code)
        return code;
    if (a.csv.rows > 1 && text_to_int64(cell_text(&a, 1, "numerics"), &made) && made > 0 && made < INT_MAX)
        *numerics = (int)made;
    for (int k = 0; k < RESULT_COUNT; k++)
        name[k] = column_table[k].name;
    for (int k = 0; k < KEYS; k++)
        a.at[k] = csv_column(&a.csv, told_by[k].column);
    results_append_fields(rows, name, RESULT_COUNT);
    code = arena_open(&a.arena, 0, e);
    if (!code)
        code = name_cells(&a, e);
    if (!code)
        code = append_lines(&a, others, e);
    arena_close(&a.arena);
    csv_close(&a.csv);
    return code;
}
