/* Tables as RFC 4180 describes them, with lines that end in "\n" (and "\r\n" read as well).
 * Invariant: what csv_field and csv_end_row wrote, csv_parse reads back unchanged. */
#include "base/csv.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { READ_MAX = 1 << 30 };

/* ---- writing ----------------------------------------------------------------------------------*/

void csv_field(struct text *t, const char *value)
{
    bool first = t->length == 0 || t->data[t->length - 1] == '\n';
    if (!first)
        text_append(t, ",");
    /* An empty first field is quoted, or the next one would take itself for the first. */
    if (strpbrk(value, ",\"\r\n") == NULL && !(first && *value == '\0')) {
        text_append(t, value);
        return;
    }
    text_append(t, "\"");
    for (const char *quote; (quote = strchr(value, '"')) != NULL; value = quote + 1) {
        text_append_bytes(t, value, (size_t)(quote - value));
        text_append(t, "\"\"");
    }
    text_append(t, value);
    text_append(t, "\"");
}

void csv_field_double(struct text *t, double value, int digits)
{
    char number[TEXT_NUMBER_MAX];
    csv_field(t, isnan(value) ? "" : text_from_double(number, value, digits));
}

void csv_field_int(struct text *t, long long value)
{
    char number[TEXT_NUMBER_MAX];
    snprintf(number, sizeof number, "%lld", value);
    csv_field(t, number);
}

void csv_end_row(struct text *t)
{
    text_append(t, "\n");
}

/* ---- reading ----------------------------------------------------------------------------------*/

/* Fields are unquoted in place: `write` never overtakes `read`. */
struct parser {
    const char *where;
    char *read, *write, *end;
    int line; /* of the input, from 1 */
    char **field;
    size_t count;
};

static int parse_error(const struct parser *p, int line, const char *what, struct err *e)
{
    return err_set(e, ERR_FORMAT, p->where, "line %d: %s", line, what);
}

static int field_add(struct parser *p, char *start, struct err *e)
{
    if (memory_grow(p->field, p->count + 1, e))
        return ERR_MEMORY;
    p->field[p->count++] = start;
    return 0;
}

static int quoted_part(struct parser *p, struct err *e)
{
    int opened = p->line;
    for (p->read++; p->read < p->end; p->read++) {
        if (*p->read == '"') {
            if (p->read[1] != '"') {
                p->read++;
                return 0;
            }
            p->read++;
        }
        p->line += *p->read == '\n';
        *p->write++ = *p->read;
    }
    return parse_error(p, opened, "a quoted field does not end", e);
}

static bool at_field_end(const struct parser *p)
{
    return p->read == p->end || *p->read == ',' || *p->read == '\n' ||
           (*p->read == '\r' && (p->read + 1 == p->end || p->read[1] == '\n'));
}

/* Reads one field and what ends it; *last: it was the last of its line. */
static int field_read(struct parser *p, bool *last, struct err *e)
{
    char *start = p->write;
    int rc = field_add(p, start, e);
    if (rc == 0 && p->read < p->end && *p->read == '"')
        rc = quoted_part(p, e);
    else
        while (rc == 0 && !at_field_end(p)) {
            if (*p->read == '"')
                rc = parse_error(p, p->line, "a quote inside a field that is not quoted", e);
            *p->write++ = *p->read++;
        }
    if (rc == 0 && !at_field_end(p))
        rc = parse_error(p, p->line, "text behind the closing quote of a field", e);
    if (rc != 0)
        return rc;
    *last = p->read == p->end || *p->read != ',';
    if (p->read < p->end && *p->read == '\r')
        p->read++;
    if (p->read < p->end && *p->read++ == '\n')
        p->line++;
    *p->write++ = '\0';
    return 0;
}

/* All rows; *columns is the header's number of fields. */
static int rows_read(struct parser *p, size_t *columns, struct err *e)
{
    *columns = 0;
    while (p->read < p->end) {
        int line = p->line;
        size_t first = p->count;
        bool last = false;
        while (!last) {
            int rc = field_read(p, &last, e);
            if (rc != 0)
                return rc;
        }
        size_t fields = p->count - first;
        if (first == 0)
            *columns = fields;
        else if (fields != *columns)
            return err_set(e, ERR_FORMAT, p->where, "line %d: %zu fields; the header has %zu", line,
                           fields, *columns);
    }
    if (p->count == 0)
        return err_set(e, ERR_FORMAT, p->where, "the table is empty; a header line was expected");
    if (p->count > INT_MAX)
        return err_set(e, ERR_FORMAT, p->where, "the table has too many fields");
    return 0;
}

int csv_parse(const char *where, const char *bytes, size_t count, struct csv *out, struct err *e)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some spreadsheets put it before their UTF-8 */
    *out = (struct csv){0};
    struct parser p = {.where = where, .line = 1};
    size_t columns, room;
    int rc = 0;
    if (count >= 3 && memcmp(bytes, mark, 3) == 0) {
        bytes += 3;
        count -= 3;
    }
    if (count > 0 && memchr(bytes, '\0', count) != NULL)
        return err_set(e, ERR_FORMAT, where, "not a text file: it holds a NUL byte");
    if (!memory_add(count, 2, &room) || (out->bytes = memory_alloc(room, 1, e)) == NULL)
        return ERR_MEMORY;
    if (count > 0)
        memcpy(out->bytes, bytes, count);
    p.read = p.write = out->bytes;
    p.end = out->bytes + count;

    rc = rows_read(&p, &columns, e);
    if (rc != 0)
        goto out;
    size_t rows = p.count / columns;
    out->row = memory_alloc(rows, sizeof *out->row, e);
    if (out->row == NULL) {
        rc = ERR_MEMORY;
        goto out;
    }
    for (size_t r = 0; r < rows; r++)
        out->row[r] = p.field + r * columns;
    out->rows = (int)rows;
    out->columns = (int)columns;
    p.field = NULL;
out:
    memory_free(p.field);
    if (rc != 0)
        csv_close(out);
    return rc;
}

int csv_read(const char *path, struct csv *out, struct err *e)
{
    char *bytes;
    size_t count;
    *out = (struct csv){0};
    int rc = file_read(path, READ_MAX, &bytes, &count, e);
    if (rc != 0)
        return rc;
    rc = csv_parse(path, bytes, count, out, e);
    memory_free(bytes);
    return rc;
}

int csv_column(const struct csv *c, const char *name)
{
    for (int i = 0; i < c->columns; i++)
        if (strcmp(c->row[0][i], name) == 0)
            return i;
    return -1;
}

void csv_close(struct csv *c)
{
    if (c->row != NULL)
        memory_free(c->row[0]); /* one block for the fields of all rows */
    memory_free(c->row);
    memory_free(c->bytes);
    *c = (struct csv){0};
}
