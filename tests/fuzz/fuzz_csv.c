/* The CSV reader under libFuzzer: what is accepted has a header and rows of as many fields, and
 * written again it reads back to the same fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "help_fuzz.h"

static void write_again(const struct csv *c, struct text *out)
{
    struct text table = {0};
    for (int r = 0; r < c->rows; r++) {
        for (int k = 0; k < c->columns; k++)
            csv_field(&table, c->row[r][k]);
        csv_end_row(&table);
    }
    text_append(out, "\xEF\xBB\xBF"); /* one mark is skipped, and the table may begin with another */
    text_append_bytes(out, table.data, table.length);
    text_close(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv once, twice;
    struct err e = {0};
    struct text text = {0};
    char *bytes = memory_alloc(size, 1, NULL); /* of this size, so that a read behind it is seen */
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    int code = csv_parse("fuzz", bytes, size, &once, &e);
    memory_free(bytes);
    if (code) {
        check(code == e.code && e.msg[0] && (code == ERR_FORMAT || code == ERR_MEMORY), "reason");
        return 0;
    }
    write_again(&once, &text);
    check(csv_parse("again", text.data, text.length, &twice, &e) == 0, "is refused");
    check(once.rows == twice.rows && once.columns == twice.columns, "reads back to another size");
    for (int r = 0; r < once.rows; r++)
        for (int k = 0; k < once.columns; k++)
            check(!strcmp(once.row[r][k], twice.row[r][k]), "reads back to another field");
    text_close(&text);
    csv_close(&once);
    csv_close(&twice);
    return 0;
}
