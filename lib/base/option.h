/* One row per key that a spec may hold.  A layer owns its configuration struct and its rows; the
 * parser, --set, `list keys`, `check` and the echo of the resolved spec read nothing else.
 *
 * A configuration struct is plain data, so that copying it copies the configuration.  Where a key
 * picks an entry of a table (an encoding, a target, ...) the field is a struct kind_config: the
 * entry's index and the values of the entry's own options. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_INT,      /* int64_t field */
    OPTION_REAL,     /* double field */
    OPTION_BOOL,     /* bool field */
    OPTION_CHOICE,   /* int field: index into names */
    OPTION_TEXT,     /* struct option_text field */
    OPTION_INT_LIST, /* struct option_ints field; a single number is a list of one */
    OPTION_KIND      /* struct kind_config field; `X: name` is short for `X: {kind: name}` */
};

enum { OPTION_TEXT_MAX = 256, OPTION_INTS_MAX = 64, KIND_OPTIONS_MAX = 12 };

struct option_text {
    char text[OPTION_TEXT_MAX];
};
struct option_ints {
    int count;
    int64_t value[OPTION_INTS_MAX];
};

struct kind_config {
    int kind;                       /* index into the table */
    double number[KIND_OPTIONS_MAX]; /* by row of the entry's options: int, real, bool, choice */
    struct option_text text[2];     /* OPTION_TEXT rows, in their order among the text rows */
};

/* What the option code needs to know of a table of kinds (encodings, targets, spaces ...). */
struct option;
struct kind_table {
    const char *what;                          /* "encoding", for messages */
    int count;
    const char *(*name)(int kind);
    const struct option *(*options)(int kind); /* the entry's own rows, ended by a NULL key */
};

struct option {
    const char *key;          /* relative to the owner's section, dotted: "c.init"; NULL ends a list */
    enum option_type type;
    size_t offset;            /* of the field in the owner's struct; unused in a kind's own rows */
    double min, max;          /* inclusive range for INT, REAL and each of INT_LIST */
    const char *fallback;     /* default, as a spec would say it; NULL: the key is required */
    const char *const *names; /* CHOICE: NULL-terminated */
    const struct kind_table *kinds; /* KIND */
    const char *unit;         /* "tokens", "steps", "" */
    const char *help;         /* one line */
    bool file;                /* TEXT: names a file, relative to the spec; in the owner's struct it is
                                 the value of base/named_file.h, and the content is part of the id */
    bool cosmetic;            /* cannot change a cell's numbers, so it is left out of the cell's id */
    /* Whether the key matters, given the owner's struct; NULL: always.  A key that does not is left
     * out of the cell's id and of the resolved spec (model.c under rpe, say). */
    bool (*applies)(const void *owner);
};

/* Sets every field that the rows describe to its default (a required key keeps what is there). */
void option_defaults(const struct option *rows, void *owner);
/* Sets a kind's own options to their defaults (as numbers: CHOICE by index, BOOL as 0 or 1). */
void option_kind_defaults(const struct option *rows, struct kind_config *kind);
/* Sets a kind by its name, its options to their defaults; false: no such name. */
bool option_set_kind(const struct kind_table *kinds, const char *name, struct kind_config *out);

#endif
