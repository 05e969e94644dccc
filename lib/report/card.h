/* A card: what one class of models can express, over a battery of targets and kinds of input, and where
 * it stands beside the built-in encodings.  The same figures in words, as a picture and as a page.
 *
 * A battery is a spec.  Its axes over the model, but the encoding, are settings: alone, with C, under
 * a mask ...; its other axes and its cases give the targets. */
#ifndef REPORT_CARD_H
#define REPORT_CARD_H
#include <stdbool.h>

#include "report/report.h"
#include "witness/conditions.h"

/* What is said of a cell; the order is from bad to good, and that of the legend. */
struct card_answer {
    const char *name;          /* as verdicts and proofs are called */
    const char *sign, *plain;  /* on the terminal: in UTF-8, in ASCII */
    const char *colour;        /* there, PAINT_*; NULL: none */
    const char *fill, *ink;    /* in the picture */
    const char *help;
    bool out;                  /* out of reach */
    const char *page;          /* the page's class: its colours are for three answers, its words for all */
};
extern const struct card_answer card_answers[]; /* ended by a NULL name */

struct card_value {
    signed char answer;     /* index into card_answers; -1: there is no such cell */
    double floor, error;    /* relative, or a share of wrong answers, or absolute; NaN: none */
};

struct card_names {
    char **name; /* (count) */
    int count;
};

/* Everything by number: value(encodings,settings,targets,subsets,lengths).  Encoding 0 is the card's
 * own. */
struct card_table {
    struct card_names encoding, setting, target, family, subset, length;
    int *family_of;            /* (targets) */
    struct card_value *value;
    int own_length;            /* the number of the training length */
    int *order;                /* (encodings-1) the others in the order of how much is out of reach, in
                                  the card's first setting, the most first */
    struct arena arena;        /* of all of it */
};

struct card_cost {
    bool measured;
    double ratio, ms[2];       /* the class's time for a step over the other's; of a step: class, other */
    double parameters[2];
    char size[96];             /* "n 128, width 64 ..." */
};

/* Predictions from elsewhere, beside the floors of the class that they should be of. */
struct card_scores {
    int targets;               /* that have some; 0: nothing was predicted */
    long long pairs, apart;    /* that the class merges; that predictions tell apart */
    char worst[256];           /* where they do the most */
};

struct card {
    const char *title;         /* "formula: -a[h] * d" */
    const char *battery;       /* the file */
    const char *command;       /* that makes this card */
    const struct results *own; /* rows of the battery for the class */
    const struct results *others; /* rows of the battery; NULL: why_not says why there are none */
    const char *why_not;
    const char *version;       /* of the program that made them; "": not known */
    int numerics;              /* likewise, SPEC_NUMERICS_VERSION there; 0: not known */
    const struct conditions *conditions; /* NULL: they are not tested for such a class */
    const char *unconditional; /* then why */
    struct card_cost cost;
    struct card_scores scores;
    struct card_table table;
};

/* Fills card->table.  plain: the battery as it is, whose axes over the model are the settings. */
int card_open(struct card *c, const struct spec *plain, struct err *e);
void card_close(struct card *c);

const struct card_value *card_at(const struct card_table *t, int encoding, int setting, int target,
                                 int subset, int length);
/* The setting that tables begin with: the first in which the class has cells. */
int card_setting(const struct card_table *t);
bool card_has(const struct card_table *t, int encoding, int setting);

/* Cells of a family (-1: all) in a setting that are out of reach, and all cells, at all lengths but
 * "all", and of all kinds of input.  beside: only those that some built-in encoding has. */
struct card_count {
    int out, all;
};
struct card_count card_count(const struct card_table *t, int encoding, int setting, int family, bool beside);
/* How two encodings compare in a setting, by their floors, to three digits, in the cells that both have. */
enum card_order { CARD_NONE, CARD_ALIKE, CARD_LOWER, CARD_HIGHER, CARD_MIXED };
/* LOWER: the floors of a are nowhere above those of b, and below some. */
enum card_order card_compare(const struct card_table *t, int setting, int a, int b);

/* Results of built-in encodings as the atlas has them, with a line for each class and target: whether bytes
 * are that; and appends them as rows of results of plain's cells.  *others: lines of cells that it does not
 * have.  *numerics: of the first line, 0 where it does not say.  Columns: encoding, attention, normaliser, mask (MASK+PREFIX), target, where there are several
 * length, layers and seed; a floor for each kind of input, called as it; proof, a letter for each of these
 * (I, B, P, O); witness, the error of explicit weights; version, numerics. */
bool card_is_atlas(const char *bytes);
int card_rows_of_atlas(struct text *rows, const struct spec *plain, const char *bytes, size_t count,
                       int *others, int *numerics, struct err *e);
/* Which version made the results of others, where that is known, and whether this is another. */
void card_append_made(struct text *out, const struct card *c);

/* What was done, for a card's first line: "nothing was trained". */
void card_append_what(struct text *out, const struct card *c);
int card_text(struct text *out, const struct card *c, const struct report_screen *screen, struct err *e);
void card_svg(struct text *out, const struct card *c);
int card_html(struct text *out, const struct card *c, struct err *e);

#endif
