/* Rows, their cells and their subsets. */
#include "report/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct row_keys row_keys_of_table(void)
{
    return (struct row_keys){.experiment = column_index("experiment"),
                             .cell = column_index("cell"),
                             .length = column_index("length"),
                             .subset = column_index("subset"),
                             .spec_hash = column_index("spec_hash")};
}

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

void results_append_header(struct text *out)
{
    for (const struct column *c = column_table; c->name; c++)
        csv_field(out, c->name);
    csv_end_row(out);
}

void results_append_fields(struct text *out, const char *const *field)
{
    for (int k = 0; k < RESULT_COUNT; k++)
        csv_field(out, field[k] ? field[k] : "");
    csv_end_row(out);
}

bool is_key(const char *s, const char *key)
{
    size_t length = strlen(key);
    return strncmp(s, key, length) == 0 && (!s[length] || strcmp(s + length, ".kind") == 0);
}
