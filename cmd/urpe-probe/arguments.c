/* The command line.  Invariant: what --help shows and what is accepted come from flag_table
 * alone. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command.h"

enum { HELP_WIDTH = 80, HELP_INDENT = 24, COUNT_MAX = 4096, SHARDS_MAX = 1000000, NAMES_MAX = 32 };

struct flag_row {
    const char *name, *value; /* value NULL: a flag */
    unsigned bit;             /* 0: every command has it */
    int (*take)(struct arguments *a, const char *value, struct err *e);
    const char *help;
};

/* ---- what each option does --------------------------------------------------------------------*/
static int take_set(struct arguments *a, const char *value, struct err *e)
{
    if (!strchr(value, '=') || value[0] == '=')
        return err_set(e, ERR_USAGE, NULL, "--set %s: KEY=VALUE was expected", value);
    a->set[a->sets++] = value; /* room for as many as there are words */
    return 0;
}

static int take_text(const char **out, const char *name, const char *value, struct err *e)
{
    if (!*value)
        return err_set(e, ERR_USAGE, NULL, "%s: a name was expected", name);
    *out = value;
    return 0;
}

static int take_out(struct arguments *a, const char *value, struct err *e)
{
    return take_text(&a->out, "--out", value, e);
}

static int take_csv(struct arguments *a, const char *value, struct err *e)
{
    return take_text(&a->csv, "--csv", value, e);
}

static int take_input(struct arguments *a, const char *value, struct err *e)
{
    return take_text(&a->input, "--input", value, e);
}

static int take_output(struct arguments *a, const char *value, struct err *e)
{
    return take_text(&a->output, "--output", value, e);
}

static int take_count(int *out, const char *name, const char *value, struct err *e)
{
    int64_t number;
    if (!text_to_int64(value, &number) || number < 1 || number > COUNT_MAX)
        return err_set(e, ERR_USAGE, NULL, "%s %s: a number from 1 to %d was expected", name, value,
                       COUNT_MAX);
    *out = (int)number;
    return 0;
}

static int take_jobs(struct arguments *a, const char *value, struct err *e)
{
    return take_count(&a->jobs, "--jobs", value, e);
}

static int take_threads(struct arguments *a, const char *value, struct err *e)
{
    return take_count(&a->threads, "--threads", value, e);
}

static int take_shard(struct arguments *a, const char *value, struct err *e)
{
    char first[24];
    const char *slash = strchr(value, '/');
    size_t length = slash ? (size_t)(slash - value) : 0;
    int64_t shard = 0, shards = 0;
    bool fits = slash && length < sizeof first;
    if (fits) {
        memcpy(first, value, length);
        first[length] = '\0';
        fits = text_to_int64(first, &shard) && text_to_int64(slash + 1, &shards);
    }
    if (!fits || shards < 1 || shards > SHARDS_MAX || shard < 0 || shard >= shards)
        return err_set(e, ERR_USAGE, NULL,
                       "--shard %s: I/M with 0 <= I < M was expected; shards count from 0", value);
    a->shard = (int)shard;
    a->shards = (int)shards;
    return 0;
}

static int take_format(struct arguments *a, const char *value, struct err *e)
{
    static const char *const names[] = {
        [LISTING_TABLE] = "table", [LISTING_CSV] = "csv", [LISTING_JSON] = "json"};
    for (int k = 0; k < 3; k++) {
        if (strcmp(value, names[k]) != 0)
            continue;
        a->format = (enum listing_format)k;
        return 0;
    }
    const char *near = text_nearest(value, names, 3);
    return err_set(e, ERR_USAGE, NULL, "--format %s: table, csv or json was expected%s%s%s", value,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int take_color(struct arguments *a, const char *value, struct err *e)
{
    static const char *const names[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
    for (int k = 0; k < 3; k++) {
        if (strcmp(value, names[k]) != 0)
            continue;
        a->color = (enum color_choice)k;
        return 0;
    }
    const char *near = text_nearest(value, names, 3);
    return err_set(e, ERR_USAGE, NULL, "--color %s: auto, always or never was expected%s%s%s",
                   value, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int take_no_claims(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->no_claims = true;
    return 0;
}

static int take_quiet(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->quiet = true;
    return 0;
}

static int take_no_progress(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->no_progress = true;
    return 0;
}

static int take_force(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->force = true;
    return 0;
}

static int take_fail_fast(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->fail_fast = true;
    return 0;
}

static int take_keep_going(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->fail_fast = false;
    return 0;
}

static int take_gnuplot(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->gnuplot = true;
    return 0;
}

static int take_png(struct arguments *a, const char *value, struct err *e)
{
    (void)value, (void)e;
    a->png = true;
    return 0;
}

static const struct flag_row flag_table[] = {
    {"--set", "KEY=VALUE", FLAG_SET, take_set,
     "override a key of the spec; VALUE is YAML, a list makes an axis; may be given again"},
    {"--out", "DIR", FLAG_OUT, take_out, "folder for what is written"},
    {"--csv", "FILE", FLAG_CSV, take_csv,
     "add this call's rows to FILE, which other calls may use at the same time"},
    {"--input", "FILE", FLAG_INPUT, take_input, "safetensors to read"},
    {"--output", "FILE", FLAG_OUTPUT, take_output, "safetensors to write"},
    {"--jobs", "N", FLAG_JOBS, take_jobs, "cells that train at the same time; default: cores"},
    {"--threads", "N", FLAG_THREADS, take_threads,
     "threads in each cell; default: 1, or the cores that --jobs leaves over"},
    {"--shard", "I/M", FLAG_SHARD, take_shard,
     "only every M-th cell, from the I-th (I counts from 0); claims are left to `report`"},
    {"--no-claims", NULL, FLAG_NO_CLAIMS, take_no_claims, "do not judge the spec's claims"},
    {"--format", "FORMAT", FLAG_FORMAT, take_format, "table (default), csv or json"},
    {"--color", "auto|always|never", FLAG_COLOR, take_color,
     "verdicts and claims in colour; auto (default): on a terminal, unless NO_COLOR is set"},
    {"--quiet", NULL, FLAG_QUIET, take_quiet, "print errors only"},
    {"--no-progress", NULL, FLAG_NO_PROGRESS, take_no_progress, "draw no progress line"},
    {"--force", NULL, FLAG_FORCE, take_force,
     "train again what is finished, and replace its rows in --csv FILE"},
    {"--fail-fast", NULL, FLAG_FAIL_FAST, take_fail_fast, "stop at the first cell that fails"},
    {"--keep-going", NULL, FLAG_FAIL_FAST, take_keep_going,
     "train the other cells when one fails (default)"},
    {"--gnuplot", NULL, FLAG_FIGURES, take_gnuplot,
     "keep gnuplot's scripts, with their data, beside the figures"},
    {"--png", NULL, FLAG_FIGURES, take_png, "draw each figure as PNG, too"},
    {"--help", NULL, 0, NULL, "print this; also -h"},
};
enum { FLAG_ROWS = sizeof flag_table / sizeof *flag_table };

static bool has_option(const struct command *c, const struct flag_row *o)
{
    return !o->bit || (c->options & o->bit);
}

bool command_option_at(const struct command *c, int index, struct command_option *out)
{
    for (int k = 0; k < FLAG_ROWS; k++) {
        if ((c && !has_option(c, &flag_table[k])) || index-- > 0)
            continue;
        *out = (struct command_option){flag_table[k].name, flag_table[k].value, flag_table[k].help};
        return true;
    }
    return false;
}

/* ---- parsing ----------------------------------------------------------------------------------*/
static int unknown_option(const struct command *c, const char *word, struct err *e)
{
    const char *names[NAMES_MAX];
    char bare[64];
    int count = 0;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word, "="), word);
    for (int k = 0; k < FLAG_ROWS; k++) {
        if (!has_option(c, &flag_table[k])) {
            if (strcmp(flag_table[k].name, bare) == 0)
                return err_set(e, ERR_USAGE, NULL, "`%s` does not take %s", c->name, bare);
            continue;
        }
        names[count++] = flag_table[k].name;
    }
    const char *near = text_nearest(bare, names, count);
    if (near)
        return err_set(e, ERR_USAGE, NULL, "unknown option %s; did you mean %s?", bare, near);
    return err_set(e, ERR_USAGE, NULL, "unknown option %s; see `urpe-probe %s --help`", bare,
                   c->name);
}

static const struct flag_row *find_option(const struct command *c, const char *word)
{
    size_t length = strcspn(word, "=");
    for (int k = 0; k < FLAG_ROWS; k++)
        if (has_option(c, &flag_table[k]) && strlen(flag_table[k].name) == length &&
            strncmp(flag_table[k].name, word, length) == 0)
            return &flag_table[k];
    return NULL;
}

/* Takes word[*at] and, where it has a value of its own word, the next. */
static int take_option(struct arguments *a, const struct command *c, int count, char **word,
                       int *at, struct err *e)
{
    const char *equals = strchr(word[*at], '=');
    const struct flag_row *o = find_option(c, word[*at]);
    if (!o)
        return unknown_option(c, word[*at], e);
    if (!o->value && equals)
        return err_set(e, ERR_USAGE, NULL, "%s takes no value", o->name);
    if (!o->value || equals)
        return o->take(a, equals ? equals + 1 : NULL, e);
    if (*at + 1 >= count)
        return err_set(e, ERR_USAGE, NULL, "%s: %s is missing", o->name, o->value);
    return o->take(a, word[++*at], e);
}

static int check_operands(const struct arguments *a, const struct command *c, struct err *e)
{
    if (a->operands < c->operands_min)
        return err_set(e, ERR_USAGE, NULL, "%s is missing; usage: urpe-probe %s [OPTIONS] %s",
                       c->operands, c->name, c->operands);
    if (a->operands > c->operands_max)
        return err_set(e, ERR_USAGE, NULL,
                       "unexpected argument %s; usage: urpe-probe %s [OPTIONS] %s",
                       a->operand[c->operands_max], c->name, c->operands);
    return 0;
}

int arguments_parse(struct arguments *a, const struct command *c, int count, char **word,
                    bool *help, struct err *e)
{
    *a = (struct arguments){.shards = 1};
    *help = false;
    a->set = memory_alloc((size_t)count, sizeof *a->set, e);
    a->operand = memory_alloc((size_t)count, sizeof *a->operand, e);
    if (!a->set || !a->operand)
        return ERR_MEMORY;
    bool options = true;
    for (int k = 0; k < count && options; k++) {
        options = strcmp(word[k], "--") != 0;
        *help |= strcmp(word[k], "--help") == 0 || strcmp(word[k], "-h") == 0;
    }
    if (*help)
        return 0;
    options = true;
    for (int k = 0; k < count; k++) {
        int code = 0;
        if (options && strcmp(word[k], "--") == 0)
            options = false;
        else if (options && word[k][0] == '-' && word[k][1])
            code = take_option(a, c, count, word, &k, e);
        else
            a->operand[a->operands++] = word[k];
        if (code)
            return code;
    }
    return check_operands(a, c, e);
}

void arguments_close(struct arguments *a)
{
    memory_free(a->set);
    memory_free(a->operand);
    *a = (struct arguments){0};
}

/* ---- help -------------------------------------------------------------------------------------*/
static void append_entry(struct text *out, const char *name, const char *value, const char *help)
{
    char left[64];
    const char *gap = value ? " " : "";
    int length = snprintf(left, sizeof left, "  %s%s%s", name, gap, value ? value : "");
    if (length < HELP_INDENT)
        text_append_format(out, "%-*s", HELP_INDENT, left);
    else
        text_append_format(out, "%s\n%*s", left, HELP_INDENT, "");
    append_wrapped(out, help, HELP_INDENT, HELP_WIDTH);
    text_append(out, "\n");
}

int help_command(const struct command *c, struct text *out, struct err *e)
{
    char usage[128];
    snprintf(usage, sizeof usage, "urpe-probe %s [OPTIONS] %s", c->name, c->operands);
    text_append(out, "usage: ");
    append_wrapped(out, usage, (int)strlen("usage: "), HELP_WIDTH);
    text_append(out, "\n\n");
    append_wrapped(out, c->summary, 0, HELP_WIDTH);
    text_append(out, ".\n\n");
    for (const char *at = c->details; *at;) {
        char paragraph[1024];
        size_t length = strcspn(at, "\n");
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, at);
        append_wrapped(out, paragraph, 0, HELP_WIDTH);
        text_append(out, "\n");
        at += length + (at[length] == '\n');
    }
    text_append(out, "\noptions:\n");
    for (int k = 0; k < FLAG_ROWS; k++)
        if (has_option(c, &flag_table[k]))
            append_entry(out, flag_table[k].name, flag_table[k].value, flag_table[k].help);
    return text_check(out, e);
}

const char program_summary[] =
    "What can a Transformer with a given positional encoding express?  What is provably impossible "
    "(the floor) and what training finds (the error), side by side.";

const struct exit_meaning exit_table[] = {
    {"0", "all well (a diverged cell is a result)"},
    {"1", "a cell failed or a claim did not hold"},
    {"2", "usage or spec error, before anything is trained or written"},
    {"3", "input/output failure or out of memory"},
    {"130, 143", "interrupted; the same command, without --force, resumes"},
    {NULL, NULL}};

int help_program(struct text *out, struct err *e)
{
    text_append(out, "usage: urpe-probe COMMAND [OPTIONS] ...\n\n");
    append_wrapped(out, program_summary, 0, HELP_WIDTH);
    text_append(out, "\n\ncommands:\n");
    for (int k = 0; command_table[k]; k++)
        append_entry(out, command_table[k]->name, command_table[k]->operands,
                     command_table[k]->summary);
    text_append(out, "\n");
    append_entry(out, "--version", NULL, "print versions, kernels, BLAS and CPU");
    append_entry(out, "COMMAND --help", NULL, "print the options of one command");
    text_append(out, "\nexit status:\n");
    for (int k = 0; exit_table[k].status; k++)
        append_entry(out, exit_table[k].status, NULL, exit_table[k].meaning);
    return text_check(out, e);
}

const struct command *command_find(const char *name, struct err *e)
{
    const char *names[NAMES_MAX];
    int count = 0;
    for (; command_table[count]; count++) {
        if (strcmp(command_table[count]->name, name) == 0)
            return command_table[count];
        names[count] = command_table[count]->name;
    }
    const char *near = text_nearest(name, names, count);
    if (near)
        err_set(e, ERR_USAGE, NULL, "unknown command %s; did you mean %s?", name, near);
    else
        err_set(e, ERR_USAGE, NULL, "unknown command %s; see `urpe-probe --help`", name);
    return NULL;
}
