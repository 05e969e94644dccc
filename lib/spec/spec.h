/* From YAML to cells.  The only user of libyaml.
 *
 * A spec is kept as a tree of nodes with line and column until it has been expanded:
 * defaults < spec < cases < grid < --set.  Everything is checked here, before anything is trained
 * or written: spec_open either gives a spec all of whose cells are sound, or fails with
 * "FILE:LINE:COL: key: what is wrong; what was expected". */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "spec/column.h"
#include "spec/pair.h"
#include "train/train.h"
#include "witness/witness.h"

enum { SPEC_CELLS_MAX = 100000, SPEC_NAME_MAX = 64, SPEC_ID = 17 };

/* Raised whenever the program's numbers can change: same id, same numbers. */
#define SPEC_NUMERICS_VERSION 3

struct cell {
    int index;         /* in the spec's order: cases x grid x seeds, the seed fastest */
    char id[SPEC_ID];  /* 16 hexadecimal digits: hash of what can change the numbers */
    char group[SPEC_ID]; /* the same without the seed: cells that differ in nothing else */
    struct task task;
};

/* ---- claims -----------------------------------------------------------------------------------*/
enum claim_on { CLAIM_ON_RUN, CLAIM_ON_BOUND, CLAIM_ON_WITNESS };
extern const char *const claim_on_names[]; /* as a spec says them, NULL-terminated */
enum claim_operator {
    CLAIM_EQUAL,
    CLAIM_LESS,
    CLAIM_LESS_EQUAL,
    CLAIM_GREATER,
    CLAIM_GREATER_EQUAL
};
struct claim_test {
    int column;              /* index into column_table, or -1: a dotted spec key */
    char key[96];            /* the name as written */
    enum claim_operator op;
    bool number;             /* compare `value`, else `text` */
    double value;
    char text[128];
};
struct claim_where { /* any of `count` values */
    int column;      /* index into column_table, or -1: a dotted spec key */
    char key[96];
    int count;
    char (*value)[128];
};
/* Whether a row has a value that a condition asks for; FIT_ABSENT: it has none there at all. */
enum claim_fit { FIT_NO, FIT_ABSENT, FIT_YES };
/* A condition holds for two rows when it holds for one, and for the other unless that has no value
 * there: model.c under rpe, say. */
static inline bool claim_fit_of_both(enum claim_fit a, enum claim_fit b)
{
    return a != FIT_NO && b != FIT_NO && (a == FIT_YES || b == FIT_YES);
}
/* Whether two texts say the same: as numbers, where both are. */
bool claim_same(const char *a, const char *b);
struct claim {
    enum claim_on on;
    struct pair pair; /* its tests are about differences; no key: about rows themselves */
    int wheres, expects;
    struct claim_where *where;
    struct claim_test *expect;
    int line;
    char text[256]; /* one line for people: "pair ... where ... expect ..." */
};

/* ---- spec -------------------------------------------------------------------------------------*/
struct spec;
/* path "-" reads standard input.  set: "KEY=VALUE" texts. */
int spec_open(struct spec **out, const char *path, const char *const *set, int sets,
              struct err *e);
/* The same of a file in a results folder, which may be a stranger's: it is no pipe, and has no --set. */
int spec_open_kept(struct spec **out, const char *path, struct err *e);
/* The same from memory; `where` stands for the file's name in messages. */
int spec_parse(struct spec **out, const char *where, const char *bytes, size_t count,
               const char *const *set, int sets, struct err *e);
/* The spec `battery` for one class of models: what the section `model` of the spec `path` says (NULL:
 * no such spec) and after it the --set are laid over it, and axes over the same keys go; with
 * model.preset or model.plan all axes over keys of the model.  Of `path` only `model` counts.  ERR_USAGE
 * where it has none, and where its grid or cases vary the model in a key that no --set settles.  Files
 * are named relative to `path`, else to the current folder, but those that the battery itself names. */
int spec_open_class(struct spec **out, const char *battery, const char *path,
                    const char *const *set, int sets, struct err *e);
/* The same with the battery in memory; `where` stands for its name. */
int spec_parse_class(struct spec **out, const char *where, const char *bytes, size_t count,
                     const char *path, const char *const *set, int sets, struct err *e);
void spec_close(struct spec *s);

const char *spec_name(const struct spec *s);
const char *spec_hash(const struct spec *s);          /* 64 hexadecimal digits of spec_text */
int spec_cells(const struct spec *s);                 /* distinct cells */
/* Stays until spec_close, or until it is dropped: who walks over very many cells drops each that
 * nothing points to any more, and they take turns in the same memory.  The first is never dropped. */
const struct cell *spec_cell(const struct spec *s, int index);
void spec_drop_cell(const struct spec *s, int index);
const struct cell *spec_find(const struct spec *s, const char *id); /* NULL: no cell has it */
int spec_claims(const struct spec *s);
const struct claim *spec_claim(const struct spec *s, int index);
/* Whether every claim can be judged: ERR_USAGE at one that no row of the cells will match, or that
 * compares what all matching rows will leave empty.  Not for a spec that --set has cut down to some
 * of its cells, where claims about the others are no mistake. */
int spec_check_claims(const struct spec *s, struct err *e);
/* Whether some cell uses what is said of space.channels and target.vocab, and each exception leaves out
 * some: ERR_USAGE at what none does.
 * Not for a spec that --set has changed, likewise. */
int spec_check_unused(const struct spec *s, struct err *e);
/* Appends a line for each thing that cells allow but hardly mean: FILE:LINE:COL: warning: KEY: WHAT.
 * ERR_MEMORY. */
int spec_doubts(const struct spec *s, struct text *out, struct err *e);
/* The dotted keys that vary over the cells, in the spec's order: cases, then grid, then "seed".
 * Where an axis gives maps, the keys within them that differ (model.encoding.buckets). */
int spec_axes(const struct spec *s);
const char *spec_axis(const struct spec *s, int index);
/* Calls each with every dotted key that the spec gives a value, default or not, outside cases and
 * grid, in the order of the tables ("X.kind" where a kind is picked); stops at a non-zero return and
 * returns it. */
int spec_base(const struct spec *s, int (*each)(void *context, const char *key, const char *value),
              void *context, struct err *e);
/* The names under `figures`, in order; none: the reader chooses. */
int spec_figures(const struct spec *s);
const char *spec_figure(const struct spec *s, int index);
/* FILE:LINE:COL of a dotted key, for errors found later (a cell too large for memory). */
void spec_where(const struct spec *s, const char *key, char *out, size_t size);

/* The whole spec resolved, with grid, cases, claims, figures; reads back to the same cells.  Files
 * are named where a run keeps copies of them. */
int spec_text(const struct spec *s, struct text *out, struct err *e);
/* The same with files named where they were read, so that it runs from the current folder. */
int spec_text_here(const struct spec *s, struct text *out, struct err *e);
/* Sets id and group of a cell whose task was changed.  The task must be sound. */
int spec_cell_identify(struct cell *c, struct err *e);
/* One cell resolved, as a spec of its own without grid. */
int spec_cell_text(const struct cell *c, const char *name, struct text *out, struct err *e);
/* A resolved spec names files by their content, below the folder that it lies in itself: these put
 * copies there, for spec_text and spec_cell_text.  ERR_IO when a file has changed meanwhile. */
int spec_copy_files(const struct spec *s, const char *folder, struct err *e);
/* beside: a folder that may have copies already, as spec_copy_files made them; NULL: none. */
int spec_cell_copy_files(const struct cell *c, const char *folder, const char *beside, struct err *e);
/* Value of a dotted key in a cell, as a spec would say it; a key that picks a kind gives its name,
 * "seed" the seed, a file its name without folders.  false: no such key, or one that does not
 * apply. */
bool spec_value(const struct cell *c, const char *key, char *out, size_t size);

/* Appends "key=value; key=value": what a cell sets otherwise than the defaults, or is of the keys
 * axis (axes), and no column of results.csv shows. */
void spec_cell_settings(const struct cell *c, const char *const *axis, int axes, struct text *out);

/* Every key with type, range, default, unit and help, in order: those at the top, with the keys of a
 * claim as claims.where, then the sections' option tables. */
struct spec_key {
    char key[96];
    const struct option *option;
    const char *type; /* NULL, or what the option's type does not say: "list of maps" */
    const char *kind; /* NULL, or the kind whose own option it is: "t5" */
};
int spec_keys(struct spec_key **out, int *count, struct err *e); /* memory_free *out */

#endif
