/* A command is a const struct in a file of its own and a line in command_table; the options it
 * takes are rows of one table, from which they are parsed and --help is written.
 *
 * Invariant: data goes to standard output or files, messages to standard error; a command returns
 * an error code (negative) or an exit status, and only main ends the program. */
#ifndef URPE_PROBE_COMMAND_H
#define URPE_PROBE_COMMAND_H
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "report/listing.h"
#include "report/report.h"

/* Rows of the table of options, as bits of command.options. */
enum flag_bit {
    FLAG_SET = 1 << 0,
    FLAG_OUT = 1 << 1,
    FLAG_CSV = 1 << 2,
    FLAG_JOBS = 1 << 3,
    FLAG_THREADS = 1 << 4,
    FLAG_SHARD = 1 << 5,
    FLAG_NO_CLAIMS = 1 << 6,
    FLAG_FORMAT = 1 << 7,
    FLAG_QUIET = 1 << 8,
    FLAG_NO_PROGRESS = 1 << 9,
    FLAG_FORCE = 1 << 10,
    FLAG_FAIL_FAST = 1 << 11, /* and --keep-going */
    FLAG_INPUT = 1 << 12,
    FLAG_OUTPUT = 1 << 13,
    FLAG_FIGURES = 1 << 14, /* --gnuplot and --png */
    FLAG_COLOR = 1 << 15
};

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct arguments {
    const char **set;     /* (sets) "KEY=VALUE" */
    const char **operand; /* (operands) */
    int sets, operands;
    const char *out, *csv, *input, *output; /* NULL: not given */
    int jobs, threads;     /* 0: not given */
    int shard, shards;     /* 0, 1: not given */
    bool no_claims, quiet, no_progress, force, fail_fast, gnuplot, png;
    enum listing_format format;
    enum color_choice color;
};

struct command {
    const char *name, *operands; /* "SPEC", "DIR..." */
    const char *summary;         /* one line */
    const char *details;         /* paragraphs for --help, separated by newlines */
    unsigned options;            /* flag bits */
    int operands_min, operands_max;
    int (*run)(const struct arguments *a, struct err *e);
};
extern const struct command *const command_table[]; /* NULL-terminated */

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 }; /* a cell failed or a claim did not hold; usage */

/* ---- arguments.c ------------------------------------------------------------------------------*/
/* Reads what follows the command's name.  *help: --help was there, and nothing else counts.
 * ERR_USAGE.  arguments_close frees, also after a failure. */
int arguments_parse(struct arguments *a, const struct command *c, int count, char **word,
                    bool *help, struct err *e);
void arguments_close(struct arguments *a);
/* --help of one command, and of all. */
int help_command(const struct command *c, struct text *out, struct err *e);
int help_program(struct text *out, struct err *e);
/* The options that command c takes (NULL: all there are), from index 0; false behind the last. */
struct command_option {
    const char *name, *value, *help; /* "--out"; "DIR", NULL for a flag; one sentence */
};
bool command_option_at(const struct command *c, int index, struct command_option *out);
extern const char program_summary[]; /* one paragraph */
struct exit_meaning {
    const char *status, *meaning;
};
extern const struct exit_meaning exit_table[]; /* ended by a NULL status */
/* The command of that name; NULL with e filled, the nearest name in it. */
const struct command *command_find(const char *name, struct err *e);

/* ---- terminal.c -------------------------------------------------------------------------------*/
/* Columns of the terminal on standard output, COLUMNS, or 80; at least 80. */
int terminal_width(void);
/* How `out` shows text: as wide as standard output; in colour where --color says so, or where it is
 * a terminal, TERM is not "dumb" and NO_COLOR is unset or empty (no-color.org); sparklines where the
 * locale's character set is UTF-8. */
struct report_screen terminal_screen(const struct arguments *a, FILE *out);
/* Writes text to standard output; ERR_IO when that fails. */
int terminal_put(const struct text *t, struct err *e);
/* Whether everything written to standard output arrived; the stream is closed. */
int terminal_finish(struct err *e);
/* From now on SIGINT and SIGTERM only leave their number in *terminal_signal(); a second one of the
 * same kind ends the program. */
void terminal_watch_signals(void);
volatile const int *terminal_signal(void);

/* ---- what commands share: claims --------------------------------------------------------------*/
/* Prints the claims of s on `on`: after a table on standard output, else on standard error, with
 * --quiet only those that failed; `bound` and `witness` say how many belong to other commands.
 * *status becomes EXIT_FAILED if one did. */
int judge_claims(const struct arguments *a, const struct spec *s, enum claim_on on,
                 const struct results *r, int *status, struct err *e);
/* Prints rows as the format asks: the table of report_table for each spec, or all rows. */
int print_results(const struct arguments *a, const struct results *r, struct err *e);

#endif
