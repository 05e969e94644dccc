/* The tables of lib/spec/columns.md are those of the program. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/help_report.h"

/* The rows of a file's columns, without those that it shares with results.csv. */
static void append_rows(struct text *out, const struct column_file *f)
{
    bool results = f == &column_files[FILE_RESULTS];
    for (const struct column *c = f->own ? f->own : f->column; c->name; c++)
        if (results || c->over != OVER_SAME)
            text_append_format(out, "| `%s` | %s |\n", c->name, c->help);
}

static void the_page_has_every_column(void **state)
{
    struct err e = {0};
    char *readme;
    size_t count;
    if (file_read("lib/spec/columns.md", 1 << 20, &readme, &count, &e))
        fail_msg("%s", e.msg);
    for (int k = 0; k < FILE_COUNT; k++) {
        const struct column_file *f = &column_files[k];
        struct text rows = {0};
        char start[64];
        append_rows(&rows, f);
        snprintf(start, sizeof start, "olumns of `%s`", f->name);
        const char *at = strstr(readme, start), *found = at ? strstr(at, rows.data) : NULL;
        if (!found || (found[rows.length] && found[rows.length] != '\n'))
            fail_msg("behind 'Columns of `%s`' columns.md should have just\n%s", f->name, rows.data);
        text_close(&rows);
    }
    memory_free(readme);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_has_every_column)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
