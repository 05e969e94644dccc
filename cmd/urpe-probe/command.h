/* A command is a const struct in a file of its own and a line in command_table; the flags it takes
 * are rows of one table, from which they are parsed and --help is written.
 *
 * Invariant: data goes to standard output or files, messages to standard error; a command returns
 * an error code (negative) or an exit status, and only main ends the program. */
#ifndef URPE_PROBE_COMMAND_H
#define URPE_PROBE_COMMAND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "flags.h"
#include "report/listing.h"
#include "report/report.h"

enum flag_id {
    FLAG_HELP, /* of every command; ends its list */
#define FLAG_ID(id, ...) FLAG_##id,
    FLAG_LIST(FLAG_ID, FLAG_ID)
#undef FLAG_ID
    FLAGS
};

/* What a command line says. */
struct arguments {
    const char **operand; /* (operands) */
    int operands;
#define FLAG_FIELD(id, field, type, ...) FLAG_FIELD_##type field;
#define FLAG_NO_FIELD(...)
    FLAG_LIST(FLAG_FIELD, FLAG_NO_FIELD)
#undef FLAG_FIELD
#undef FLAG_NO_FIELD
};
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct command {
    const char *name;
    const char *operands;     /* as help shows them: "", "SPEC", "DIR..." (some), "[a|b]" (or none) */
    const char *summary;      /* one line */
    const char *details;      /* paragraphs for --help, separated by newlines */
    enum flag_id flag[FLAGS]; /* those it takes; the rest is FLAG_HELP */
    int (*run)(const struct arguments *a, struct err *e);
};
extern const struct command *const command_table[]; /* NULL-terminated */

extern const char *program_word; /* what the program was called by */

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 }; /* a cell failed or a claim did not hold; usage */

/* ---- arguments.c ------------------------------------------------------------------------------*/
/* Reads what follows the command's name.  *help: --help was there, and nothing else counts.
 * ERR_USAGE.  arguments_close frees, also after a failure. */
int arguments_parse(struct arguments *a, const struct command *c, int count, char **word,
                    bool *help, struct err *e);
void arguments_close(struct arguments *a);
/* Where e is about the very path that an option names, e->where begins with the option. */
void arguments_blame(const struct arguments *a, const struct command *c, struct err *e);
/* --help of one command, and of all. */
int help_command(const struct command *c, struct text *out, struct err *e);
int help_program(struct text *out, struct err *e);
/* A row of the table of flags. */
struct flag {
    const char *name, *value, *help; /* "--out"; "DIR", NULL for a switch; one sentence */
    int (*take)(const struct flag *f, const char *value, void *field, struct err *e);
    size_t offset; /* of the field in struct arguments */
};
/* The flags of c from index 0, --help last; NULL behind it. */
const struct flag *command_flag(const struct command *c, int index);
/* Index of `word` in "table|csv|json", which may stand in brackets; ERR_USAGE, "WHAT WORD: table, csv
 * or json was expected" and the nearest of them, where it is none. */
int choose(const char *words, const char *what, const char *word, struct err *e);
extern const char program_summary[]; /* one paragraph */
struct exit_meaning {
    const char *status, *meaning;
};
extern const struct exit_meaning exit_table[]; /* ended by a NULL status */
/* The command of that name; NULL with e filled, the nearest name in it. */
const struct command *command_find(const char *name, struct err *e);

/* ---- terminal.c -------------------------------------------------------------------------------*/
/* Columns of the terminal on standard output, COLUMNS, or 80; at least 40. */
int terminal_width(void);
/* How `out` shows text: as wide as standard output; in colour where --color says so, or where it is
 * a terminal, TERM is not "dumb" and NO_COLOR is unset or empty (no-color.org); in ASCII unless the
 * locale's character set is UTF-8. */
struct report_screen terminal_screen(const struct arguments *a, FILE *out);
/* Writes text to standard output, cleaned (text_show) where that is a terminal; ERR_IO when it
 * fails. */
int terminal_put(struct text *t, struct err *e);
/* Whether everything written to standard output arrived; the stream is closed. */
int terminal_finish(struct err *e);
enum { SIGNAL_STATUS = 128 }; /* + the signal's number: exit status of the interrupted */
/* From now on SIGINT, SIGTERM and SIGHUP only leave their number in *terminal_signal(), and start an
 * alarm that ends the program a few seconds later; a second one of the same kind does so at once. */
void terminal_watch_signals(void);
volatile const int *terminal_signal(void);

/* ---- man.c ------------------------------------------------------------------------------------*/
/* Appends the man page, for roff's man macros. */
int man_append(struct text *out, struct err *e);

/* ---- print.c ----------------------------------------------------------------------------------*/
/* Makes the folder and sees that `name` can be written there, before the work that fills it. */
int prepare_folder(const char *folder, const char *name, struct err *e);
/* Names the files that were skipped in reading results. */
void say_skipped(const struct results *r);
/* Warns of what a spec allows but hardly means (spec_doubts). */
void say_doubts(const struct spec *s);
/* Prints the claims of s on `on`: after a table on standard output, else on standard error, with
 * --quiet only those that failed; `bound` and `witness` say how many belong to other commands.
 * *status becomes EXIT_FAILED if one did. */
int judge_claims(const struct arguments *a, const struct spec *s, enum claim_on on,
                 const struct results *r, int *status, struct err *e);
/* Prints rows as the format asks: the table of report_table for each spec, or all rows. */
int print_results(const struct arguments *a, const struct results *r, struct err *e);
/* The cell whose id starts with `id`; NULL: the only one there is. */
int choose_cell(const struct spec *s, const char *id, const struct cell **out, struct err *e);
/* Prints a listing as the format asks, as wide as standard output. */
int print_listing(const struct arguments *a, const struct listing *l, struct err *e);

#endif
