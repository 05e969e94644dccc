/* From finished cells to what people read: CSV files, tables in the terminal, claims, figures.
 *
 * A results folder is
 *   specs/<hash>.yaml   what was asked for
 *   cells/<id>/row.csv  what was found: the columns of results.csv, `experiment` and `spec_hash`
 *                       empty, one row per evaluated length and subset
 *   cells/<id>/curve.csv, position.csv, table.csv   the same for the other files, without `cell`
 *
 * Invariant: results.csv and the rest are functions of these alone, so they can be rebuilt at any
 * time, by any process, and come out the same. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/text.h"
#include "spec/spec.h"

/* One row of results.csv, as text; field[k] belongs to column_table[k] (NULL reads as empty). */
struct result_row {
    const char **field;
    const char *folder;    /* the cell's; NULL for rows that came as text */
    bool first;            /* of all rows of the cell, in whatever experiment */
    int spec, cell, order; /* which spec, index in its grid, order within the cell */
};

/* Dotted keys that tell the cells of one experiment apart. */
struct axes {
    const char *const *key; /* (count) */
    int count;
};

struct results {
    struct spec **spec;      /* from all folders, by name, then by where they differ */
    struct axes *axes;       /* (specs) of each: what its name's specs vary, or differ in */
    int specs;
    struct result_row *row;  /* sorted by experiment, index in the grid, spec, length, subset */
    int rows;
    char **skipped;          /* "FILE: why" of half-written and foreign files */
    int skips;
    struct arena arena;      /* owns everything but the specs' insides */
    bool borrowed;           /* the one spec belongs to the caller */
};
/* Reads folders; what cannot be read as what its name says is named in `skipped`, not an error.  A
 * folder without specs or cells is empty; one that does not exist is ERR_IO.  A cell that several
 * specs of one name share appears once, with its lowest index, then of the first spec; a cell in
 * several folders is taken from the first in which it did not fail. */
int results_open(struct results *r, const char *const *folder, int folders, struct err *e);
/* The same from `count` bytes in the form of results.csv, rows of cells of s (which must outlive
 * r); the rows keep their order.  ERR_FORMAT when they are anything else. */
int results_parse(struct results *r, const struct spec *s, const char *bytes, size_t count,
                  struct err *e);
/* The same of a file with some of the columns, in any order, by their names: `cell`, `length` and `subset`
 * must be among them.  Rows of cells that s does not have are left out, and counted in *others. */
int results_parse_some(struct results *r, const struct spec *s, const char *bytes, size_t count,
                       int *others, struct err *e);
void results_close(struct results *r);
const char *result_text(const struct result_row *row, const char *column); /* "" when empty */
double result_number(const struct result_row *row, const char *column);   /* NaN when empty */
const struct cell *result_cell(const struct results *r, const struct result_row *row);
/* Number of cells of s that have rows in r, which came from folders. */
int results_finished(const struct results *r, const struct spec *s);

/* All rows as results.csv, or as a JSON array of objects (empty fields are null). */
int results_csv(struct text *out, const struct results *r, struct err *e);
int results_json(struct text *out, const struct results *r, struct err *e);

/* Rebuilds results.csv, summary.csv, curves.csv, positions.csv, tables.csv of a folder, under its
 * lock.  A file whose content is right already is left alone. */
int report_rebuild(const char *folder, struct err *e);
/* The same five files about what is in the folders `from`, into `folder`, under its lock; opens r,
 * which is zero after a failure. */
int report_merge(const char *folder, const char *const *from, int count, struct results *r,
                 struct err *e);

/* --csv FILE: adds the rows that the results folder has of the cells of s and FILE lacks, by (cell,
 * length, subset), under FILE's lock; those of a failed cell, and with force of every cell, are
 * replaced.  Rows that the folder has too, of other specs say, come in the folder's order, in
 * whatever order they were added.
 * report_shared_check refuses what is no file, or has another header (ERR_USAGE), and a place that
 * cannot be written (ERR_IO); a missing or empty file is fine. */
int report_shared_check(const char *path, struct err *e);
int report_shared_add(const char *path, const char *folder, const struct spec *s, bool force,
                      struct err *e);
/* The same with rows at hand, which are in no folder and replace those that have their names. */
int report_shared_add_rows(const char *path, const struct results *r, const struct spec *s,
                           struct err *e);

/* What text for people is fitted to. */
struct report_screen {
    int width;    /* columns */
    bool colour;  /* verdicts and claims in colour, by ECMA-48 sequences */
    bool unicode; /* signs beyond ASCII are drawn, sparklines say */
};

/* Claims of spec s over rows of its cells.  A claim must hold in every row that it matches; one
 * that matches none has failed.  report_claims judges those made on `on`, prints each as "held" or
 * "NOT HELD" (failed_only: the latter alone), and counts the latter in *broken. */
struct claim_verdict {
    bool held;
    int matched;      /* rows */
    char why[512];    /* for a failed one: which cell broke it and by how much */
};
int claim_judge(const struct spec *s, const struct claim *c, const struct results *r,
                struct claim_verdict *out, struct err *e);
int report_claims(FILE *out, const struct spec *s, enum claim_on on, const struct results *r,
                  const struct report_screen *screen, bool failed_only, int *broken,
                  struct err *e);

/* The table at the end of a run: a line per group of cells that differ in the seed alone, fitted to
 * the screen. */
int report_table(FILE *out, const struct spec *s, const struct results *r,
                 const struct report_screen *screen, struct err *e);

/* ---- figures ----------------------------------------------------------------------------------*/
enum { FIGURE_NAME_MAX = SPEC_NAME_MAX + 32, FIGURE_WHY_MAX = 512 };
struct figures {
    bool scripts, png;              /* wanted: gnuplot's scripts with their data; PNG beside SVG */
    bool drawn;                     /* false: gnuplot is not there */
    char why[FIGURE_WHY_MAX];       /* then a line about it */
    struct text failures;           /* a line for each figure that could not be drawn, and why */
    int failed;                     /* lines */
    char (*name)[FIGURE_NAME_MAX];  /* (count) what was drawn: folder/figures/NAME.svg */
    int count;
};
/* Draws the figures that each experiment's spec names (all where it names none), leaving out those
 * without data; one that fails does not stop the others.  f: zeroed but for what is wanted; report_figures_close frees, also after a
 * failure. */
int report_figures(const char *folder, const struct results *r, struct figures *f, struct err *e);
void report_figures_close(struct figures *f);
/* Name and one line about figure `index`; false behind the last. */
bool report_figure_at(int index, const char **name, const char **title);
/* ERR_USAGE when the spec's `figures` names one that does not exist. */
int report_figures_check(const struct spec *s, struct err *e);

/* Writes folder/report.html, one file that needs nothing else: claims, verdicts, the figures that
 * were drawn (f), specs, machines. */
int report_page(const char *folder, const struct results *r, const struct figures *f,
                struct err *e);

#endif
