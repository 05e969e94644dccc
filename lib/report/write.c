/* The CSV files of a folder, rebuilt from its cells.
 *
 * Invariant: every file is a function of the cells and specs alone, in the order of the rows, and
 * is written under the folder's lock. */
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/output.h"
#include "report/listing.h"
#include "report/results.h"
#include "report/summary.h"

enum { PART_BYTES_MAX = 256 << 20 };

int results_csv(struct text *out, const struct results *r, struct err *e)
{
    columns_append_header(out, column_table);
    for (int k = 0; k < r->rows; k++)
        results_append_fields(out, r->row[k].field, RESULT_COUNT);
    return text_check(out, e);
}

int results_json(struct text *out, const struct results *r, struct err *e)
{
    struct listing_column column[RESULT_COUNT];
    struct listing l;
    int code = 0;
    for (int k = 0; k < RESULT_COUNT; k++)
        column[k] = (struct listing_column){column_table[k].name, column_table[k].number};
    listing_open(&l, column, RESULT_COUNT);
    for (int k = 0; !code && k < r->rows; k++)
        code = listing_add(&l, r->row[k].field, e);
    if (!code)
        code = listing_append(out, &l, LISTING_JSON, 0, e);
    listing_close(&l);
    return code;
}

static int write_whole(const char *folder, const char *name, const struct results *r,
                       int (*fill)(struct text *out, const struct results *r, struct err *e),
                       struct err *e)
{
    struct output o;
    int code = output_open(&o, folder, name, e);
    if (!code)
        code = fill(&o.buffer, r, e);
    if (!code)
        code = output_commit(&o, e);
    output_close(&o);
    return code;
}

/* ---- what each cell keeps apart ---------------------------------------------------------------*/
/* How many of the columns a header names: an older program's has fewer; 0: it is another's. */
static int header_columns(const struct column *own, const char *header)
{
    for (int count = 0; own[count].name; header++) {
        size_t length = strcspn(header, ",\r\n");
        if (strlen(own[count].name) != length || memcmp(own[count].name, header, length) != 0)
            return 0;
        count++;
        header += length;
        if (*header != ',')
            return count;
    }
    return 0;
}

static int count_fields(const char *line, size_t length)
{
    int count = 1;
    for (size_t k = 0; k < length; k++)
        count += line[k] == ',';
    return count;
}

/* The lines of a source are numbers only, so a comma is a comma.  Checks all before any is copied;
 * returns why not, or NULL. */
static const char *check_part(const struct column_file *f, const char *bytes, size_t count,
                              int *columns)
{
    *columns = header_columns(f->own, bytes);
    if (!*columns)
        return "the header is another";
    if (strlen(bytes) != count || bytes[count - 1] != '\n')
        return "the last line is cut off";
    for (const char *line = bytes; *line; line += strcspn(line, "\n") + 1)
        if (count_fields(line, strcspn(line, "\n")) != *columns)
            return "a line has another number of fields";
    return NULL;
}

/* columns: of the source, which may have fewer than the file. */
static void copy_part(struct text *out, const struct column_file *f, const char *id,
                      const char *bytes, int columns)
{
    for (const char *line = bytes; *(line += strcspn(line, "\n") + 1);) {
        /* An empty field at the start of a line is written as "": here it is not the first. */
        if (strncmp(line, "\"\",", 3) == 0)
            line += 2;
        text_append_format(out, "%s,", id);
        text_append_bytes(out, line, strcspn(line, "\r\n"));
        for (int k = columns; f->own[k].name; k++)
            text_append(out, ",");
        csv_end_row(out);
    }
}

static int add_part(struct output *o, const struct column_file *f, struct results *r,
                    const struct result_row *row, struct err *e)
{
    char path[FILE_PATH_MAX];
    char *bytes = NULL;
    size_t count;
    int columns;
    struct err found = {0};
    int code = file_join(path, sizeof path, row->folder, f->part, e);
    if (code || !file_exists(path))
        return code; /* a failed cell has none */
    code = file_read(path, PART_BYTES_MAX, &bytes, &count, &found);
    if (code == ERR_MEMORY)
        return err_set(e, ERR_MEMORY, path, "%s", found.msg);
    const char *why = code ? found.msg : check_part(f, bytes, count, &columns);
    if (why)
        code = results_skip(r, path, why, e);
    else
        copy_part(&o->buffer, f, result_text(row, "cell"), bytes, columns);
    memory_free(bytes);
    return code ? code : output_flush(o, e);
}

static int write_part(const char *folder, const struct column_file *f, struct results *r,
                      struct err *e)
{
    struct output o;
    int code = output_open(&o, folder, f->name, e);
    if (!code)
        columns_append_header(&o.buffer, f->column);
    for (int k = 0; !code && k < r->rows; k++)
        if (r->row[k].first)
            code = add_part(&o, f, r, &r->row[k], e);
    if (!code)
        code = output_commit(&o, e);
    output_close(&o);
    return code;
}

static int lock_folder(struct file_lock *lock, const char *folder, struct err *e)
{
    char path[FILE_PATH_MAX];
    lock->fd = -1;
    int code = file_join(path, sizeof path, folder, ".results.lock", e);
    return code ? code : file_lock(lock, path, e);
}

static int write_all(const char *folder, struct results *r, struct err *e)
{
    int code = write_whole(folder, column_files[FILE_RESULTS].name, r, results_csv, e);
    if (!code)
        code = write_whole(folder, column_files[FILE_SUMMARY].name, r, summary_csv, e);
    for (int k = FILE_CURVES; !code && k < FILE_COUNT; k++)
        code = write_part(folder, &column_files[k], r, e);
    return code;
}

int report_merge(const char *folder, const char *const *from, int count, struct results *r,
                 struct err *e)
{
    struct file_lock lock;
    *r = (struct results){0};
    int code = file_make_folder(folder, e);
    if (!code)
        code = lock_folder(&lock, folder, e);
    if (code)
        return code;
    /* Read under the lock: a slower process must not put back what a faster one has passed. */
    code = results_open(r, from, count, e);
    if (!code) {
        code = write_all(folder, r, e);
        if (code)
            results_close(r);
    }
    file_unlock(&lock);
    return code;
}

int report_rebuild(const char *folder, struct err *e)
{
    struct results r;
    int code = report_merge(folder, &folder, 1, &r, e);
    if (!code)
        results_close(&r);
    return code;
}
