/* Tables of text.  Invariant: CSV and JSON hold every column, whatever the terminal's width. */
#include "report/listing.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"

enum { GAP = 2, WRAP_MIN = 24 /* a wrapped column narrower than this cannot be read */ };

void listing_open(struct listing *l, const struct listing_column *column, int columns)
{
    *l = (struct listing){.column = column, .columns = columns};
}

int listing_add(struct listing *l, const char *const *value, struct err *e)
{
    size_t columns = (size_t)l->columns;
    if (memory_grow(l->cell, (size_t)(l->rows + 1) * columns, e))
        return ERR_MEMORY;
    char **row = l->cell + (size_t)l->rows * columns;
    for (size_t c = 0; c < columns; c++) {
        row[c] = memory_text(value[c] ? value[c] : "", e);
        if (row[c])
            continue;
        while (c > 0)
            memory_free(row[--c]);
        return ERR_MEMORY;
    }
    l->rows++;
    return 0;
}

bool listing_constant(const struct listing *l, int column)
{
    for (int r = 1; r < l->rows; r++)
        if (strcmp(l->cell[r * l->columns + column], l->cell[column]) != 0)
            return false;
    return true;
}

void listing_empty(struct listing *l, int column)
{
    for (int r = 0; r < l->rows; r++)
        l->cell[r * l->columns + column][0] = '\0';
}

void listing_close(struct listing *l)
{
    for (int k = 0; k < l->rows * l->columns; k++)
        memory_free(l->cell[k]);
    memory_free(l->cell);
    *l = (struct listing){0};
}

static void append_blanks(struct text *out, int count)
{
    for (int k = 0; k < count; k++)
        text_append(out, " ");
}

static int columns_of(const char *s, size_t bytes)
{
    int columns = 0;
    for (size_t k = 0; k < bytes; k++)
        columns += ((unsigned char)s[k] & 0xc0) != 0x80;
    return columns;
}

int text_columns(const char *s)
{
    return columns_of(s, strlen(s));
}

/* The word at s, or, where no line has room for it, as much of it as ends in a sign that it may be
 * broken behind. */
static size_t piece_of(const char *s, int room)
{
    size_t word = strcspn(s, " "), piece = 0;
    if (columns_of(s, word) <= room)
        return word;
    for (size_t k = 1; k < word && columns_of(s, k) <= room; k++)
        if (strchr("|(,/", s[k - 1]))
            piece = k;
    return piece ? piece : word;
}

void append_wrapped(struct text *out, const char *s, int indent, int width)
{
    int at = indent;
    bool fresh = true, glued = false;
    while (*s) {
        size_t piece = piece_of(s, width - indent);
        int columns = columns_of(s, piece), blanks = !fresh && !glued;
        if (!fresh && at + blanks + columns > width) {
            text_append(out, "\n");
            append_blanks(out, indent);
            at = indent;
            blanks = 0;
        }
        append_blanks(out, blanks);
        at += columns + blanks;
        text_append_bytes(out, s, piece);
        fresh = false;
        s += piece;
        glued = *s && *s != ' ';
        s += strspn(s, " ");
    }
}

void append_paragraph(struct text *out, const struct text *t, int width)
{
    append_wrapped(out, t->data ? t->data : "", 0, width);
    text_append(out, "\n");
    out->failed |= t->failed;
}

static const char *cell_at(const struct listing *l, int row, int column)
{
    return l->cell[row * l->columns + column];
}

static int gap_of(const struct listing *l) { return l->gap ? l->gap : GAP; }

/* 0 for a column that is empty everywhere. */
int listing_column_width(const struct listing *l, int column)
{
    int widest = 0, name = text_columns(l->column[column].name);
    for (int r = 0; r < l->rows; r++) {
        int width = text_columns(cell_at(l, r, column));
        if (width > widest)
            widest = width;
    }
    return widest && widest < name ? name : widest;
}

int listing_width(const struct listing *l)
{
    int total = 0;
    for (int c = 0; c < l->columns; c++) {
        int width = listing_column_width(l, c);
        if (width)
            total += width + (total ? gap_of(l) : 0);
    }
    return total;
}

/* One line; the last column is wrapped at `width`. */
static void append_line(struct text *out, const struct listing *l, const int *widths, int last,
                        const char *const *value, int width)
{
    int at = 0;
    for (int c = 0; c <= last; c++) {
        if (!widths[c])
            continue;
        if (at)
            append_blanks(out, gap_of(l));
        at += at ? gap_of(l) : 0;
        int pad = widths[c] - text_columns(value[c]);
        if (l->column[c].number)
            append_blanks(out, pad);
        const char *colour = l->paint ? l->paint(value[c]) : NULL;
        if (colour)
            text_append(out, colour);
        if (c == last && !l->column[c].number)
            append_wrapped(out, value[c], at, width);
        else
            text_append(out, value[c]);
        if (colour)
            text_append(out, PAINT_OFF);
        if (!l->column[c].number && c != last)
            append_blanks(out, pad);
        at += widths[c];
    }
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    text_append(out, "\n");
}

static void append_columns(struct text *out, const struct listing *l, const int *widths, int last,
                           const char **header, int width)
{
    append_line(out, l, widths, last, header, width);
    for (int r = 0; r < l->rows; r++) {
        const char *const *row = (const char *const *)(l->cell + (size_t)r * (size_t)l->columns);
        append_line(out, l, widths, last, row, width);
    }
}

static void append_blocks(struct text *out, const struct listing *l, int width)
{
    for (int r = 0; r < l->rows; r++) {
        text_append_format(out, "%s\n", cell_at(l, r, 0));
        for (int c = 1; c < l->columns; c++) {
            if (!*cell_at(l, r, c))
                continue;
            text_append_format(out, "    %s: ", l->column[c].name);
            append_wrapped(out, cell_at(l, r, c), 6 + text_columns(l->column[c].name), width);
            text_append(out, "\n");
        }
    }
}

static int append_table(struct text *out, const struct listing *l, int width, struct err *e)
{
    int code = 0, last = 0, before = 0;
    int *widths = memory_alloc((size_t)l->columns, sizeof *widths, e);
    const char **header = memory_alloc((size_t)l->columns, sizeof *header, e);
    if (!widths || !header) {
        code = ERR_MEMORY;
        goto out;
    }
    for (int c = 0; c < l->columns; c++) {
        widths[c] = listing_column_width(l, c);
        header[c] = l->column[c].name;
        if (widths[c])
            last = c;
    }
    for (int c = 0; c < last; c++)
        before += widths[c] ? widths[c] + gap_of(l) : 0;
    int room = width - before;
    if (widths[last] <= room || (room >= WRAP_MIN && !l->column[last].number))
        append_columns(out, l, widths, last, header, width);
    else
        append_blocks(out, l, width);
out:
    memory_free(widths);
    memory_free(header);
    return code;
}

static void append_csv(struct text *out, const struct listing *l)
{
    for (int c = 0; c < l->columns; c++)
        csv_field(out, l->column[c].name);
    csv_end_row(out);
    for (int r = 0; r < l->rows; r++) {
        for (int c = 0; c < l->columns; c++)
            csv_field(out, cell_at(l, r, c));
        csv_end_row(out);
    }
}

/* RFC 8259: well-formed whatever bytes come in, provided that they are UTF-8. */
static void append_json_string(struct text *t, const char *value)
{
    text_append(t, "\"");
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p == '"' || *p == '\\')
            text_append_format(t, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            text_append_format(t, "\\u%04x", *p);
        else
            text_append_bytes(t, p, 1);
    }
    text_append(t, "\"");
}

/* null when empty, and where a number is none that JSON has; a text that is no number is a string. */
static void append_json_value(struct text *t, const char *value, bool number)
{
    char digits[TEXT_NUMBER_MAX];
    double parsed;
    bool is_number = number && text_to_double(value, &parsed);
    if (!*value || (is_number && !isfinite(parsed)))
        text_append(t, "null");
    else if (is_number)
        text_append(t, text_from_double_short(digits, parsed));
    else
        append_json_string(t, value);
}

static void append_json(struct text *out, const struct listing *l)
{
    text_append(out, "[");
    for (int r = 0; r < l->rows; r++) {
        text_append(out, r ? ",\n {" : "\n {");
        for (int c = 0; c < l->columns; c++) {
            text_append(out, c ? ", " : "");
            append_json_string(out, l->column[c].name);
            text_append(out, ": ");
            append_json_value(out, cell_at(l, r, c), l->column[c].number);
        }
        text_append(out, "}");
    }
    text_append(out, "\n]\n");
}

int listing_append(struct text *out, const struct listing *l, enum listing_format format, int width,
                   struct err *e)
{
    int code = 0;
    if (format == LISTING_CSV)
        append_csv(out, l);
    else if (format == LISTING_JSON)
        append_json(out, l);
    else
        code = append_table(out, l, width, e);
    return code ? code : text_check(out, e);
}

void append_short(struct text *out, double value)
{
    char number[TEXT_NUMBER_MAX];
    if (isnan(value))
        return;
    if (fabs(value) < 1e-12) {
        text_append(out, "0");
    } else if (fabs(value) >= 1e-3 && fabs(value) < 1e4) {
        text_append_format(out, "%.3f", value);
    } else {
        snprintf(number, sizeof number, "%.0e", value);
        char *exponent = strchr(number, 'e');
        if (!exponent) {
            text_append(out, number);
            return;
        }
        char *digits = exponent + 2;
        while (*digits == '0' && digits[1])
            digits++;
        *exponent = '\0';
        text_append_format(out, "%se%s%s", number, exponent[1] == '-' ? "-" : "", digits);
    }
}
