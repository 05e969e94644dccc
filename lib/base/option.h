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
    OPTION_PLAN,     /* a list of maps of the section's own keys that are `layered`; of the field only
                        its first member is known here, an int: how many maps, 0 by default */
    OPTION_KIND      /* struct kind_config field; `X: name` is short for `X: {kind: name}` */
};

enum { OPTION_TEXT_MAX = 256, OPTION_INTS_MAX = 64, KIND_OPTIONS_MAX = 12, KIND_TEXTS_MAX = 4 };

struct option_text {
    char text[OPTION_TEXT_MAX];
};
struct option_ints {
    int count;
    int64_t value[OPTION_INTS_MAX];
};

struct kind_config {
    int kind;                        /* index into the table */
    double number[KIND_OPTIONS_MAX]; /* by row of the entry's options: int, real, bool, choice */
    struct option_text text[KIND_TEXTS_MAX]; /* OPTION_TEXT rows, in their order among these */
};

/* What the option code needs to know of a table of kinds (encodings, targets, spaces ...). */
struct option;
struct kind_table {
    const char *what;                          /* "encoding", for messages */
    int count;
    const char *(*name)(int kind);
    const struct option *(*options)(int kind); /* the entry's own rows, ended by a NULL key */
};

/* Defines `const struct kind_table TABLE` of a NULL-terminated array of pointers to structs that
 * have a name and options. */
#define KIND_TABLE(table, what, array)                                                             \
    static const char *kind_name(int kind)                                                         \
    {                                                                                              \
        return array[kind]->name;                                                                  \
    }                                                                                              \
    static const struct option *kind_options(int kind)                                             \
    {                                                                                              \
        return array[kind]->options;                                                               \
    }                                                                                              \
    const struct kind_table table = {what, sizeof array / sizeof *array - 1, kind_name, kind_options}

struct option {
    const char *key;          /* relative to the owner's section, dotted: "c.init"; NULL ends a list */
    enum option_type type;
    size_t offset;            /* of the field in the owner's struct; unused in a kind's own rows */
    double min, max;          /* inclusive range for INT, REAL and each of INT_LIST, within 2^53 */
    const char *fallback;     /* default, as a spec would say it; NULL: the key is required */
    const char *const *names; /* CHOICE: NULL-terminated */
    const struct kind_table *kinds; /* KIND */
    const char *unit;         /* "tokens", "steps"; NULL: none */
    const char *help;         /* one line */
    bool file;                /* TEXT: names a file, relative to the spec; in the owner's struct it is
                                 the value of base/named_file.h, and the content is part of the id */
    bool map;                 /* TEXT: a map of the user's own names in a spec, as {a: 1, b: {c: 2}} here */
    bool cosmetic;            /* cannot change a cell's numbers, so it is left out of the cell's id */
    /* At its default it is left out of the cell's id and of the resolved spec, so that a key that
     * comes later changes neither the ids nor the specs that were made before it.  It has its value
     * all the same: on an axis, in a table, in a claim. */
    bool quiet;
    /* KIND: it was a choice once, and ids call which one it is by the key itself, not `key.kind`. */
    bool was_choice;
    bool layered; /* a map of the section's OPTION_PLAN may give it */
    /* What a key has no meaning without.  One that has none is left out of the cell's id and of the
     * resolved spec, and has no value.  `needs`: another key of the section, not at its
     * default (adversary.steps needs adversary.starts); `applies`: anything else about the owner's
     * struct, or the kind_config (model.c needs urpe); NULL: nothing. */
    const char *needs;
    bool (*applies)(const void *owner);
};

/* The name of choice k of a row of type CHOICE or KIND; NULL after the last. */
const char *option_name(const struct option *row, int k);

struct option_value {
    double number;           /* INT, REAL; BOOL: 0 or 1; CHOICE, KIND: the index */
    const char *text;        /* TEXT */
    struct option_ints ints; /* INT_LIST */
    const void *plan;        /* PLAN: the field of the owner's, or NULL, and then */
    const void *given;       /* what a spec says, as its reader has it; number: how many maps */
};
/* A row's default; false, and nothing of use, where the key is required. */
bool option_default(const struct option *row, struct option_value *out);
bool option_is_default(const struct option *row, const struct option_value *v);
/* To and from the owner's struct; of a KIND only which one it is.  A text that is loaded is the
 * owner's. */
void option_store(const struct option *row, const struct option_value *v, void *owner);
void option_load(const struct option *row, const void *owner, struct option_value *v);
/* The same for `row` of a kind's own rows. */
void option_store_own(const struct option *rows, const struct option *row,
                      const struct option_value *v, struct kind_config *c);
void option_load_own(const struct option *rows, const struct option *row,
                     const struct kind_config *c, struct option_value *v);

/* Sets every field that the rows describe to its default (a required key keeps what is there). */
void option_defaults(const struct option *rows, void *owner);
/* Sets a kind's own options to their defaults (as numbers: CHOICE by index, BOOL as 0 or 1). */
void option_kind_defaults(const struct option *rows, struct kind_config *kind);
/* Sets a kind by its name, its options to their defaults; false: no such name. */
bool option_set_kind(const struct kind_table *kinds, const char *name, struct kind_config *out);

#endif
