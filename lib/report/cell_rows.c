/* Is a row.csv what its cell must have written.
 *
 * Invariant: a file that was cut off anywhere, even between two lines, is not taken for a
 * result. */
#include <stdlib.h>
#include <string.h>

#include "report/rows.h"

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
    text_to_int64(row[row_keys_of_table().length], &length);
    return length;
}

/* By length, then subset. */
static int compare_fields(const void *a, const void *b)
{
    int subset = row_keys_of_table().subset;
    char **left = *(char **const *)a, **right = *(char **const *)b;
    int64_t difference = length_of(left) - length_of(right);
    if (difference)
        return difference < 0 ? -1 : 1;
    return subset_rank(left[subset]) - subset_rank(right[subset]);
}

static bool has_row(const struct csv *c, int64_t length, const char *subset)
{
    int key = row_keys_of_table().subset;
    for (int k = 1; k < c->rows; k++)
        if (length_of(c->row[k]) == length && strcmp(c->row[k][key], subset) == 0)
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

static bool is_complete(const struct csv *c, const struct task *t)
{
    int status = column_index("status");
    if (status < c->columns && strcmp(c->row[1][status], "failed") == 0)
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
    struct row_keys key = row_keys_of_table();
    int64_t length;
    if (c->rows < 1 || c->columns <= key.subset || !row_header_fits(c))
        return "the header is not that of results.csv";
    if (c->rows < 2)
        return "there are no rows";
    if (!whole)
        return "the last line is cut off";
    for (int k = 1; k < c->rows; k++) {
        char **row = c->row[k];
        if (strcmp(row[key.cell], cell->id) != 0)
            return "a row belongs to another cell";
        if (!text_to_int64(row[key.length], &length) || length < 1)
            return "a length is not a number";
        if (subset_rank(row[key.subset]) < 0)
            return "a subset has an unknown name";
    }
    qsort(c->row + 1, (size_t)c->rows - 1, sizeof *c->row, compare_fields);
    for (int k = 2; k < c->rows; k++)
        if (compare_fields(&c->row[k - 1], &c->row[k]) == 0)
            return "a row is there twice";
    return is_complete(c, &cell->task) ? NULL : "rows are missing";
}
