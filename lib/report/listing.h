/* Tables of text for people and programs: aligned columns in a terminal, CSV, JSON. */
#ifndef REPORT_LISTING_H
#define REPORT_LISTING_H
#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

struct listing_column {
    const char *name;
    bool number; /* right-aligned; a number in JSON */
};

struct listing {
    const struct listing_column *column; /* (columns), the caller's, must outlive the listing */
    int columns;
    char **cell; /* (rows,columns), owned */
    int rows;
    int gap;     /* blanks between columns; 0: two */
    /* The colour of a text in a table (PAINT_*), NULL for none; itself NULL: no colours. */
    const char *(*paint)(const char *value);
};

/* Selects colours of a terminal (ECMA-48, "select graphic rendition"); PAINT_OFF ends each. */
#define PAINT_OFF "\x1b[0m"
#define PAINT_GOOD "\x1b[36m"
#define PAINT_IMPOSSIBLE "\x1b[33m"
#define PAINT_MIXED "\x1b[35m"
#define PAINT_BAD "\x1b[1;31m"

enum listing_format { LISTING_TABLE, LISTING_CSV, LISTING_JSON };

void listing_open(struct listing *l, const struct listing_column *column, int columns);
/* Copies `columns` texts; NULL reads as empty. */
int listing_add(struct listing *l, const char *const *value, struct err *e);
void listing_close(struct listing *l);
/* Whether a column says the same in every row. */
bool listing_constant(const struct listing *l, int column);
/* Empties a column, so that it takes no room in a table. */
void listing_empty(struct listing *l, int column);

/* Columns that the widest line needs in a terminal; columns that are empty in every row are left
 * out of the table, and so take none. */
int listing_width(const struct listing *l);
int listing_column_width(const struct listing *l, int column);
/* Appends all of it.  In a table of at most `width` columns the last column is wrapped; where even
 * that does not fit, each row becomes a block, one line per column. */
int listing_append(struct text *out, const struct listing *l, enum listing_format format, int width,
                   struct err *e);

/* Appends a figure for people: three decimals, or one digit and an exponent for what would vanish:
 * "0.984", "2e-5", "0"; nothing for NaN. */
void append_short(struct text *out, double value);
/* Columns that UTF-8 text takes: its code points. */
int text_columns(const char *s);
/* Appends `s` broken at blanks, so that no line passes `width`; further lines start with `indent`
 * blanks, and the first is taken to start after as many columns.  A word that no line has room for is
 * broken behind '|', '(', ',' or '/'. */
void append_wrapped(struct text *out, const char *s, int indent, int width);
/* A whole text that way, and the end of its last line. */
void append_paragraph(struct text *out, const struct text *t, int width);

#endif
